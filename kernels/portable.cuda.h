// The words of the shared kernels in CUDA C++.
#define KERNEL ENTRY_KERNEL
#define ENTRY_KERNEL extern "C" __global__
#define OTHER_KERNEL static __device__
// What follows each kernel: nothing for PTX, a registration in native-tests.
#ifndef ENTRY
#define ENTRY(name, block)
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
