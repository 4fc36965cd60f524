// What all kernels share: element types, where elements are, and the functions that C lacks.
//
// A kernel is compiled for one element type T, which is one of f32 f64 f16 bf16 i32 i64 b8, or u8 u16 u32 u64 where only
// the width matters. MEM is how an element is stored, REAL what it is computed in, ACC what sums of it are kept in. All
// scalar arguments of a kernel are one structure of longs: sizes, strides and offsets in elements, numbers as their bits.

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)

#define ID_f32 1
#define ID_f64 2
#define ID_f16 3
#define ID_bf16 4
#define ID_i32 5
#define ID_i64 6
#define ID_b8 7
#define ID_u8 8
#define ID_u16 9
#define ID_u32 10
#define ID_u64 11
#define ID(T) CAT(ID_, T)
#define IS_FLOAT(T) (ID(T) <= ID_bf16)

#define MEM_OF(T) CAT(mem_, T)
#define REAL_OF(T) CAT(real_, T)
#define ACC_OF(T) CAT(acc_, T)
#define LOAD_AS(T, p, i) CAT(load_, T)(p, i)
#define STORE_AS(T, p, i, v) CAT(store_, T)(p, i, v)

#define INF ((float) INFINITY)

typedef float mem_f32, real_f32, acc_f32;
#ifdef FP64
typedef double mem_f64, real_f64, acc_f64;
#endif
typedef ushort mem_f16, mem_bf16;
typedef float real_f16, acc_f16, real_bf16, acc_bf16;
typedef int mem_i32, real_i32;
typedef long acc_i32, mem_i64, real_i64, acc_i64, acc_b8;
typedef uchar mem_b8, mem_u8, real_u8;
typedef int real_b8;
typedef ushort mem_u16, real_u16;
typedef uint mem_u32, real_u32;
typedef ulong mem_u64, real_u64;

INLINE float load_f32(GLOBAL const mem_f32 *p, long i) { return p[i]; }
INLINE void store_f32(GLOBAL mem_f32 *p, long i, float v) { p[i] = v; }
INLINE float load_f16(GLOBAL const mem_f16 *p, long i) { return HALF_TO_F32(p[i]); }
INLINE void store_f16(GLOBAL mem_f16 *p, long i, float v) { p[i] = f32_to_half(v); }
INLINE int load_i32(GLOBAL const mem_i32 *p, long i) { return p[i]; }
INLINE void store_i32(GLOBAL mem_i32 *p, long i, int v) { p[i] = v; }
INLINE long load_i64(GLOBAL const mem_i64 *p, long i) { return p[i]; }
INLINE void store_i64(GLOBAL mem_i64 *p, long i, long v) { p[i] = v; }
INLINE int load_b8(GLOBAL const mem_b8 *p, long i) { return p[i] != 0; }
INLINE void store_b8(GLOBAL mem_b8 *p, long i, int v) { p[i] = v != 0; }
INLINE uchar load_u8(GLOBAL const mem_u8 *p, long i) { return p[i]; }
INLINE void store_u8(GLOBAL mem_u8 *p, long i, uchar v) { p[i] = v; }
INLINE ushort load_u16(GLOBAL const mem_u16 *p, long i) { return p[i]; }
INLINE void store_u16(GLOBAL mem_u16 *p, long i, ushort v) { p[i] = v; }
INLINE uint load_u32(GLOBAL const mem_u32 *p, long i) { return p[i]; }
INLINE void store_u32(GLOBAL mem_u32 *p, long i, uint v) { p[i] = v; }
INLINE ulong load_u64(GLOBAL const mem_u64 *p, long i) { return p[i]; }
INLINE void store_u64(GLOBAL mem_u64 *p, long i, ulong v) { p[i] = v; }

INLINE float bf16_to_f32(ushort bits) { return F32_BITS((int) ((uint) bits << 16)); }

