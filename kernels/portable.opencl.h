// The words of the shared kernels in OpenCL C 1.2.
#pragma OPENCL FP_CONTRACT OFF
#ifdef FP64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define KERNEL kernel __attribute__((reqd_work_group_size(BLOCK, 1, 1)))
#define GLOBAL global
#define LOCAL local
// Of the first of two numbers that are loaded as one.
#define PAIRED
// Of a pointer to local memory.
#define TO_LOCAL local
#define INLINE static inline
#define UNROLL _Pragma("unroll")
#define ROLLED
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define THREAD ((int) get_local_id(0))
// Launches of more threads than a driver counts come in several, each from an offset on.
#define GROUP ((long) (get_group_id(0) + get_global_offset(0) / BLOCK))

#define BITS_F32(x) as_int(x)
#define F32_BITS(x) as_float(x)
#ifdef FP64
#define BITS_F64(x) as_long(x)
#define F64_BITS(x) as_double(x)
#endif
#define MULHI_U32(a, b) mul_hi((uint) (a), (uint) (b))

#define ATOMIC_MIN(p, v) atomic_min(p, v)
#define ATOMIC_CAS(p, expected, v) atomic_cmpxchg(p, expected, v)
#define ATOMIC_INC(p) atomic_inc(p)
#define ATOMIC_LOCAL_SET(p) atomic_xchg(p, 1)

// Conversions of half precision are part of OpenCL C even where its arithmetic is not.
#define HALF_TO_F32(bits) as_half_bits(bits)
INLINE float as_half_bits(ushort bits) {
    ushort at = bits;
    return vload_half(0, (const half *) &at);
}
INLINE ushort f32_to_half(float x) {
    ushort bits;
    vstore_half_rte(x, 0, (half *) &bits);
    return bits;
}

#define EXP2(x) exp2(x)
#define EXP2_OR_ZERO(x) exp2(x)
#define RECIPROCAL(x) (1 / (x))

typedef float4 vec4_f32;
typedef int4 vec4_i32;
typedef ushort4 vec4_u16;
typedef uchar4 vec4_u8;
typedef long2 vec2_i64;
#ifdef FP64
typedef double2 vec2_f64;
#endif

INLINE void store_words(global int4 *p, const uint *w) { *p = (int4) ((int) w[0], (int) w[1], (int) w[2], (int) w[3]); }

// Vectors of a CPU. A GPU's threads are lanes themselves.
#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define VECTOR_f32 GLUE(float, LANES)
#define VECTOR_f16 VECTOR_f32
#define VECTOR_bf16 VECTOR_f32
#define VECTOR_f64 GLUE(double, LANES)
#define VECTOR_OF(T) CAT(VECTOR_, T)
