// The part of cuBLAS that Tenon calls, on host memory, written from the definition of a column-major product:
//   C = alpha op(A) op(B) + beta C,   element (i, j) of a matrix at i + j * ld.
// It refuses what cuBLAS refuses. Where a CUDA driver is loaded too, whose memory must then be host memory, a call waits for
// the stream first, since what the stream holds comes before it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_INITIALIZED = 1, ALLOC_FAILED = 3, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_64F = 1, R_16F = 2, R_16BF = 14 };
enum { COMPUTE_32F = 68, COMPUTE_64F = 70, COMPUTE_32F_FAST_TF32 = 77 };

typedef struct {
    void *stream;
    int math;
} Handle;

static int calls, last_compute, last_math, next_status;

int stub_calls(void) { return calls; }
int stub_compute(void) { return last_compute; }
int stub_math(void) { return last_math; }
// What the next call that multiplies answers, having done nothing.
void stub_fail(int status) { next_status = status; }

int cublasCreate_v2(Handle **handle) {
#ifdef CREATE_FAILS
    return NOT_INITIALIZED;
#endif
    *handle = calloc(1, sizeof(Handle));
    return *handle ? SUCCESS : ALLOC_FAILED;
}

int cublasSetStream_v2(Handle *handle, void *stream) {
    handle->stream = stream;
    return SUCCESS;
}

int cublasSetMathMode(Handle *handle, int mode) {
    handle->math = mode;
    return SUCCESS;
}

#ifndef NO_VERSION
int cublasGetVersion_v2(Handle *handle, int *version) {
    *version = 120403;
    return handle ? SUCCESS : NOT_INITIALIZED;
}
#endif

static double load(const void *p, int type, long i) {
    switch (type) {
    case R_32F: return ((const float *) p)[i];
    case R_64F: return ((const double *) p)[i];
    case R_16F: return (double) ((const _Float16 *) p)[i];
    default: {
        uint32_t bits = (uint32_t) ((const uint16_t *) p)[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    }
}

static void store(void *p, int type, long i, double v) {
    switch (type) {
    case R_32F: ((float *) p)[i] = (float) v; return;
    case R_64F: ((double *) p)[i] = v; return;
    case R_16F: ((_Float16 *) p)[i] = (_Float16) (float) v; return;
    default: {
        float value = (float) v;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        ((uint16_t *) p)[i] = value != value ? 0x7FC0 : (uint16_t) ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
    }
}

static long at(int transposed, long i, long j, int ld) { return transposed ? j + i * ld : i + j * ld; }

static long most(long a, long b) { return a > b ? a : b; }

int cublasGemmStridedBatchedEx(
        Handle *handle, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int a_type, int lda,
        long long a_stride, const void *b, int b_type, int ldb, long long b_stride, const void *beta, void *c, int c_type,
        int ldc, long long c_stride, int batch, int compute, int algorithm) {
    calls++;
    last_compute = compute;
    last_math = handle->math;
    if (next_status) {
        int status = next_status;
        next_status = 0;
        return status;
    }
    if (m < 0 || n < 0 || k < 0 || batch < 0 || lda < most(1, ta ? k : m) || ldb < most(1, tb ? n : k) || ldc < most(1, m)) {
        return INVALID_VALUE;
    }
    int wide = compute == COMPUTE_64F;
    if (a_type != b_type || a_type != c_type || wide != (a_type == R_64F) || algorithm != -1
            || (!wide && compute != COMPUTE_32F && compute != COMPUTE_32F_FAST_TF32)) {
        return NOT_SUPPORTED;
    }
    double scale = wide ? *(const double *) alpha : *(const float *) alpha;
    double keep = wide ? *(const double *) beta : *(const float *) beta;
    void *driver = handle->stream ? dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (driver) {
        int (*synchronize)(void *) = (int (*)(void *)) dlsym(driver, "cuStreamSynchronize");
        if (synchronize && synchronize(handle->stream)) {
            return NOT_INITIALIZED;
        }
    }
    for (long p = 0; p < batch; p++) {
        for (long j = 0; j < n; j++) {
            for (long i = 0; i < m; i++) {
                double sum = 0;
                for (long l = 0; l < k; l++) {
                    double product = load(a, a_type, p * a_stride + at(ta, i, l, lda))
                            * load(b, b_type, p * b_stride + at(tb, l, j, ldb));
                    sum = wide ? sum + product : (double) ((float) sum + (float) product);
                }
                long to = p * c_stride + i + j * ldc;
                store(c, c_type, to, scale * sum + (keep != 0 ? keep * load(c, c_type, to) : 0));
            }
        }
    }
    return SUCCESS;
}

int cublasGemmEx(
        Handle *handle, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int a_type, int lda,
        const void *b, int b_type, int ldb, const void *beta, void *c, int c_type, int ldc, int compute, int algorithm) {
    return cublasGemmStridedBatchedEx(
            handle, ta, tb, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0, beta, c, c_type, ldc, 0, 1, compute,
            algorithm);
}
