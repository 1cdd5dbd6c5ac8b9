// Numbers and matrices of the kernels: the three types, four elements at a time, sums over a block.
#pragma once

#include "language.h"

// MARK: Types, equal to card_dtype

enum { FLOAT32 = 0, BFLOAT16 = 1, FLOAT16 = 2 };

DEVICE float widen_bfloat16(uint16_t x) { return bits_float((uint32_t)x << 16); }
// To nearest even; a NaN is 0x7fc0.
DEVICE uint16_t narrow_bfloat16(float x) {
  uint32_t bits = float_bits(x);
  if (x != x) return 0x7fc0;
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
DEVICE float widen(uint16_t x, int type) { return type == BFLOAT16 ? widen_bfloat16(x) : widen_float16(x); }
DEVICE uint16_t narrow(float x, int type) { return type == BFLOAT16 ? narrow_bfloat16(x) : narrow_float16(x); }
// x as a number of the type.
DEVICE float rounded(float x, int type) { return type == FLOAT32 ? x : widen(narrow(x, type), type); }

// MARK: Matrices, laid out as card_out and card_in

struct Out {
  void *at;
  int64_t stride;
  int32_t type;
};
struct In {
  const void *at;
  int64_t stride;
  int32_t type;
};
DEVICE In in(Out x) { return In{x.at, x.stride, x.type}; }

DEVICE float load(In x, int64_t row, int64_t column) {
  int64_t i = row * x.stride + column;
  return x.type == FLOAT32 ? ((const float *)x.at)[i] : widen(((const uint16_t *)x.at)[i], x.type);
}
DEVICE void store(Out x, int64_t row, int64_t column, float value) {
  int64_t i = row * x.stride + column;
  if (x.type == FLOAT32) {
    ((float *)x.at)[i] = value;
  } else {
    ((uint16_t *)x.at)[i] = narrow(value, x.type);
  }
}

// Runs the body for k below a constant, written out.
#define EACH(k, count) _Pragma("unroll") for (int k = 0; k < (count); k++)

// MARK: Four neighbours of a row, which move in one instruction where their address allows it

struct Four {
  float v[4];
};
struct alignas(16) Words4 {
  uint32_t words[4];
};
struct alignas(8) Words2 {
  uint32_t words[2];
};

// How many of four columns from `column` on there are.
DEVICE int four(int64_t column, int64_t columns) { return columns - column < 4 ? (int)(columns - column) : 4; }
DEVICE bool aligned(const void *p, uint32_t bytes) { return ((uint64_t)p & (bytes - 1)) == 0; }

DEVICE_APART Four load4_one_by_one(const void *at, int64_t i, int32_t type, int n) {
  In x = {at, 0, type};
  return Four{{n > 0 ? load(x, 0, i) : 0, n > 1 ? load(x, 0, i + 1) : 0, n > 2 ? load(x, 0, i + 2) : 0,
               n > 3 ? load(x, 0, i + 3) : 0}};
}
DEVICE_APART void store4_one_by_one(void *at, int64_t i, int32_t type, int n, float a, float b, float c, float d) {
  Out x = {at, 0, type};
  if (n > 0) store(x, 0, i, a);
  if (n > 1) store(x, 0, i + 1, b);
  if (n > 2) store(x, 0, i + 2, c);
  if (n > 3) store(x, 0, i + 3, d);
}

// Where the four lie at a multiple of their bytes.
DEVICE Four load4_at_once(In x, int64_t row, int64_t column) {
  Four y;
  int64_t i = row * x.stride + column;
  if (x.type == FLOAT32) {
    Words4 all = *(const Words4 *)((const float *)x.at + i);
    EACH(k, 4) y.v[k] = bits_float(all.words[k]);
  } else {
    Words2 all = *(const Words2 *)((const uint16_t *)x.at + i);
    EACH(k, 4) y.v[k] = widen((uint16_t)(all.words[k / 2] >> 16 * (k & 1)), x.type);
  }
  return y;
}
// The first n of four; the others are 0.
DEVICE Four load4(In x, int64_t row, int64_t column, int n) {
  int64_t i = row * x.stride + column;
  int bytes = x.type == FLOAT32 ? 4 : 2;
  if (n < 4 || !aligned((const char *)x.at + i * bytes, 4 * (uint32_t)bytes)) return load4_one_by_one(x.at, i, x.type, n);
  return load4_at_once(x, row, column);
}
DEVICE void store4(Out x, int64_t row, int64_t column, int n, Four y) {
  int64_t i = row * x.stride + column;
  if (x.type == FLOAT32) {
    float *p = (float *)x.at + i;
    if (n < 4 || !aligned(p, 16)) return store4_one_by_one(x.at, i, x.type, n, y.v[0], y.v[1], y.v[2], y.v[3]);
    Words4 all;
    EACH(k, 4) all.words[k] = float_bits(y.v[k]);
    *(Words4 *)p = all;
  } else {
    uint16_t *p = (uint16_t *)x.at + i;
    if (n < 4 || !aligned(p, 8)) return store4_one_by_one(x.at, i, x.type, n, y.v[0], y.v[1], y.v[2], y.v[3]);
    Words2 all;
    EACH(k, 2)
      all.words[k] = (uint32_t)narrow(y.v[2 * k], x.type) | (uint32_t)narrow(y.v[2 * k + 1], x.type) << 16;
    *(Words2 *)p = all;
  }
}

// The same with eight.
struct Eight {
  float v[8];
};

// Each as a number of the type.
DEVICE Eight rounded8(Eight x, int type) {
  if (type == BFLOAT16) {
    EACH(k, 8) x.v[k] = widen_bfloat16(narrow_bfloat16(x.v[k]));
  } else if (type == FLOAT16) {
    EACH(k, 8) x.v[k] = widen_float16(narrow_float16(x.v[k]));
  }
  return x;
}

// Whether every eight columns from a multiple of eight on can be moved at once.
DEVICE bool in_eights(In x, int64_t columns) { return ((x.stride | columns) & 7) == 0 && aligned(x.at, 16); }

// Of a matrix that is in_eights. Calls nothing: a call, even one that never happens, costs a kernel its registers.
DEVICE Eight load8_at_once(In x, int64_t row, int64_t column) {
  Eight y;
  const char *p = (const char *)x.at + (row * x.stride + column) * (x.type == FLOAT32 ? 4 : 2);
  if (x.type == FLOAT32) {
    Words4 low = ((const Words4 *)p)[0], high = ((const Words4 *)p)[1];
    EACH(k, 4) y.v[k] = bits_float(low.words[k]);
    EACH(k, 4) y.v[k + 4] = bits_float(high.words[k]);
  } else {
    Words4 all = *(const Words4 *)p;
    if (x.type == BFLOAT16) {
      EACH(k, 8) y.v[k] = widen_bfloat16((uint16_t)(all.words[k / 2] >> 16 * (k & 1)));
    } else {
      EACH(k, 8) y.v[k] = widen_float16((uint16_t)(all.words[k / 2] >> 16 * (k & 1)));
    }
  }
  return y;
}

DEVICE Eight load8(In x, int64_t row, int64_t column, int n) {
  int64_t i = row * x.stride + column;
  if (n == 8 && aligned((const char *)x.at + i * (x.type == FLOAT32 ? 4 : 2), 16)) return load8_at_once(x, row, column);
  Eight y;
  Four low = load4_one_by_one(x.at, i, x.type, n), high = load4_one_by_one(x.at, i + 4, x.type, n - 4);
  EACH(k, 4) y.v[k] = low.v[k];
  EACH(k, 4) y.v[k + 4] = high.v[k];
  return y;
}

DEVICE void store8(Out x, int64_t row, int64_t column, int n, Eight y) {
  int64_t i = row * x.stride + column;
  char *p = (char *)x.at + i * (x.type == FLOAT32 ? 4 : 2);
  if (n < 8 || !aligned(p, 16)) {
    store4_one_by_one(x.at, i, x.type, n, y.v[0], y.v[1], y.v[2], y.v[3]);
    store4_one_by_one(x.at, i + 4, x.type, n - 4, y.v[4], y.v[5], y.v[6], y.v[7]);
  } else if (x.type == FLOAT32) {
    Words4 low, high;
    EACH(k, 4) low.words[k] = float_bits(y.v[k]);
    EACH(k, 4) high.words[k] = float_bits(y.v[k + 4]);
    ((Words4 *)p)[0] = low;
    ((Words4 *)p)[1] = high;
  } else {
    Words4 all;
    if (x.type == BFLOAT16) {
      EACH(k, 4) all.words[k] = narrow_bfloat16(y.v[2 * k]) | (uint32_t)narrow_bfloat16(y.v[2 * k + 1]) << 16;
    } else {
      EACH(k, 4) all.words[k] = narrow_float16(y.v[2 * k]) | (uint32_t)narrow_float16(y.v[2 * k + 1]) << 16;
    }
    *(Words4 *)p = all;
  }
}

// How many of eight columns from `column` on there are.
DEVICE int eight(int64_t column, int64_t columns) { return columns - column < 8 ? (int)(columns - column) : 8; }

// Runs the body for every fourth column of every row; the grid's x goes along the columns, its y along the rows.
#define EACH_FOUR(row, column, rows, columns)                                                                \
  _Pragma("unroll 1") for (int64_t row = BLOCK_Y; row < (rows); row += GRID_Y)                               \
  _Pragma("unroll 1") for (int64_t column = ((int64_t)BLOCK_X * THREADS_X + THREAD_X) * 4; column < (columns); \
                           column += (int64_t)GRID_X * THREADS_X * 4)
// The same with every eighth.
#define EACH_EIGHT(row, column, rows, columns)                                                               \
  _Pragma("unroll 1") for (int64_t row = BLOCK_Y; row < (rows); row += GRID_Y)                               \
  _Pragma("unroll 1") for (int64_t column = ((int64_t)BLOCK_X * THREADS_X + THREAD_X) * 8; column < (columns); \
                           column += (int64_t)GRID_X * THREADS_X * 8)
// Every fourth column of one row that the block has by itself.
#define EACH_FOUR_OF_ROW(column, columns)                                                     \
  _Pragma("unroll 1") for (int64_t column = (int64_t)THREAD_X * 4; column < (columns); \
                           column += (int64_t)THREADS_X * 4)

// MARK: Sums over a block

DEVICE float larger(float a, float b) { return a > b || a != a ? a : b; }  // NaN if either is
DEVICE float minus_infinity() { return bits_float(0xff800000); }

DEVICE float warp_sum(float x) {
  for (int bits = 16; bits > 0; bits /= 2) x += shuffle_xor(x, bits);
  return x;
}
// Several at the same time.
template <int count>
DEVICE void warp_sums(float (&x)[count]) {
  for (int bits = 16; bits > 0; bits /= 2)
    EACH(k, count) x[k] += shuffle_xor(x[k], bits);
}
DEVICE float warp_largest(float x) {
  for (int bits = 16; bits > 0; bits /= 2) x = larger(x, shuffle_xor(x, bits));
  return x;
}
// The sum of all threads' x, to every thread. `room`: 8 floats that the block shares.
DEVICE float block_sum(float x, float *room) {
  x = warp_sum(x);
  barrier();  // room may still be read for what it held before
  if (lane() == 0) room[THREAD_X / 32] = x;
  barrier();
  float sum = 0;
  for (uint32_t w = 0; w < THREADS_X / 32; w++) sum += room[w];
  return sum;
}
DEVICE float block_largest(float x, float *room) {
  x = warp_largest(x);
  barrier();
  if (lane() == 0) room[THREAD_X / 32] = x;
  barrier();
  float largest = room[0];
  for (uint32_t w = 1; w < THREADS_X / 32; w++) largest = larger(largest, room[w]);
  return largest;
}

// MARK: Exponential and logarithm

// 2ⁿ for −126 ≤ n ≤ 127
DEVICE float power_of_two(int n) { return bits_float((uint32_t)(n + 127) << 23); }

// eˣ within some units of the last place: n = round(x / ln 2), 2ⁿ·2^((x − n·ln 2) / ln 2).
DEVICE float exponential(float x) {
  if (x < -104.0f) x = -104.0f;
  if (x > 89.0f) x = 89.0f;
  const float shift = 12582912.0f;  // 1.5·2²³: what is added to it is rounded to whole numbers, in its lowest bits
  float shifted = fused(x, 1.44269504088896341f, shift), n = shifted - shift;
  int whole = (int)(float_bits(shifted) - float_bits(shift)), half = whole >> 1;
  float rest = fused(n, -0.693359375f, x);
  rest = fused(n, 2.12194440e-4f, rest);
  // In two steps, so that e^88.7 is no infinity.
  return exp2_fast(rest * 1.44269504088896341f) * power_of_two(half) * power_of_two(whole - half);
}

// tanh x: below 1/4, where the quotient would lose its digits, by its series.
DEVICE float hyperbolic_tangent(float x) {
  float size = x < 0 ? -x : x;
  float square = x * x;
  if (size < 0.25f)
    return x + x * square * (-1.0f / 3 + square * (2.0f / 15 + square * (-17.0f / 315 + square * (62.0f / 2835))));
  float e = exponential(-2 * size), t = (1 - e) / (1 + e);
  return x < 0 ? -t : t;
}
// cap·tanh(x / cap), and its derivative where it is y.
DEVICE float capped(float x, float cap) { return hyperbolic_tangent(x / cap) * cap; }
DEVICE float capped_slope(float y, float cap) { return 1 - (y / cap) * (y / cap); }
DEVICE float logarithm(float x) { return log2_fast(x) * 0.69314718055994531f; }
