// Float32 to IQ4_NL and IQ4_XS: four-bit codes of a table whose values lie closer together near zero.
#include "blocks_encode.h"

#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

#include "blocks_fit.h"
#include "blocks_half.h"

enum { part_elements = 32, parts_of_block = 8, codes = 16, tries = 7 };

// What a code is worth; that of block_formats.inc without the 128.
static const int8_t values[codes] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// The code of the nearest value; of two as near, the larger.
static uint8_t nearest_code(float x) {
  if (x <= values[0]) return 0;
  if (x >= values[codes - 1]) return codes - 1;
  int above = 1;
  while (x >= values[above]) above++;
  return (uint8_t)(x - values[above - 1] < values[above] - x ? above - 1 : above);
}

// Codes of x · inverse.
static void choose(int n, const float *x, float inverse, uint8_t *chosen) {
  for (int i = 0; i < n; i++) chosen[i] = nearest_code(inverse * x[i]);
}

// Σ w·value·x and Σ w·value² of the codes of x · inverse.
static void sums(const float *x, const float *weights, float inverse, float *product, float *square) {
  *product = *square = 0;
  for (int i = 0; i < part_elements; i++) {
    float value = values[nearest_code(inverse * x[i])], weight = weights[i];
    *product += weight * value * x[i];
    *square += weight * value * value;
  }
}

// x ≈ scale · value with the least Σ w·error² of fifteen scales around −127 / x of the largest magnitude.
// variance: twice the block's mean square. importance [32] or null: each error weighs x². Returns the scale.
static float fit_scale(const float *x, const float *importance, float variance) {
  float weights[part_elements], largest = 0;
  for (int i = 0; i < part_elements; i++) {
    weights[i] = importance ? importance[i] * sqrtf(variance + x[i] * x[i]) : x[i] * x[i];
    if (fabsf(x[i]) > fabsf(largest)) largest = x[i];
  }
  if (fabsf(largest) < 1e-15f) return 0;
  float first = -largest / values[0], product, square;
  sums(x, weights, 1 / first, &product, &square);
  float scale = square > 0 ? product / square : 0, best = scale * product;
  for (int i = -tries; i <= tries; i++) {
    sums(x, weights, (float)(i + values[0]) / largest, &product, &square);
    if (square > 0 && product * product > best * square) {
      scale = product / square;
      best = scale * product;
    }
  }
  return scale;
}

static float variance(int n, const float *x) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * x[i];
  return sum * (2.0f / (float)n);
}

static void pack(uint8_t *out, const uint8_t *part) {
  for (int i = 0; i < 16; i++) out[i] = (uint8_t)(part[i] | part[i + 16] << 4);
}

// d, codes[16] of 32 elements
void encode_iq4_nl(uint8_t *out, const float *x, const float *importance) {
  uint8_t chosen[part_elements];
  float scale = fit_scale(x, importance, variance(part_elements, x));
  choose(part_elements, x, scale != 0 ? 1 / scale : 0, chosen);
  put_half(out, scale);
  pack(out + 2, chosen);
}

// d, two high bits of each part's scale[2], four low bits[4], codes[128]
void encode_iq4_xs(uint8_t *out, const float *x, const float *importance) {
  float scales[parts_of_block], largest = 0, spread = variance(part_elements * parts_of_block, x);
  for (int p = 0; p < parts_of_block; p++) {
    int first = p * part_elements;
    scales[p] = fit_scale(x + first, importance ? importance + first : NULL, spread);
    if (fabsf(scales[p]) > fabsf(largest)) largest = scales[p];
  }
  float d = -largest / 32, inverse = d != 0 ? 1 / d : 0;
  put_half(out, d);
  memset(out + 2, 0, 6);
  for (int p = 0; p < parts_of_block; p++) {
    int code = fit_nearest(inverse * scales[p]);
    code = code < -32 ? -32 : code > 31 ? 31 : code;
    float scale = d * (float)code;
    uint8_t chosen[part_elements];
    choose(part_elements, x + p * part_elements, scale != 0 ? 1 / scale : 0, chosen);
    pack(out + 8 + p * 16, chosen);
    code += 32;
    out[2 + p / 4] |= (uint8_t)(code >> 4 << 2 * (p % 4));
    out[4 + p / 2] |= (uint8_t)((code & 15) << 4 * (p % 2));
  }
}
