// The language of the kernels: what a kernel may use beside plain C++17 without headers.
//
// One source, two compilers. For an NVIDIA card this file names CUDA's keywords and a dozen instructions in inline PTX, so
// that no header, no libdevice and no other file of CUDA's toolkit is needed: a plain clang with the NVPTX target takes it.
// For tests the same names come from the emulator (Tests/CardEmulator), and a kernel is a C++ function.
#pragma once

#if defined(FIREFLY_EMULATED)
#include "emulated_language.h"
#else

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef int int32_t;
typedef long long int64_t;

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define THREAD_X ((uint32_t)__nvvm_read_ptx_sreg_tid_x())
#define THREADS_X ((uint32_t)__nvvm_read_ptx_sreg_ntid_x())
#define BLOCK_X ((uint32_t)__nvvm_read_ptx_sreg_ctaid_x())
#define BLOCK_Y ((uint32_t)__nvvm_read_ptx_sreg_ctaid_y())
#define GRID_X ((uint32_t)__nvvm_read_ptx_sreg_nctaid_x())
#define GRID_Y ((uint32_t)__nvvm_read_ptx_sreg_nctaid_y())

// At most 256 threads a block: CARD_THREADS.
#define KERNEL extern "C" __global__ void __launch_bounds__(256)
#define DEVICE static __device__ inline __attribute__((always_inline))
// A function that is called: for what is rare and would make every kernel long.
#define DEVICE_APART static __device__ __attribute__((noinline))
// An array that the threads of a block share; its contents are undefined at first.
#define SHARED(type, name, count) __shared__ type name[count]
// Memory that a kernel knows only by a number it has read.
#define ADDRESS(type, number) ((type *)(number))

// All threads of the block.
DEVICE void barrier() { asm volatile("bar.sync 0;" ::: "memory"); }
DEVICE uint32_t lane() { return THREAD_X & 31; }

DEVICE uint32_t float_bits(float x) {
  uint32_t y;
  asm("mov.b32 %0, %1;" : "=r"(y) : "f"(x));
  return y;
}
DEVICE float bits_float(uint32_t x) {
  float y;
  asm("mov.b32 %0, %1;" : "=f"(y) : "r"(x));
  return y;
}
// x of the lane whose number differs in these bits; by all 32 lanes of a warp.
DEVICE float shuffle_xor(float x, int bits) {
  uint32_t y;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=r"(y) : "r"(float_bits(x)), "r"(bits));
  return bits_float(y);
}

DEVICE float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE float log2_fast(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// 1/x within a unit of the last place or two; 0 where that is below 2⁻¹²⁶.
DEVICE float reciprocal_fast(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE float square_root(float x) {
  float y;
  asm("sqrt.rn.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE float fused(float a, float b, float c) {
  float y;
  asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(y) : "f"(a), "f"(b), "f"(c));
  return y;
}
DEVICE float widen_float16(uint16_t x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
  return y;
}
DEVICE uint16_t narrow_float16(float x) {
  uint16_t y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}
#endif
