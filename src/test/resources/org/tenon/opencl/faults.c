// Puts itself between the OpenCL loader and a driver: the entries of the driver's own table of functions, which the loader
// calls through, are replaced by functions that count, fail when they are told to, and else call on. Calls that make or
// release an object are weighed against each other.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

typedef intptr_t word;
typedef word (*call6)(word, word, word, word, word, word);
typedef word (*call12)(word, word, word, word, word, word, word, word, word, word, word, word);

// How a call tells that it failed: by what it returns, or by a number it writes through its last argument.
enum { RETURNS, WRITES };

struct kind {
    const char *name;
    int at;        // in the table, whose order is that of cl_icd.h
    int arguments;
    int tells;
    int makes;     // objects: 1 makes one, -1 releases one
    const char *object;
};

static const struct kind kinds[] = {
    {"clGetDeviceInfo", 3, 5, RETURNS, 0, ""},
    {"clCreateContext", 4, 6, WRITES, 1, "context"},
    {"clReleaseContext", 7, 1, RETURNS, -1, "context"},
    {"clCreateCommandQueue", 9, 4, WRITES, 1, "queue"},
    {"clReleaseCommandQueue", 11, 1, RETURNS, -1, "queue"},
    {"clCreateBuffer", 14, 5, WRITES, 1, "buffer"},
    {"clReleaseMemObject", 18, 1, RETURNS, -1, "buffer"},
    {"clCreateProgramWithSource", 26, 5, WRITES, 1, "program"},
    {"clCreateProgramWithBinary", 27, 7, WRITES, 1, "program"},
    {"clReleaseProgram", 29, 1, RETURNS, -1, "program"},
    {"clBuildProgram", 30, 6, RETURNS, 0, ""},
    {"clGetProgramInfo", 32, 5, RETURNS, 0, ""},
    {"clGetProgramBuildInfo", 33, 6, RETURNS, 0, ""},
    {"clCreateKernel", 34, 3, WRITES, 1, "kernel"},
    {"clReleaseKernel", 37, 1, RETURNS, -1, "kernel"},
    {"clSetKernelArg", 38, 4, RETURNS, 0, ""},
    {"clGetKernelWorkGroupInfo", 40, 6, RETURNS, 0, ""},
    {"clWaitForEvents", 41, 2, RETURNS, 0, ""},
    {"clGetEventInfo", 42, 5, RETURNS, 0, ""},
    {"clRetainEvent", 43, 1, RETURNS, 1, "event"}, // by JOCL alone, which does not look at the answer
    {"clReleaseEvent", 44, 1, RETURNS, -1, "event"},
    {"clFlush", 46, 1, RETURNS, 0, ""},
    {"clFinish", 47, 1, RETURNS, 0, ""},
    {"clEnqueueReadBuffer", 48, 9, RETURNS, 0, ""},
    {"clEnqueueWriteBuffer", 49, 9, RETURNS, 0, ""},
    {"clEnqueueMapBuffer", 56, 10, WRITES, 0, ""},
    {"clEnqueueNDRangeKernel", 59, 9, RETURNS, 0, ""},
    {"clEnqueueFillBuffer", 102, 9, RETURNS, 0, ""},
    {"clEnqueueMigrateMemObjects", 104, 7, RETURNS, 0, ""},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void *real[KINDS];
static long counts[KINDS];
static long made[KINDS];
static long fail_at[KINDS];
static int fail_with[KINDS];
static int broken;

// Whether this call is to fail, and how.
static int fault(int kind) {
    long count = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    long at = __atomic_load_n(&fail_at[kind], __ATOMIC_SEQ_CST);
    if (at > 0 && count == at) {
        __atomic_store_n(&fail_at[kind], 0, __ATOMIC_SEQ_CST);
        return fail_with[kind];
    }
    return __atomic_load_n(&broken, __ATOMIC_SEQ_CST);
}

// The event that a command gives is an object, too: its place is the last argument.
static int gives_event(int kind) {
    return strncmp(kinds[kind].name, "clEnqueue", 9) == 0;
}

static word through(int kind, word *a) {
    int error = fault(kind);
    int last = kinds[kind].arguments - 1;
    if (error != 0) {
        if (kinds[kind].tells == RETURNS) {
            return error;
        }
        if (a[last] != 0) {
            *(int *) a[last] = error;
        }
        return 0;
    }
    word answer = ((call12) real[kind])(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], 0, 0);
    int good = kinds[kind].tells == RETURNS ? (int) answer == 0 : answer != 0;
    if (good && kinds[kind].makes == 1) {
        __atomic_add_fetch(&made[kind], 1, __ATOMIC_SEQ_CST);
    } else if (good && kinds[kind].makes == -1) {
        __atomic_add_fetch(&made[kind], -1, __ATOMIC_SEQ_CST);
    }
    if (good && gives_event(kind)) {
        word place = kinds[kind].tells == RETURNS ? a[last] : a[last - 1];
        __atomic_add_fetch(&made[kind], place != 0, __ATOMIC_SEQ_CST);
    }
    return answer;
}

