// The words of the shared kernels in C++17, for the executor of native-tests/host. Built with FP64.
//
// C++ has no storage that belongs to a block, so native-tests/host/expand.sh rewrites `LOCAL type name[sizes];` as
// LOCAL_ARRAY(type, name, [sizes]); and drops the word from casts. A LOCAL that is left does not compile.
#ifdef __GNUC__
#include <math.h>

#include "host.h"
#endif

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
static_assert(sizeof(long) == 8, "kernels count on longs of 64 bits");

#define KERNEL ENTRY_KERNEL
#define ENTRY_KERNEL static
#define LIMITED_KERNEL(...) static
#define CLUSTER_KERNEL(...) static
#define OTHER_KERNEL inline
#define GLOBAL
#define INLINE __attribute__((unused)) static inline
#define UNROLL
#define ROLLED
#define UNROLL_4
#define TO_LOCAL
#define HAS_WARPS
#define PAIRED alignas(2 * sizeof(Real))
#define BARRIER() host::barrier(__COUNTER__, __LINE__)
#define THREAD ((int) host::place->thread.x)
#define GROUP ((long) host::place->block.x)

#define LOCAL_ARRAY(type, name, sizes) LOCAL_ARRAY_(type, name, sizes, __COUNTER__)
#define LOCAL_ARRAY_(type, name, sizes, site) LOCAL_ARRAY__(type, name, sizes, site)
#define LOCAL_ARRAY__(type, name, sizes, site) \
    typedef type shared_type_##site sizes; \
    shared_type_##site &name = host::shared<shared_type_##site>(site)