INLINE ushort f32_to_bf16(float v) {
    uint bits = (uint) BITS_F32(v);
    if (v != v) {
        return (ushort) (bits >> 16 | 0x40);
    }
    return (ushort) ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

INLINE float load_bf16(GLOBAL const mem_bf16 *p, long i) { return bf16_to_f32(p[i]); }
INLINE void store_bf16(GLOBAL mem_bf16 *p, long i, float v) { p[i] = f32_to_bf16(v); }

#ifdef FP64
INLINE double load_f64(GLOBAL const mem_f64 *p, long i) { return p[i]; }
INLINE void store_f64(GLOBAL mem_f64 *p, long i, double v) { p[i] = v; }
#endif

// ---- four elements at once, in global memory, at a position that is a multiple of four

// Of an assignment CUDA's compiler makes a store for each element where a branch came before it.
#ifndef STORE_VECTOR
#define STORE_VECTOR(p, x) (*(p) = (x))
#endif

// Of elements that are computed with as they are stored: one vector V of four, or two of two.
#define FOUR_IN_ONE(T, V) \
    INLINE void load4_##T(GLOBAL const mem_##T *p, long i, real_##T *v) { \
        V x = *(GLOBAL const V *) (p + i); \
        v[0] = x.x, v[1] = x.y, v[2] = x.z, v[3] = x.w; \
    } \
    INLINE void store4_##T(GLOBAL mem_##T *p, long i, const real_##T *v) { \
        V x; \
        x.x = v[0], x.y = v[1], x.z = v[2], x.w = v[3]; \
        STORE_VECTOR((GLOBAL V *) (p + i), x); \
    }
#define FOUR_IN_TWO(T, V) \
    INLINE void load4_##T(GLOBAL const mem_##T *p, long i, real_##T *v) { \
        V x = *(GLOBAL const V *) (p + i); \
        V y = *(GLOBAL const V *) (p + i + 2); \
        v[0] = x.x, v[1] = x.y, v[2] = y.x, v[3] = y.y; \
    } \
    INLINE void store4_##T(GLOBAL mem_##T *p, long i, const real_##T *v) { \
        V x; \
        V y; \
        x.x = v[0], x.y = v[1], y.x = v[2], y.y = v[3]; \
        STORE_VECTOR((GLOBAL V *) (p + i), x); \
        STORE_VECTOR((GLOBAL V *) (p + i + 2), y); \
    }
FOUR_IN_ONE(f32, vec4_f32)
FOUR_IN_ONE(i32, vec4_i32)
FOUR_IN_ONE(u8, vec4_u8)
FOUR_IN_ONE(u16, vec4_u16)
FOUR_IN_ONE(u32, vec4_i32)
FOUR_IN_TWO(i64, vec2_i64)
FOUR_IN_TWO(u64, vec2_i64)
#ifdef FP64
FOUR_IN_TWO(f64, vec2_f64)
#endif
INLINE void load4_f16(GLOBAL const mem_f16 *p, long i, float *v) {
    vec4_u16 x = *(GLOBAL const vec4_u16 *) (p + i);
    v[0] = HALF_TO_F32(x.x), v[1] = HALF_TO_F32(x.y), v[2] = HALF_TO_F32(x.z), v[3] = HALF_TO_F32(x.w);
}
INLINE void store4_f16(GLOBAL mem_f16 *p, long i, const float *v) {
    vec4_u16 x;
    x.x = f32_to_half(v[0]), x.y = f32_to_half(v[1]), x.z = f32_to_half(v[2]), x.w = f32_to_half(v[3]);
    STORE_VECTOR((GLOBAL vec4_u16 *) (p + i), x);
}
INLINE void load4_bf16(GLOBAL const mem_bf16 *p, long i, float *v) {
    vec4_u16 x = *(GLOBAL const vec4_u16 *) (p + i);
    v[0] = bf16_to_f32(x.x), v[1] = bf16_to_f32(x.y), v[2] = bf16_to_f32(x.z), v[3] = bf16_to_f32(x.w);
}
INLINE void store4_bf16(GLOBAL mem_bf16 *p, long i, const float *v) {
    vec4_u16 x;
    x.x = f32_to_bf16(v[0]), x.y = f32_to_bf16(v[1]), x.z = f32_to_bf16(v[2]), x.w = f32_to_bf16(v[3]);
    STORE_VECTOR((GLOBAL vec4_u16 *) (p + i), x);
}
INLINE void load4_b8(GLOBAL const mem_b8 *p, long i, int *v) {
    vec4_u8 x = *(GLOBAL const vec4_u8 *) (p + i);
    v[0] = x.x != 0, v[1] = x.y != 0, v[2] = x.z != 0, v[3] = x.w != 0;
}
INLINE void store4_b8(GLOBAL mem_b8 *p, long i, const int *v) {
    vec4_u8 x;
    x.x = v[0] != 0, x.y = v[1] != 0, x.z = v[2] != 0, x.w = v[3] != 0;
    STORE_VECTOR((GLOBAL vec4_u8 *) (p + i), x);
}

