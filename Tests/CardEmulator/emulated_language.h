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
#define KERNEL_SHARING(blocks) KERNEL
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
DEVICE float shuffle_xor(float x, int bits) {
  float y;
  memcpy(&y, emulator::exchange(&x, 4) + (lane() ^ (uint32_t)bits) * emulator::slot_bytes, 4);
  return y;
}

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

// MARK: From Ampere on

DEVICE uint16_t emulated_narrow(float x) {
  uint32_t bits = float_bits(x);
  return x != x ? 0x7fff : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
DEVICE uint32_t narrow_pair(float first, float second) {
  return emulated_narrow(first) | (uint32_t)emulated_narrow(second) << 16;
}

DEVICE uint32_t narrow_pair_float16(float first, float second) {
  return narrow_float16(first) | (uint32_t)narrow_float16(second) << 16;
}

template <class Widen>
void emulated_multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, Widen widen) {
  uint32_t mine[6] = {a[0], a[1], a[2], a[3], b0, b1}, all[32][6];
  const unsigned char *given = emulator::exchange(mine, sizeof mine);
  for (int l = 0; l < 32; l++) memcpy(all[l], given + (size_t)l * emulator::slot_bytes, sizeof mine);
  auto element = [&](int of, int word, int half) { return widen((uint16_t)(all[of][word] >> 16 * half)); };
  for (int i = 0; i < 4; i++) {
    int row = (int)lane() / 4 + 8 * (i / 2), column = (int)lane() % 4 * 2 + (i & 1);
    float sum = 0;
    for (int k = 0; k < 16; k++) {
      int from = k % 8 / 2;
      sum += element(row % 8 * 4 + from, row / 8 + k / 8 * 2, k & 1) * element(column * 4 + from, 4 + k / 8, k & 1);
    }
    d[i] += sum;
  }
}
DEVICE void multiply_tile(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  emulated_multiply(d, a, b0, b1, [](uint16_t x) { return bits_float((uint32_t)x << 16); });
}
DEVICE void multiply_tile_float16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  emulated_multiply(d, a, b0, b1, widen_float16);
}

// Word m of a lane: two elements of matrix m, as `place` says: (row, column) of element `half`.
template <class Place>
void emulated_load(uint32_t (&words)[4], const uint16_t *row, Place place) {
  const uint16_t *rows[32];
  const unsigned char *given = emulator::exchange(&row, sizeof row);
  for (int l = 0; l < 32; l++) memcpy(&rows[l], given + (size_t)l * emulator::slot_bytes, sizeof row);
  for (int m = 0; m < 4; m++) {
    uint32_t halves[2];
    for (int half = 0; half < 2; half++) {
      auto at = place((int)lane(), half);
      halves[half] = rows[8 * m + at.row][at.column];
    }
    words[m] = halves[0] | halves[1] << 16;
  }
}
struct EmulatedPlace {
  int row, column;
};
DEVICE void load_tiles(uint32_t (&words)[4], const uint16_t *row) {
  emulated_load(words, row, [](int l, int half) { return EmulatedPlace{l / 4, l % 4 * 2 + half}; });
}
DEVICE void load_tiles_transposed(uint32_t (&words)[4], const uint16_t *row) {
  emulated_load(words, row, [](int l, int half) { return EmulatedPlace{l % 4 * 2 + half, l / 4}; });
}

template <class Words>
Words read_streamed(const void *from) {
  return *(const Words *)from;
}

DEVICE void copy_later(void *to, const void *from, bool there) { emulator::copy_later(to, there ? from : nullptr, 16); }
DEVICE void end_copies() { emulator::end_copies(); }
template <int newer>
void wait_for_copies() {
  emulator::wait_for_copies(newer);
}
