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
// One of which so many blocks of 256 shall find room on a multiprocessor: for that the compiler spares registers.
#define KERNEL_SHARING(blocks) extern "C" __global__ void __launch_bounds__(256, blocks)
#define DEVICE static __device__ inline __attribute__((always_inline))
// A function that is called: for what is rare and would make every kernel long.
#define DEVICE_APART static __device__ __attribute__((noinline))
// An array that the threads of a block share, at a multiple of 16 bytes; its contents are undefined at first.
#define SHARED(type, name, count) __shared__ __attribute__((aligned(16))) type name[count]
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

// MARK: From Ampere (sm_80) on: for the kernels of card_tiles.cu

// Two numbers rounded to bfloat16, or to float16, the first in the low half.
DEVICE uint32_t narrow_pair(float first, float second) {
  uint32_t y;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(second), "f"(first));
  return y;
}

DEVICE uint32_t narrow_pair_float16(float first, float second) {
  uint32_t y;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(second), "f"(first));
  return y;
}

// d[16, 8] += a[16, 16]·b[16, 8], bfloat16 or float16 to float32, by a warp. With g = lane / 4 and t = lane % 4, a's word r holds row
// g + 8·(r & 1), columns 2t + 8·(r / 2) and the next; b's word r rows 2t + 8r and the next of column g; d's element i is
// row g + 8·(i / 2), column 2t + (i & 1).
#define MULTIPLY_TILE(name, type)                                                                                         \
  DEVICE void name(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {                                     \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, " \
                 "{%0, %1, %2, %3};"                                                                                      \
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                         \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                                         \
  }
MULTIPLY_TILE(multiply_tile, "bf16")
MULTIPLY_TILE(multiply_tile_float16, "f16")
#undef MULTIPLY_TILE

// A shared array's address as the instructions below take it.
DEVICE uint32_t shared_address(const void *p) {
  return (uint32_t)(uint64_t)(__attribute__((address_space(3))) const void *)p;
}

// Four matrices [8, 8] of 16 bits from shared memory by a warp: lane 8m + i names row i of matrix m, 16 bytes at a multiple
// of 16. Word m of each lane becomes elements 2·(lane % 4) and the next of row lane / 4 of matrix m; transposed, rows
// 2·(lane % 4) and the next of column lane / 4.
DEVICE void load_tiles(uint32_t (&words)[4], const uint16_t *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(shared_address(row))
               : "memory");
}
DEVICE void load_tiles_transposed(uint32_t (&words)[4], const uint16_t *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(shared_address(row))
               : "memory");
}

// 16 bytes of the card's memory, at a multiple of 16, that nobody writes and nobody reads again soon. With them come the others of
// their 128 to the cache that all multiprocessors share.
template <class Words>
DEVICE Words read_streamed(const void *from) {
  Words y;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(y.words[0]), "=r"(y.words[1]), "=r"(y.words[2]), "=r"(y.words[3])
               : "l"(from));
  return y;
}

// Copies 16 bytes to shared memory, both at a multiple of 16, some time before `wait_for_copies` returns; where nothing is
// there, they become 0 and `from` is not read.
DEVICE void copy_later(void *to, const void *from, bool there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(there ? 16 : 0)
               : "memory");
}
// Ends a group of this thread's copies.
DEVICE void end_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits for this thread's copies but those of the newest `newer` groups; a barrier then shows them to the other threads.
template <int newer>
DEVICE void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(newer) : "memory");
}
#endif
