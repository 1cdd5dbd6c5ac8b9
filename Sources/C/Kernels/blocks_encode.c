// Float32 to the quantised blocks of GGUF files, as ggml's quantisers do in builds for x86-64: the same bytes
// (llama.cpp's ggml-quants.c, with and without an importance matrix).
#include "blocks_encode.h"

#include <float.h>
#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

#include "blocks_fit.h"
#include "blocks_half.h"
#include "kernels.h"

enum { small_elements = 32 };

// MARK: - Blocks of 32

// Codes of 32 elements: the low four bits, and from `fifth` on, where there is one, the others.
static void pack(uint8_t *low, uint8_t *fifth, const uint8_t *codes) {
  for (int i = 0; i < 16; i++) low[i] = (uint8_t)((codes[i] & 15) | (codes[i + 16] & 15) << 4);
  if (!fifth) return;
  memset(fifth, 0, 4);
  for (int i = 0; i < small_elements; i++) fifth[i / 8] |= (uint8_t)(codes[i] >> 4 << i % 8);
}

// d = max|x| / 127; codes round(x / d), halves away from zero
static void q8_0(uint8_t *block, const float *x) {
  float largest = 0;
  for (int i = 0; i < small_elements; i++) largest = fmaxf(largest, fabsf(x[i]));
  float d = largest / 127, inverse = d != 0 ? 1 / d : 0;
  put_half(block, d);
  for (int i = 0; i < small_elements; i++) block[2 + i] = (uint8_t)(int8_t)roundf(x[i] * inverse);
}

// d = x of the largest magnitude (the first of equals) / −top; codes trunc(x / d + top + ½), at most 2·top − 1.
// Returns d.
static float symmetric_codes(int top, const float *x, uint8_t *codes) {
  float extreme = 0;
  for (int i = 0; i < small_elements; i++)
    if (fabsf(x[i]) > fabsf(extreme)) extreme = x[i];
  float d = extreme / (float)-top, inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < small_elements; i++) {
    int code = (int)(x[i] * inverse + ((float)top + 0.5f));
    codes[i] = (uint8_t)(code < 2 * top ? code : 2 * top - 1);
  }
  return d;
}

// d = (max − min) / top; codes trunc((x − min) / d + ½). Returns d.
static float affine_codes(int top, const float *x, uint8_t *codes, float *minimum) {
  float low = FLT_MAX, high = -FLT_MAX;
  for (int i = 0; i < small_elements; i++) {
    if (x[i] < low) low = x[i];
    if (x[i] > high) high = x[i];
  }
  float d = (high - low) / (float)top, inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < small_elements; i++) {
    int code = (int)((x[i] - low) * inverse + 0.5f);
    codes[i] = (uint8_t)(code < top ? code : top);
  }
  *minimum = low;
  return d;
}

// Q4_0, Q5_0: d, codes. weights [32] or null.
static void symmetric(uint8_t *block, int top, const float *x, const float *weights) {
  uint8_t codes[small_elements];
  float d = weights ? fit_symmetric(small_elements, top, x, weights, codes) : symmetric_codes(top, x, codes);
  put_half(block, d);
  if (top == 8) {
    pack(block + 2, NULL, codes);
  } else {
    pack(block + 6, block + 2, codes);
  }
}

// Q4_1, Q5_1: d, minimum, codes. weights [32] or null.
static void affine(uint8_t *block, int top, const float *x, const float *weights) {
  uint8_t codes[small_elements];
  float d, minimum;
  if (weights) {
    float offset;
    fit_grid grid = {-0.9f, 0.05f, 36, 0};
    d = fit_affine(small_elements, top, x, weights, grid, codes, &offset);
    minimum = -offset;
  } else {
    d = affine_codes(top, x, codes, &minimum);
  }
  put_half(block, d);
  put_half(block + 2, minimum);
  if (top == 15) {
    pack(block + 4, NULL, codes);
  } else {
    pack(block + 8, block + 4, codes);
  }
}

// A row of Q4_0, Q4_1, Q5_0 or Q5_1.
static void small_row(int format, uint8_t *out, const float *x, const float *importance, size_t columns) {
  static const size_t bytes[] = {18, 20, 22, 24};
  float sum = 0;
  for (size_t i = 0; importance && i < columns; i++) sum += x[i] * x[i];
  float variance = sum / (float)columns, weights[small_elements];
  for (size_t first = 0; first < columns; first += small_elements, out += bytes[format]) {
    for (size_t i = 0; importance && i < small_elements; i++)
      weights[i] = importance[first + i] * sqrtf(variance + x[first + i] * x[first + i]);
    const float *given = importance ? weights : NULL;
    if (format % 2 == 0) {
      symmetric(out, format == 0 ? 8 : 16, x + first, given);
    } else {
      affine(out, format == 1 ? 15 : 31, x + first, given);
    }
  }
}

// MARK: - All

void kernels_encode_blocks(int format, uint8_t *out, const float *x, const float *importance, size_t rows,
                           size_t columns) {
  static void (*const others[])(uint8_t *, const float *, const float *) = {
      encode_q4_k, encode_q5_k, encode_q6_k, encode_q2_k, encode_q3_k, encode_iq4_nl, encode_iq4_xs, encode_mxfp4};
  static const size_t bytes[] = {18, 20, 22, 24, 34, 144, 176, 210, 84, 110, 18, 136, 17};
  size_t elements = format < 5 || format == 10 || format == 12 ? small_elements : 256;
  for (size_t row = 0; row < rows; row++, x += columns, out += columns / elements * bytes[format]) {
    if (format < 4) {
      small_row(format, out, x, importance, columns);
      continue;
    }
    for (size_t block = 0; block < columns / elements; block++) {
      const float *part = x + block * elements;
      uint8_t *place = out + block * bytes[format];
      if (format == 4) {
        q8_0(place, part);
      } else {
        others[format - 5](place, part, importance ? importance + block * elements : NULL);
      }
    }
  }
}
