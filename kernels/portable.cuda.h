// The words of the shared kernels in CUDA C++.
#define KERNEL ENTRY_KERNEL
#define ENTRY_KERNEL extern "C" __global__
// The most threads of a block, and where given how many blocks a multiprocessor has at least.
#define LIMITED_KERNEL(...) extern "C" __global__ __launch_bounds__(__VA_ARGS__)
#define CLUSTER_KERNEL(cluster, ...) extern "C" __global__ __launch_bounds__(__VA_ARGS__) __cluster_dims__(cluster, 1, 1)
#define OTHER_KERNEL static __device__
// What follows each kernel: nothing for PTX, a registration in native-tests.
#ifndef ENTRY
#define ENTRY(name, block)
#define ENTRY_CLUSTER(name, block, cluster)
#endif
#define GLOBAL
#define LOCAL __shared__
#define INLINE static __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define ROLLED _Pragma("unroll 1")
#define UNROLL_4 _Pragma("unroll 4")
#define TO_LOCAL
#define HAS_WARPS
#define PAIRED alignas(2 * sizeof(Real))
#define BARRIER() __syncthreads()
#define THREAD ((int) threadIdx.x)
#define GROUP ((long) blockIdx.x)

// NVRTC, which compiles users' kernels, has no headers of C.
#ifdef __CUDACC_RTC__
#define INFINITY __int_as_float(0x7F800000)
#endif

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;

#define BITS_F32(x) __float_as_int(x)
#define F32_BITS(x) __int_as_float(x)
#define BITS_F64(x) __double_as_longlong(x)
#define F64_BITS(x) __longlong_as_double(x)
#define MULHI_U32(a, b) __umulhi((uint) (a), (uint) (b))

#define ATOMIC_MIN(p, v) atomicMin(p, v)
#define ATOMIC_CAS(p, expected, v) atomicCAS(p, expected, v)
#define ATOMIC_INC(p) atomicAdd(p, 1u)
#define ATOMIC_LOCAL_SET(p) atomicExch(p, 1)

#define HALF_TO_F32(bits) half_to_f32(bits)
INLINE float half_to_f32(ushort bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
}
INLINE ushort f32_to_half(float x) {
    ushort bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}

typedef float4 vec4_f32;
typedef int4 vec4_i32;
typedef ushort4 vec4_u16;
typedef uchar4 vec4_u8;
typedef long2 vec2_i64;
typedef double2 vec2_f64;

// ---- for overrides alone, which users' kernels are not
#ifndef __CUDACC_RTC__

// 2^x: with numbers below 2^-126, and with 0 in their place.
INLINE float EXP2(float x) {
    float y;
    asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
INLINE float EXP2_OR_ZERO(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// 1 / x of a number that is neither tiny nor huge. In float64 without the call that a division makes for the others: an
// approximation, made exact to the last bit or the one before by two steps of Newton's.
INLINE float RECIPROCAL(float x) { return 1.0f / x; }
INLINE double RECIPROCAL(double x) {
    double r;
    asm("rcp.approx.ftz.f64 %0, %1;" : "=d"(r) : "d"(x));
    r = fma(r, fma(-x, r, 1.0), r);
    return fma(r, fma(-x, r, 1.0), r);
}

// Four words to a multiple of 16 in global memory. Of an assignment the compiler may make four stores.
INLINE void store_words(int4 *p, const uint *w) {
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)),
                 "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3])
                 : "memory");
}

