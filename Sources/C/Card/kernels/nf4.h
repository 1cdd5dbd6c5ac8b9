// NF4 weights (Dettmers et al. 2023) as bitsandbytes stores them.
#pragma once

#include "numbers.h"

// Weights [rows, columns], laid out as card_nf4: two codes a byte, the first in the high half, blocks of 64 over the
// flattened matrix, their scales either plain or 8-bit codes with a map, an absmax per 256 and an offset.
struct NF4 {
  const uint8_t *codes;
  const float *absmax;  // null when nested
  const uint8_t *absmax_codes;
  const float *nested_absmax;
  const float *nested_map;
  int64_t columns;
  float nested_offset;
  int32_t type;  // a decoded weight is rounded to this first
};

// The value of a code, for a block whose largest magnitude is 1.
DEVICE float code_value(uint32_t code) {
  const float values[16] = {-1, -0.69619280099868774f, -0.52507305145263672f, -0.39491748809814453f,
                            -0.28444138169288635f, -0.18477343022823334f, -0.091050036251544952f, 0,
                            0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
                            0.44070982933044434f, 0.56261700391769409f, 0.72295683622360229f, 1};
  return values[code];
}

// Fills the block's table of code values; all threads call it.
DEVICE void fill_book(float *book) {
  if (THREAD_X < 16) book[THREAD_X] = code_value(THREAD_X);
  barrier();
}

// The scale of a block. The product and the sum are rounded apart, as bitsandbytes does.
DEVICE float block_scale(NF4 w, int64_t block) {
  if (w.absmax) return w.absmax[block];
  return w.nested_map[w.absmax_codes[block]] * w.nested_absmax[block / 256] + w.nested_offset;
}

DEVICE float decode1(NF4 w, const float *book, int64_t i) {
  uint32_t pair = w.codes[i / 2];
  return rounded(book[i % 2 ? pair & 15 : pair >> 4] * block_scale(w, i / 64), w.type);
}

// Eight codes and their scale: in the weights' own type, or not yet rounded where the reader does that, as a number of
// `type`.
DEVICE Eight decoded(NF4 w, const float *book, uint32_t codes, float scale, int type) {
  Eight y;
  EACH(k, 8) y.v[k] = book[codes >> (k % 2 ? 8 * (k / 2) : 8 * (k / 2) + 4) & 15] * scale;
  return type == w.type ? y : rounded8(y, w.type);
}

// The weights i ..< i + n of the flattened matrix for a reader that makes them numbers of `type`, n ≤ 8; the others of the
// eight are 0.
DEVICE Eight decode8(NF4 w, const float *book, int64_t i, int n, int type) {
  Eight y;
  if (n == 8 && i % 8 == 0) {
    y = decoded(w, book, *(const uint32_t *)(w.codes + i / 2), block_scale(w, i / 64), type);
  } else {
    EACH(k, 8) y.v[k] = k < n ? decode1(w, book, i + k) : 0;
  }
  return y;
}
