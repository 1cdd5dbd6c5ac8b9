// The names of Sources/C/Card/kernels/language.h for the processor: a kernel becomes a C++ function, a thread a fiber.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fibers.h"

// Rounded as the source says.
#pragma clang fp contract(off)

#define THREAD_X (emulator::self.thread)
#define THREADS_X (emulator::self.threads)
#define BLOCK_X (emulator::self.block_x)
#define BLOCK_Y (emulator::self.block_y)
#define GRID_X (emulator::self.grid_x)
#define GRID_Y (emulator::self.grid_y)

#define KERNEL static void __attribute__((unused))
#define DEVICE static inline __attribute__((unused))
#define DEVICE_APART DEVICE
#define SHARED(type, name, count)     \
  static const char name##_place = 0; \
  type *name = (type *)emulator::shared(&name##_place, sizeof(type) * (count))
#define ADDRESS(type, number) ((type *)emulator::untagged((void *)(number)))

DEVICE void barrier() { emulator::wait_block(); }
DEVICE uint32_t lane() { return THREAD_X & 31; }
DEVICE uint32_t float_bits(float x) {
  uint32_t y;
  memcpy(&y, &x, 4);
  return y;
}
DEVICE float bits_float(uint32_t x) {
  float y;
  memcpy(&y, &x, 4);
  return y;
}
DEVICE float shuffle_xor(float x, int bits) { return emulator::exchange(x)[lane() ^ (uint32_t)bits]; }

DEVICE float exp2_fast(float x) { return exp2f(x); }
DEVICE float log2_fast(float x) { return log2f(x); }
DEVICE float reciprocal_fast(float x) { return 1 / x; }
DEVICE float square_root(float x) { return sqrtf(x); }
DEVICE float fused(float a, float b, float c) { return fmaf(a, b, c); }

DEVICE float widen_float16(uint16_t x) {
  uint32_t sign = (uint32_t)(x & 0x8000) << 16, magnitude = x & 0x7fff;
  if (magnitude >= 0x7c00) return bits_float(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  return bits_float(sign | float_bits(bits_float(magnitude << 13) * 0x1p112f));  // also right for subnormals
}
DEVICE uint16_t narrow_float16(float x) {
  uint32_t bits = float_bits(x) & 0x7fffffff, sign = float_bits(x) >> 16 & 0x8000;
  if (bits > 0x7f800000) return 0x7fff;                                      // NaN, as cvt.rn.f16.f32 writes it
  if (bits >= 0x477ff000) return (uint16_t)(sign | 0x7c00);                  // 65,520 and more
  if (bits < 0x38800000)                                                     // below 2⁻¹⁴
    return (uint16_t)(sign | (float_bits(bits_float(bits) + 0.5f) - 0x3f000000));
  return (uint16_t)(sign | (bits + 0xc8000fff + (bits >> 13 & 1)) >> 13);
}