// After the namespace of a variant: makes it known by its name, for blocks of BLOCK threads and clusters of CLUSTER.
#define ENTRY(NAME, BLOCK) ENTRY_CLUSTER(NAME, BLOCK, 1)
#define ENTRY_CLUSTER(NAME, BLOCK, CLUSTER) \
    namespace NAME { \
    typedef host::Thunk<decltype(&NAME)> host_thunk; \
    static const host::Entry host_entry = { \
        #NAME, BLOCK, CLUSTER, host_thunk::count, host_thunk::sizes, &host_thunk::call<&NAME>}; \
    static const host::Registration host_registration(&host_entry); \
    }

#define BITS_F32(x) host::fromBits<int>(host::toBits((float) (x)))
#define F32_BITS(x) host::fromBits<float>(host::toBits((int) (x)))
#define BITS_F64(x) host::fromBits<long>(host::toBits((double) (x)))
#define F64_BITS(x) host::fromBits<double>(host::toBits((long) (x)))
#define MULHI_U32(a, b) ((uint) ((ulong) (uint) (a) * (uint) (b) >> 32))

#define ATOMIC_MIN(p, v) atomic_min_u32(p, v)
#define ATOMIC_CAS(p, expected, v) atomic_cas_u32(p, expected, v)
#define ATOMIC_INC(p) __atomic_fetch_add(p, 1u, __ATOMIC_RELAXED)
#define ATOMIC_LOCAL_SET(p) __atomic_exchange_n(p, 1, __ATOMIC_RELAXED)
INLINE uint atomic_cas_u32(uint *p, uint expected, uint v) {
    __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return expected;
}
INLINE uint atomic_min_u32(uint *p, uint v) {
    uint before = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (v < before && !__atomic_compare_exchange_n(p, &before, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return before;
}

// IEEE 754 half precision, rounded to nearest even; a NaN stays one and becomes quiet.
#define HALF_TO_F32(bits) half_to_f32(bits)
INLINE float half_to_f32(ushort half) {
    uint sign = (uint) (half & 0x8000) << 16;
    uint magnitude = half & 0x7FFF;
    if (magnitude >= 0x7C00) {
        return F32_BITS(sign | 0x7F800000 | (magnitude & 0x3FF) << 13 | (magnitude > 0x7C00 ? 0x400000 : 0));
    }
    if (magnitude >= 0x400) {
        return F32_BITS(sign | ((magnitude << 13) + (112 << 23)));
    }
    float small = (float) magnitude * 0x1p-24f;
    return sign ? -small : small;
}
INLINE ushort f32_to_half(float x) {
    uint bits = (uint) BITS_F32(x);
    uint sign = bits >> 16 & 0x8000;
    uint magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
        return (ushort) (sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
    }
    if (magnitude >= 0x477FF000) {
        return (ushort) (sign | 0x7C00);
    }
    if (magnitude >= 0x38800000) {
        uint rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
        return (ushort) (sign | ((rounded - (112 << 23)) >> 13));
    }
    // Below the smallest normal half: adding 0.5 leaves the half's bits at the end of the sum, rounded.
    return (ushort) (sign | ((uint) BITS_F32(F32_BITS(magnitude) + 0.5f) - 0x3F000000));
}

// Accurate, not fast: one turn is 2.
INLINE double sinpi(double x) { return (double) sinl(3.14159265358979323846264338327950288L * (long double) remainder(x, 2.0)); }
INLINE double cospi(double x) { return (double) cosl(3.14159265358979323846264338327950288L * (long double) remainder(x, 2.0)); }
INLINE float sinpi(float x) { return (float) sinpi((double) x); }
INLINE float cospi(float x) { return (float) cospi((double) x); }

struct __attribute__((aligned(16), may_alias)) vec4_f32 { float x, y, z, w; };
struct __attribute__((aligned(16), may_alias)) vec4_i32 { int x, y, z, w; };
struct __attribute__((aligned(8), may_alias)) vec4_u16 { ushort x, y, z, w; };
struct __attribute__((aligned(4), may_alias)) vec4_u8 { uchar x, y, z, w; };
struct __attribute__((aligned(16), may_alias)) vec2_i64 { long x, y; };
struct __attribute__((aligned(16), may_alias)) vec2_f64 { double x, y; };

// Neighbours that a thread of a CPU takes at once.
namespace host {
template <class T, int N> struct Vector {
    T v[N];
    Vector() = default;
    explicit Vector(T all) {
        for (T &each : v) {
            each = all;
        }
    }
    explicit Vector(int all) : Vector((T) all) {}
};
template <class T, int N> Vector<T, N> fma(const Vector<T, N> &a, const Vector<T, N> &b, const Vector<T, N> &c) {
    Vector<T, N> r;
    for (int i = 0; i < N; i++) {
        r.v[i] = ::fma(a.v[i], b.v[i], c.v[i]);
    }
    return r;
}
}  // namespace host
#define VECTOR_f32 host::Vector<float, LANES>
#define VECTOR_f16 VECTOR_f32
#define VECTOR_bf16 VECTOR_f32
#define VECTOR_f64 host::Vector<double, LANES>
#define VECTOR_OF(T) CAT(VECTOR_, T)

// ---- the words of CUDA that its own kernels use

#define threadIdx (host::place->thread)
#define blockIdx (host::place->block)
#define gridDim (host::place->blocks)
#define blockDim (host::place->threads)
#define warpSize 32
#define __syncthreads() host::barrier(__COUNTER__, __LINE__)
#define __syncthreads_count(v) host::barrierCount(__COUNTER__, __LINE__, v)
INLINE void __syncwarp(uint mask = 0xFFFFFFFFu) {
    ulong all[32];
    host::exchange(host::WarpOp::sync, mask, 0, all);
}
template <class T> T __shfl_sync(uint mask, T v, int from, int width = 32) {
    return host::shuffle(mask, v, from & (width - 1), width);
}
template <class T> T __shfl_xor_sync(uint mask, T v, int lanes, int width = 32) {
    return host::shuffle(mask, v, (host::lane() & (width - 1)) ^ lanes, width);
}
template <class T> T __shfl_up_sync(uint mask, T v, uint lanes, int width = 32) {
    return host::shuffle(mask, v, (host::lane() & (width - 1)) - (int) lanes, width);
}
template <class T> T __shfl_down_sync(uint mask, T v, uint lanes, int width = 32) {
    return host::shuffle(mask, v, (host::lane() & (width - 1)) + (int) lanes, width);
}
INLINE uint __ballot_sync(uint mask, int predicate) {
    ulong all[32];
    uint took = host::exchange(host::WarpOp::vote, mask, predicate != 0, all);
    uint votes = 0;
    for (int i = 0; i < 32; i++) {
        votes |= (took >> i & 1 && all[i] != 0 ? 1u : 0u) << i;
    }
    return votes;
}
INLINE int __any_sync(uint mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
INLINE int __all_sync(uint mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

// 2^x: with numbers below 2^-126, and with 0 in their place.
INLINE float EXP2(float x) { return exp2f(x); }
INLINE float EXP2_OR_ZERO(float x) { return x < -126 ? 0 : exp2f(x); }
INLINE float RECIPROCAL(float x) { return 1 / x; }
INLINE double RECIPROCAL(double x) { return 1 / x; }
INLINE void store_words(vec4_i32 *p, const uint *w) {
    vec4_i32 x = {(int) w[0], (int) w[1], (int) w[2], (int) w[3]};
    *p = x;
}

// Copies 16 bytes between multiples of 16, or where nothing is there makes zeros of them. What is copied has arrived at once.
INLINE void COPY_ASYNC(void *to, const void *from, int there) {
    vec4_i32 x = {0, 0, 0, 0};
    *(vec4_i32 *) to = there ? *(const vec4_i32 *) from : x;
}
#define COPIES_WAIT() ((void) 0)

// Two numbers as neighbours of a half type, the first one lower. common.h, which rounds to bfloat16, comes later.
INLINE uint PACK_f16(float low, float high) { return (uint) f32_to_half(high) << 16 | f32_to_half(low); }
#define PACK_bf16(low, high) ((uint) f32_to_bf16(high) << 16 | f32_to_bf16(low))

// Four matrices of 8 x 8 halves. Lane l names row l % 8 of matrix l / 8, 16 bytes; of each matrix it gets elements 2 (l % 4) and
// the next of row l / 4, or, turned, of column l / 4.
INLINE void host_matrices(uint *m, const void *row, bool turned) {
    ulong rows[32];
    host::exchange(host::WarpOp::matrices, 0xFFFFFFFFu, (ulong) row, rows);
    for (int i = 0; i < 4; i++) {
        m[i] = 0;
        for (int j = 0; j < 2; j++) {
            int along = host::lane() / 4, across = 2 * (host::lane() % 4) + j;
            const ushort *from = (const ushort *) rows[8 * i + (turned ? across : along)];
            m[i] |= (uint) from[turned ? along : across] << 16 * j;
        }
    }
}
INLINE void LOAD_MATRICES(uint *m, const void *row) { host_matrices(m, row, false); }
INLINE void LOAD_MATRICES_TURNED(uint *m, const void *row) { host_matrices(m, row, true); }

// d += a b by a warp: 16 x 16 by 16 x 8, in float32. With g = lane / 4 and t = lane % 4 a lane has of a rows g, g + 8, g, g + 8 at
// columns 2t, 2t, 2t + 8, 2t + 8 and the next; of b rows 2t, 2t + 8 and the next at column g; of d rows g, g, g + 8, g + 8 at
// columns 2t, 2t + 1, 2t, 2t + 1.
template <float wide(ushort)> void host_multiply(float *d, const uint *a, const uint *b) {
    ulong near[32], far[32], other[32];
    host::exchange(host::WarpOp::matrices, 0xFFFFFFFFu, (ulong) a[1] << 32 | a[0], near);
    host::exchange(host::WarpOp::matrices, 0xFFFFFFFFu, (ulong) a[3] << 32 | a[2], far);
    host::exchange(host::WarpOp::matrices, 0xFFFFFFFFu, (ulong) b[1] << 32 | b[0], other);
    int g = host::lane() / 4, t = host::lane() % 4;
    float x[2][16], y[2][16];
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 16; k++) {
            int pair = k % 8 / 2;
            x[i][k] = wide((ushort) ((k < 8 ? near : far)[4 * g + pair] >> (32 * i + 16 * (k % 2))));
            y[i][k] = wide((ushort) (other[4 * (2 * t + i) + pair] >> (32 * (k / 8) + 16 * (k % 2))));
        }
    }
    for (int i = 0; i < 4; i++) {
        double sum = d[i];
        for (int k = 0; k < 16; k++) {
            sum += (double) x[i / 2][k] * (double) y[i % 2][k];
        }
        d[i] = (float) sum;
    }
}
INLINE void MULTIPLY_f16(float *d, const uint *a, const uint *b) { host_multiply<half_to_f32>(d, a, b); }
#define MULTIPLY_bf16(d, a, b) host_multiply<bf16_to_f32>(d, a, b)

#define CLUSTER_RANK ((int) host::place->clusterRank)
#define CLUSTER_SIZE ((int) host::place->clusterSize)
#define CLUSTER_BARRIER() host::clusterBarrier()
#define CLUSTER_ARRIVE() host::clusterArrive()
#define CLUSTER_WAIT() host::clusterWait()
// The address in block `rank` of the cluster of what is at p in this block's shared memory.
#define CLUSTER_MAP(p, rank) host::mapShared(p, rank)
// The dynamic shared memory of the launch, as elements of a type.
#define DYNAMIC_SHARED(type) ((type *) host::dynamicShared())