INLINE void store_vector(float4 *p, float4 x) {
    asm volatile("st.global.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)),
                 "f"(x.x), "f"(x.y), "f"(x.z), "f"(x.w)
                 : "memory");
}
INLINE void store_vector(int4 *p, int4 x) {
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)),
                 "r"(x.x), "r"(x.y), "r"(x.z), "r"(x.w)
                 : "memory");
}
INLINE void store_vector(ushort4 *p, ushort4 x) {
    asm volatile("st.global.v4.b16 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)),
                 "h"(x.x), "h"(x.y), "h"(x.z), "h"(x.w)
                 : "memory");
}
INLINE void store_vector(uchar4 *p, uchar4 x) {
    uint word = (uint) x.x | (uint) x.y << 8 | (uint) x.z << 16 | (uint) x.w << 24;
    asm volatile("st.global.b32 [%0], %1;" ::"l"(__cvta_generic_to_global(p)), "r"(word) : "memory");
}
INLINE void store_vector(long2 *p, long2 x) {
    asm volatile("st.global.v2.b64 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(p)), "l"(x.x), "l"(x.y) : "memory");
}
INLINE void store_vector(double2 *p, double2 x) {
    asm volatile("st.global.v2.f64 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(p)), "d"(x.x), "d"(x.y) : "memory");
}
#define STORE_VECTOR(p, x) store_vector(p, x)

// Copies 16 bytes to a multiple of 16 in shared memory, from a multiple of 16 in global memory or, where nothing is there, as
// zeros; they have arrived after the wait, for other threads after a barrier that follows it.
INLINE void COPY_ASYNC(void *to, const void *from, int there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((uint) __cvta_generic_to_shared(to)),
                 "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
                 : "memory");
}
#define COPIES_WAIT() asm volatile("cp.async.wait_all;" ::: "memory")

// Two numbers as neighbours of a half type, the first one lower.
INLINE uint PACK_f16(float low, float high) {
    uint both;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}
INLINE uint PACK_bf16(float low, float high) {
    uint both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}

// Four matrices of 8 x 8 halves out of shared memory. Lane l names row l % 8 of matrix l / 8, 16 bytes; of each matrix it gets
// elements 2 (l % 4) and the next of row l / 4, or, turned, of column l / 4.
INLINE void LOAD_MATRICES(uint *m, const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
                 : "r"((uint) __cvta_generic_to_shared(row))
                 : "memory");
}
INLINE void LOAD_MATRICES_TURNED(uint *m, const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
                 : "r"((uint) __cvta_generic_to_shared(row))
                 : "memory");
}

// d += a b by a warp: 16 x 16 by 16 x 8, in float32. With g = lane / 4 and t = lane % 4 a lane has of a rows g, g + 8, g, g + 8 at
// columns 2t, 2t, 2t + 8, 2t + 8 and the next; of b rows 2t, 2t + 8 and the next at column g; of d rows g, g, g + 8, g + 8 at
// columns 2t, 2t + 1, 2t, 2t + 1.
#define MULTIPLY_(T) \
    asm("mma.sync.aligned.m16n8k16.row.col.f32." #T "." #T ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, " \
        "{%0, %1, %2, %3};" \
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
INLINE void MULTIPLY_f16(float *d, const uint *a, const uint *b) { MULTIPLY_(f16); }
INLINE void MULTIPLY_bf16(float *d, const uint *a, const uint *b) { MULTIPLY_(bf16); }

// The dynamic shared memory of the launch, as elements of a type.
#define DYNAMIC_SHARED(type) ((type *) dynamic_shared)
extern __shared__ int4 dynamic_shared[];

// The barrier of a cluster, in one or in its two halves, which release and acquire; the address in block `rank` of what is at p in this block's shared memory.
#define CLUSTER_ARRIVE() asm volatile("barrier.cluster.arrive.aligned;" ::: "memory")
#define CLUSTER_WAIT() asm volatile("barrier.cluster.wait.aligned;" ::: "memory")
#define CLUSTER_BARRIER() (cluster_barrier())
#define CLUSTER_MAP(p, rank) (cluster_map(p, rank))
static __device__ __forceinline__ void cluster_barrier() {
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
}
template <class T> static __device__ __forceinline__ T *cluster_map(T *p, int rank) {
    T *there;
    asm("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(p), "r"(rank));
    return there;
}
#endif
