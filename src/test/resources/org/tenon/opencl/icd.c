// An OpenCL driver with one platform, which answers a request for its devices with ANSWER and names none. Only what the
// loader looks for is exported: functions of the names that the loader has itself would be taken from there.
#include <stddef.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

struct platform;

static int platforms(unsigned count, struct platform **all, unsigned *found);
static int info(struct platform *of, unsigned what, size_t size, void *value, size_t *size_of_value);
static int devices(struct platform *of, unsigned long type, unsigned count, void **all, unsigned *found);

// The loader's table of functions, of which only the first three are called where there is no device.
struct table {
    int (*platforms)(unsigned, struct platform **, unsigned *);
    int (*info)(struct platform *, unsigned, size_t, void *, size_t *);
    int (*devices)(struct platform *, unsigned long, unsigned, void **, unsigned *);
    void *others[200];
};
struct platform {
    struct table *table;
};

static struct table table = {platforms, info, devices, {0}};
static struct platform platform = {&table};

static int platforms(unsigned count, struct platform **all, unsigned *found) {
    if (all && count > 0) {
        all[0] = &platform;
    }
    if (found) {
        *found = 1;
    }
    return 0;
}

static int info(struct platform *of, unsigned what, size_t size, void *value, size_t *size_of_value) {
    const char *text = what == 0x0900   ? "FULL_PROFILE"
                       : what == 0x0901 ? "OpenCL 1.2 none"
                       : what == 0x0904 ? "cl_khr_icd"
                       : what == 0x0920 ? "NONE"
                                        : "Driver of no device";
    if (size_of_value) {
        *size_of_value = strlen(text) + 1;
    }
    if (value && size < strlen(text) + 1) {
        return -30;
    }
    if (value) {
        strcpy(value, text);
    }
    return 0;
}

static int devices(struct platform *of, unsigned long type, unsigned count, void **all, unsigned *found) {
    if (found) {
        *found = 0;
    }
    return ANSWER;
}

EXPORTED int clIcdGetPlatformIDsKHR(unsigned count, struct platform **all, unsigned *found) {
    return platforms(count, all, found);
}

EXPORTED int clGetPlatformInfo(struct platform *of, unsigned what, size_t size, void *value, size_t *size_of_value) {
    return info(of, what, size, value, size_of_value);
}

EXPORTED void *clGetExtensionFunctionAddress(const char *name) {
    return strcmp(name, "clIcdGetPlatformIDsKHR") == 0 ? (void *) clIcdGetPlatformIDsKHR : NULL;
}