// ---- bits of numbers in arguments

#define NUMBER_f32(bits) F32_BITS((int) (bits))
#define NUMBER_f16(bits) F32_BITS((int) (bits))
#define NUMBER_bf16(bits) F32_BITS((int) (bits))
#define NUMBER_f64(bits) F64_BITS(bits)
#define NUMBER_i32(bits) ((int) (bits))
#define NUMBER_i64(bits) (bits)
#define NUMBER_b8(bits) ((bits) != 0)
#define NUMBER_OF(T, bits) CAT(NUMBER_, T)(bits)

// ---- conversions

// A float that is odd where inexact: rounding it once more to a half type rounds the original once.
INLINE float step_to_zero(float v) { return F32_BITS(BITS_F32(v) - 1); }
INLINE float make_odd(float v) { return F32_BITS(BITS_F32(v) | 1); }

INLINE float odd_from_i64(long v) {
    float near = (float) v;
    if (near >= 9.2233720368547758e18f || (long) near == v) {
        return near;
    }
    long back = (long) near;
    int away = v > 0 ? back > v : back < v;
    return make_odd(away ? step_to_zero(near) : near);
}

#ifdef FP64
INLINE float odd_from_f64(double v) {
    float near = (float) v;
    if (v != v || (double) near == v) {
        return near;
    }
    if (near - near != 0) {
        // Beyond the largest float, half types overflow as well, whatever the last bit.
        return near;
    }
    int away = v > 0 ? (double) near > v : (double) near < v;
    return make_odd(away ? step_to_zero(near) : near);
}
#endif

// Truncated towards zero, the nearest there is where out of range, 0 for NaN.
INLINE int i32_from_f32(float v) {
    return v != v ? 0 : v >= 2147483648.0f ? 2147483647 : v <= -2147483648.0f ? -2147483647 - 1 : (int) v;
}
INLINE long i64_from_f32(float v) {
    return v != v ? 0
            : v >= 9.2233720368547758e18f ? 0x7FFFFFFFFFFFFFFFL
            : v <= -9.2233720368547758e18f ? -0x7FFFFFFFFFFFFFFFL - 1
                                           : (long) v;
}
#ifdef FP64
INLINE int i32_from_f64(double v) {
    return v != v ? 0 : v >= 2147483647.0 ? 2147483647 : v <= -2147483648.0 ? -2147483647 - 1 : (int) v;
}
INLINE long i64_from_f64(double v) {
    return v != v ? 0
            : v >= 9.2233720368547758e18 ? 0x7FFFFFFFFFFFFFFFL
            : v <= -9.2233720368547758e18 ? -0x7FFFFFFFFFFFFFFFL - 1
                                          : (long) v;
}
#endif

// ---- functions whose limits some devices miss by a little, which 1 + f(-inf) shows

INLINE float error_f32(float x) { return fabs(x) > 4.0f ? copysign(1.0f, x) : erf(x); }
#define error_f16 error_f32
#define error_bf16 error_f32
INLINE float tangent_f32(float x) { return fabs(x) > 10.0f ? copysign(1.0f, x) : tanh(x); }
#define tangent_f16 tangent_f32
#define tangent_bf16 tangent_f32
#ifdef FP64
INLINE double tangent_f64(double x) { return fabs(x) > 20.0 ? copysign(1.0, x) : tanh(x); }
INLINE double error_f64(double x) { return fabs(x) > 6.0 ? copysign(1.0, x) : erf(x); }
#endif

