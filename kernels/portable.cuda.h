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