// One function for each kind: the loader passes nothing that tells them apart.
#define ENTRY(n)                                                                                                      \
    static word entry##n(word a, word b, word c, word d, word e, word f, word g, word h, word i, word j) {             \
        word all[10] = {a, b, c, d, e, f, g, h, i, j};                                                                 \
        return through(n, all);                                                                                        \
    }
ENTRY(0) ENTRY(1) ENTRY(2) ENTRY(3) ENTRY(4) ENTRY(5) ENTRY(6) ENTRY(7) ENTRY(8) ENTRY(9)
ENTRY(10) ENTRY(11) ENTRY(12) ENTRY(13) ENTRY(14) ENTRY(15) ENTRY(16) ENTRY(17) ENTRY(18) ENTRY(19)
ENTRY(20) ENTRY(21) ENTRY(22) ENTRY(23) ENTRY(24) ENTRY(25) ENTRY(26) ENTRY(27) ENTRY(28)
#define NAME(n) (void *) entry##n
static void *const entries[] = {
    NAME(0), NAME(1), NAME(2), NAME(3), NAME(4), NAME(5), NAME(6), NAME(7), NAME(8), NAME(9),
    NAME(10), NAME(11), NAME(12), NAME(13), NAME(14), NAME(15), NAME(16), NAME(17), NAME(18), NAME(19),
    NAME(20), NAME(21), NAME(22), NAME(23), NAME(24), NAME(25), NAME(26), NAME(27), NAME(28),
};
_Static_assert(sizeof entries / sizeof *entries == KINDS, "an entry for each kind");

// Into the table of the first platform, that all its objects share. 0 if it is done.
EXPORTED int faults_install(void) {
    void *loader = dlopen("libOpenCL.so.1", RTLD_NOW);
    int (*platforms)(unsigned, void **, unsigned *) =
        loader ? (int (*)(unsigned, void **, unsigned *)) dlsym(loader, "clGetPlatformIDs") : NULL;
    void *platform = NULL;
    if (!platforms || platforms(1, &platform, NULL) != 0 || !platform) {
        return 1;
    }
    void **table = *(void ***) platform;
    long page = sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t) table / page * page;
    uintptr_t to = (uintptr_t) (table + 110);
    if (mprotect((void *) from, (to - from + page - 1) / page * page, PROT_READ | PROT_WRITE) != 0) {
        return 2;
    }
    for (int i = 0; i < KINDS; i++) {
        real[i] = table[kinds[i].at];
        table[kinds[i].at] = entries[i];
    }
    return 0;
}

static int find(const char *name) {
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

// The nth call of this name from now on fails with this error. 0 if there is such a name.
EXPORTED int faults_fail(const char *name, int nth, int error) {
    int kind = find(name);
    if (kind < 0) {
        return 1;
    }
    fail_with[kind] = error;
    __atomic_store_n(&fail_at[kind], counts[kind] + nth, __ATOMIC_SEQ_CST);
    return 0;
}

// All calls fail with this error from now on; 0 ends that.
EXPORTED void faults_break(int error) {
    __atomic_store_n(&broken, error, __ATOMIC_SEQ_CST);
}

// Counts begin anew, and what was to fail does not.
EXPORTED void faults_reset(void) {
    for (int i = 0; i < KINDS; i++) {
        counts[i] = 0;
        fail_at[i] = 0;
    }
}

EXPORTED int faults_pending(void) {
    int pending = 0;
    for (int i = 0; i < KINDS; i++) {
        pending += fail_at[i] != 0;
    }
    return pending;
}

// Lines of name and count of what was called. The length of the text.
EXPORTED long faults_counts(char *text, long size) {
    long length = 0;
    for (int i = 0; i < KINDS && length < size; i++) {
        if (counts[i] > 0) {
            length += snprintf(text + length, size - length, "%s %ld\n", kinds[i].name, counts[i]);
        }
    }
    return length;
}

// How many objects of this kind were made and not released.
EXPORTED long faults_live(const char *object) {
    long live = 0;
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].object, object) == 0 || (strcmp(object, "event") == 0 && gives_event(i))) {
            live += made[i];
        }
    }
    return live;
}