// ---- where elements are

#define RANK 8

// Element i of the row-major order of `rank` axes: adds its distance from element 0 to *at.
INLINE long element_at(long i, long rank, const long *sizes, const long *strides) {
    long at = 0;
    if (i < 0x7FFFFFFF) {
        uint rest = (uint) i;
        ROLLED
        for (int d = (int) rank - 1; d > 0; d--) {
            uint size = (uint) sizes[d];
            uint next = rest / size;
            at += (long) (rest - next * size) * strides[d];
            rest = next;
        }
        return at + (long) rest * strides[0];
    }
    ROLLED
    for (int d = (int) rank - 1; d > 0; d--) {
        long next = i / sizes[d];
        at += (i - next * sizes[d]) * strides[d];
        i = next;
    }
    return at + i * strides[0];
}

// ---- a flag for indices out of range

// launch: the first launch that met one; position: its first bad position; then what was met, as pairs.
#define FLAG_PAIRS 256
typedef struct {
    uint launch;
    uint position;
    uint count;
    uint unused;
    long pairs[2 * FLAG_PAIRS];
} Flag;

INLINE void report(GLOBAL Flag *flag, long launch, long position, long value) {
    uint owner = ATOMIC_CAS(&flag->launch, 0u, (uint) launch);
    if (owner != 0 && owner != (uint) launch) {
        return;
    }
    uint at = position < 0xFFFFFFFEL ? (uint) position : 0xFFFFFFFEu;
    uint before = ATOMIC_MIN(&flag->position, at);
    if (at < before) {
        uint slot = ATOMIC_INC(&flag->count);
        if (slot < FLAG_PAIRS) {
            flag->pairs[2 * slot] = position;
            flag->pairs[2 * slot + 1] = value;
        }
    }
}

// ---- random numbers

// Block `counter` of Philox 4x32-10 under a key: four words.
INLINE void philox_words(ulong counter, ulong key, uint *c) {
    uint k0 = (uint) key;
    uint k1 = (uint) (key >> 32);
    c[0] = (uint) counter;
    c[1] = (uint) (counter >> 32);
    c[2] = 0;
    c[3] = 0;
    for (int round = 0; round < 10; round++) {
        uint high0 = MULHI_U32(c[0], 0xD2511F53u);
        uint high1 = MULHI_U32(c[2], 0xCD9E8D57u);
        uint low0 = c[0] * 0xD2511F53u;
        uint low1 = c[2] * 0xCD9E8D57u;
        c[0] = high1 ^ c[1] ^ k0;
        c[1] = low1;
        c[2] = high0 ^ c[3] ^ k1;
        c[3] = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

// ---- rows on a CPU: a thread works on one, on lanes of LANES neighbours

#define SUM_OF(v, w) ((v) + (w))

// Joins the lanes of a thread into lane 0, by halves: a chain of LANES steps would be most of a short row's time.
#define FOLD(lane, join) \
    do { \
        for (int half_ = LANES / 2; half_ > 0; half_ /= 2) { \
            for (int k_ = 0; k_ < half_; k_++) { \
                lane[k_] = join(lane[k_], lane[k_ + half_]); \
            } \
        } \
    } while (0)

// Goes over the elements of a row: BODY(k, j) for lane k and element j.
#define ALONG(length, BODY) \
    do { \
        long j_ = 0; \
        for (; j_ + LANES <= (length); j_ += LANES) { \
            for (int k_ = 0; k_ < LANES; k_++) { \
                BODY(k_, j_ + k_); \
            } \
        } \
        for (int k_ = 0; k_ < LANES; k_++) { \
            if (j_ + k_ < (length)) { \
                BODY(k_, j_ + k_); \
            } \
        } \
    } while (0)
