/*
 * What a launch costs with nothing between the loop and NVIDIA's driver, as a peer of DeviceBench's "fill": the same kernel,
 * the same arguments, the same samples.
 *
 *     launches FILE.ptx KERNEL [DRIVER]     (default: libcuda.so.1)
 *
 * The driver is opened at run time, so this builds without CUDA: cc -O2 -o launches launches.c -ldl
 * On the stand-in driver the kernel's result is checked and no time is told.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COUNT = 256, BLOCK = 256, RANK = 8, SAMPLES = 40, CHECKS = 1000, NON_BLOCKING = 1 };
static const double SAMPLE_SECONDS = 0.02;

typedef struct {
    int64_t count, rank, offset, bits;
    int64_t sizes[RANK], strides[RANK];
} Fill;

typedef void *Handle;
typedef unsigned long long Address;

static int (*cuInit)(unsigned);
static int (*cuDeviceGet)(int *, int);
static int (*cuDeviceGetName)(char *, int, int);
static int (*cuDevicePrimaryCtxRetain)(Handle *, int);
static int (*cuCtxSetCurrent)(Handle);
static int (*cuStreamCreate)(Handle *, unsigned);
static int (*cuStreamSynchronize)(Handle);
static int (*cuModuleLoadData)(Handle *, const void *);
static int (*cuModuleGetFunction)(Handle *, Handle, const char *);
static int (*cuMemAlloc)(Address *, size_t);
static int (*cuMemcpyDtoH)(void *, Address, size_t);
static int (*cuLaunchKernel)(Handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Handle, void **,
                             void **);

static Handle stream, function;
static Address memory;
static Fill fill = {COUNT, 1, 0, 0, {COUNT}, {1}};

static void check(int status, const char *call) {
    if (status != 0) {
        fprintf(stderr, "launches: %s failed with %d\n", call, status);
        exit(1);
    }
}
#define CHECK(call) check(call, #call)

static void find(Handle library, const char *name, void *to) {
    Handle found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "launches: the driver has no %s\n", name);
        exit(1);
    }
    memcpy(to, &found, sizeof found);
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc(size + 1, 1);
    if (text == NULL || fread(text, 1, size, file) != (size_t) size) {
        fprintf(stderr, "launches: %s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

static void launch(void) {
    void *arguments[] = {&memory, &fill};
    CHECK(cuLaunchKernel(function, (COUNT + BLOCK - 1) / BLOCK, 1, 1, BLOCK, 1, 1, 0, stream, arguments, NULL));
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static double seconds(int batch) {
    CHECK(cuStreamSynchronize(stream));
    double start = now();
    for (int i = 0; i < batch; i++) {
        launch();
    }
    CHECK(cuStreamSynchronize(stream));
    return now() - start;
}

/* Launches that each write another number, all but the last overwritten. */
static void check_results(void) {
    uint32_t got[COUNT];
    for (int i = 1; i <= CHECKS; i++) {
        fill.bits = i;
        launch();
    }
    CHECK(cuStreamSynchronize(stream));
    CHECK(cuMemcpyDtoH(got, memory, sizeof got));
    for (int i = 0; i < COUNT; i++) {
        if (got[i] != CHECKS) {
            fprintf(stderr, "launches: element %d is %u, not %d\n", i, got[i], CHECKS);
            exit(1);
        }
    }
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: launches FILE.ptx KERNEL [DRIVER]\n");
        return 2;
    }
    Handle library = dlopen(count > 3 ? arguments[3] : "libcuda.so.1", RTLD_NOW);
    if (library == NULL) {
        fprintf(stderr, "launches: %s\n", dlerror());
        return 1;
    }
    find(library, "cuInit", &cuInit);
    find(library, "cuDeviceGet", &cuDeviceGet);
    find(library, "cuDeviceGetName", &cuDeviceGetName);
    find(library, "cuDevicePrimaryCtxRetain", &cuDevicePrimaryCtxRetain);
    find(library, "cuCtxSetCurrent", &cuCtxSetCurrent);
    find(library, "cuStreamCreate", &cuStreamCreate);
    find(library, "cuStreamSynchronize", &cuStreamSynchronize);
    find(library, "cuModuleLoadData", &cuModuleLoadData);
    find(library, "cuModuleGetFunction", &cuModuleGetFunction);
    find(library, "cuMemAlloc_v2", &cuMemAlloc);
    find(library, "cuMemcpyDtoH_v2", &cuMemcpyDtoH);
    find(library, "cuLaunchKernel", &cuLaunchKernel);

    int device;
    Handle context, module;
    char name[256];
    CHECK(cuInit(0));
    CHECK(cuDeviceGet(&device, 0));
    CHECK(cuDeviceGetName(name, sizeof name, device));
    CHECK(cuDevicePrimaryCtxRetain(&context, device));
    CHECK(cuCtxSetCurrent(context));
    CHECK(cuStreamCreate(&stream, NON_BLOCKING));
    CHECK(cuModuleLoadData(&module, read_text(arguments[1])));
    CHECK(cuModuleGetFunction(&function, module, arguments[2]));
    CHECK(cuMemAlloc(&memory, COUNT * sizeof(uint32_t)));

    check_results();
    printf("%s: %d bare launches of %s, the results are right\n", name, CHECKS, arguments[2]);
    if (dlsym(library, "simcuda_count") != NULL) {
        printf("this is the stand-in driver: no time is told\n");
        return 0;
    }
    int batch = 1;
    while (seconds(batch) < SAMPLE_SECONDS) {
        batch *= 2;
    }
    double least = 1e9;
    for (int i = 0; i < SAMPLES; i++) {
        double sample = seconds(batch) / batch;
        least = sample < least ? sample : least;
    }
    printf("a bare cuLaunchKernel in C     %6.2f us\n", least * 1e6);
    return 0;
}
