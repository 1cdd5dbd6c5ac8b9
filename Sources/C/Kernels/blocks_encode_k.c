// Float32 to the K formats, which blocks.c decodes: 256 elements in parts of 32 or 16, each part with a scale that is a
// small integer times the block's.
#include "blocks_encode.h"

#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

#include "blocks_fit.h"
#include "blocks_half.h"

enum { block_elements = 256, most_parts = 16 };

static float sum_of_squares(int n, const float *x) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * x[i];
  return sum;
}

// What each error of a part weighs: importance·√(variance + x²). Returns the sum.
static float weigh(int n, const float *x, const float *importance, float variance, float *weights) {
  float sum = 0;
  for (int i = 0; i < n; i++) {
    weights[i] = importance[i] * sqrtf(variance + x[i] * x[i]);
    sum += weights[i];
  }
  return sum;
}

static int least(int a, int b) { return a < b ? a : b; }

// MARK: - Scale and minimum: Q2_K, Q4_K, Q5_K

// How such a format is quantised.
typedef struct {
  int part;       // elements of a part
  int top;        // the largest code
  int scale_top;  // the largest code of a part's scale and minimum
  fit_grid plain, weighted;
} affine_format;

// What is packed into the block.
typedef struct {
  float d, m;
  uint8_t scales[most_parts], minima[most_parts], codes[block_elements];
} affine_block;

// Codes of the parts' scales or offsets by the largest of them; returns what a code is worth.
static float scale_codes(int parts, int top, const float *scales, uint8_t *codes) {
  float largest = 0;
  for (int j = 0; j < parts; j++)
    if (scales[j] > largest) largest = scales[j];
  float inverse = largest > 0 ? (float)top / largest : 0;
  for (int j = 0; j < parts; j++) codes[j] = (uint8_t)least(top, (uint8_t)fit_nearest(inverse * scales[j]));
  return largest / (float)top;
}

// The codes again, from the scales as they are stored. A part without a scale keeps those it has.
static void affine_recode(affine_format f, const float *x, affine_block *block) {
  uint8_t stored[2];
  put_half(stored, block->d);
  float d = half_at(stored);
  put_half(stored, block->m);
  float m = half_at(stored);
  for (int j = 0; j < block_elements / f.part; j++) {
    float scale = d * (float)block->scales[j], minimum = m * (float)block->minima[j];
    if (scale == 0) continue;
    for (int i = j * f.part; i < (j + 1) * f.part; i++) {
      int code = fit_nearest((x[i] + minimum) / scale);
      block->codes[i] = (uint8_t)(code < 0 ? 0 : least(code, f.top));
    }
  }
}

static affine_block affine(affine_format f, const float *x, const float *importance) {
  affine_block block = {0};
  int parts = block_elements / f.part;
  float scales[most_parts], offsets[most_parts], sums[most_parts], weights[32];
  // Q2_K's variance is that of the block, that of the others twice as much.
  float variance = (f.part == 16 ? 1.0f : 2.0f) * sum_of_squares(block_elements, x) / block_elements;
  for (int j = 0; j < parts; j++) {
    const float *part = x + j * f.part;
    if (importance) {
      sums[j] = weigh(f.part, part, importance + j * f.part, variance, weights);
    } else {
      float mean = f.plain.is_absolute ? 0 : sqrtf(sum_of_squares(f.part, part) / (float)f.part);
      for (int i = 0; i < f.part; i++) weights[i] = mean + fabsf(part[i]);
    }
    fit_grid grid = importance ? f.weighted : f.plain;
    scales[j] = fit_affine(f.part, f.top, part, weights, grid, block.codes + j * f.part, offsets + j);
  }
  if (importance) {
    block.d = fit_positive(parts, f.scale_top, scales, sums, block.scales);
    block.m = fit_positive(parts, f.scale_top, offsets, sums, block.minima);
  } else {
    block.d = scale_codes(parts, f.scale_top, scales, block.scales);
    block.m = scale_codes(parts, f.scale_top, offsets, block.minima);
  }
  affine_recode(f, x, &block);
  return block;
}

static const fit_grid weighted_grid = {-0.9f, 0.05f, 36, 0};

// Four two-bit codes a byte, of elements 32 apart.
static void pack_pairs_of_bits(uint8_t *out, const uint8_t *codes) {
  for (int half = 0; half < 2; half++)
    for (int i = 0; i < 32; i++) {
      const uint8_t *c = codes + half * 128 + i;
      out[half * 32 + i] = (uint8_t)((c[0] & 3) | (c[32] & 3) << 2 | (c[64] & 3) << 4 | (c[96] & 3) << 6);
    }
}

// scales[16] with the minima in the high halves, codes[64], d, m
void encode_q2_k(uint8_t *out, const float *x, const float *importance) {
  affine_format f = {16, 3, 15, {-0.5f, 0.1f, 15, 1}, weighted_grid};
  affine_block block = affine(f, x, importance);
  for (int j = 0; j < 16; j++) out[j] = (uint8_t)(block.scales[j] | block.minima[j] << 4);
  pack_pairs_of_bits(out + 16, block.codes);
  put_half(out + 80, block.d);
  put_half(out + 82, block.m);
}

// d, m and the 6-bit scales and minima of eight parts in 12 bytes: of the last four, the upper two bits lie above
// those of the first four.
static void pack_part_scales(uint8_t *out, const affine_block *block) {
  put_half(out, block->d);
  put_half(out + 2, block->m);
  uint8_t *packed = out + 4;
  for (int j = 0; j < 4; j++) {
    uint8_t scale = block->scales[j + 4], minimum = block->minima[j + 4];
    packed[j] = (uint8_t)(block->scales[j] | scale >> 4 << 6);
    packed[j + 4] = (uint8_t)(block->minima[j] | minimum >> 4 << 6);
    packed[j + 8] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
  }
}

// The low four bits of the codes, those of two parts in the halves of 32 bytes.
static void pack_low_bits(uint8_t *out, const uint8_t *codes) {
  for (int pair = 0; pair < 4; pair++)
    for (int i = 0; i < 32; i++)
      out[pair * 32 + i] = (uint8_t)((codes[pair * 64 + i] & 15) | (codes[pair * 64 + 32 + i] & 15) << 4);
}

// d, m, scales[12], codes[128]
void encode_q4_k(uint8_t *out, const float *x, const float *importance) {
  affine_format f = {32, 15, 63, {-1, 0.1f, 20, 0}, weighted_grid};
  affine_block block = affine(f, x, importance);
  pack_part_scales(out, &block);
  pack_low_bits(out + 16, block.codes);
}

// d, m, scales[12], fifth bits[32], codes[128]
void encode_q5_k(uint8_t *out, const float *x, const float *importance) {
  affine_format f = {32, 31, 63, {-0.5f, 0.1f, 15, 0}, weighted_grid};
  affine_block block = affine(f, x, importance);
  pack_part_scales(out, &block);
  memset(out + 16, 0, 32);
  for (int i = 0; i < block_elements; i++) out[16 + i % 32] |= (uint8_t)(block.codes[i] >> 4 << i / 32);
  pack_low_bits(out + 48, block.codes);
}

// MARK: - Scale alone: Q3_K, Q6_K

// The part's scale of the largest magnitude, the first of equals.
static float extreme_scale(const float *scales) {
  float found = 0;
  for (int j = 0; j < most_parts; j++)
    if (fabsf(scales[j]) > fabsf(found)) found = scales[j];
  return found;
}

// The codes again, from the scales as they are stored.
static void symmetric_recode(int top, const float *x, float d, const int *scales, uint8_t *codes) {
  uint8_t stored[2];
  put_half(stored, d);
  d = half_at(stored);
  for (int j = 0; j < most_parts; j++) {
    float scale = d * (float)scales[j];
    if (scale == 0) continue;
    for (int i = j * 16; i < (j + 1) * 16; i++) {
      int code = fit_nearest(x[i] / scale);
      codes[i] = (uint8_t)(top + (code < -top ? -top : least(code, top - 1)));
    }
  }
}

// The 6-bit codes of Q3_K's scales, code − 32 times the result.
static float q3_k_scales(const float *scales, const float *sums, uint8_t *codes) {
  if (sums) return fit_symmetric(most_parts, 32, scales, sums, codes);
  float largest = extreme_scale(scales), inverse = -32 / largest;
  if (largest == 0) {
    memset(codes, 0, most_parts);
    return 0;
  }
  for (int j = 0; j < most_parts; j++) {
    int code = (int8_t)fit_nearest(inverse * scales[j]);
    codes[j] = (uint8_t)(32 + (code < -32 ? -32 : least(code, 31)));
  }
  return 1 / inverse;
}

// third bits[32], codes[64], scales[12], d. The low four bits of a scale lie in bytes 0…7, those of parts 8…15 in the
// high halves, the upper two in bytes 8…11.
void encode_q3_k(uint8_t *out, const float *x, const float *importance) {
  float scales[most_parts], sums[most_parts], weights[16];
  uint8_t codes[block_elements], scale_codes[most_parts];
  float variance = 2 * sum_of_squares(block_elements, x) / block_elements;
  for (int j = 0; j < most_parts; j++) {
    const float *part = x + j * 16;
    if (importance) {
      sums[j] = weigh(16, part, importance + j * 16, variance, weights);
      scales[j] = fit_symmetric(16, 4, part, weights, codes + j * 16);
    } else {
      scales[j] = fit_symmetric_by_moves(16, 4, part, codes + j * 16);
    }
  }
  float d = q3_k_scales(scales, importance ? sums : NULL, scale_codes);
  int signed_scales[most_parts];
  for (int j = 0; j < most_parts; j++) signed_scales[j] = scale_codes[j] - 32;
  symmetric_recode(4, x, d, signed_scales, codes);

  memset(out, 0, 32);
  for (int i = 0; i < block_elements; i++) out[i % 32] |= (uint8_t)(codes[i] >> 2 << i / 32);
  pack_pairs_of_bits(out + 32, codes);
  uint8_t *packed = out + 96;
  memset(packed, 0, 12);
  for (int j = 0; j < most_parts; j++) {
    packed[j % 8] |= (uint8_t)((scale_codes[j] & 15) << j / 8 * 4);
    packed[8 + j % 4] |= (uint8_t)(scale_codes[j] >> 4 << j / 4 * 2);
  }
  put_half(out + 108, d);
}

// low bits[128], high bits[64], scales[16] signed, d
void encode_q6_k(uint8_t *out, const float *x, const float *importance) {
  float scales[most_parts];
  uint8_t codes[block_elements];
  int signed_scales[most_parts];
  for (int j = 0; j < most_parts; j++)
    scales[j] = fit_symmetric(16, 32, x + j * 16, importance ? importance + j * 16 : NULL, codes + j * 16);
  float largest = extreme_scale(scales);
  if (fabsf(largest) < 1e-15f) {
    memset(out, 0, 210);
    return;
  }
  float inverse = -128 / largest;
  for (int j = 0; j < most_parts; j++) {
    signed_scales[j] = (int8_t)least(127, fit_nearest(inverse * scales[j]));
    out[192 + j] = (uint8_t)signed_scales[j];
  }
  put_half(out + 208, 1 / inverse);
  symmetric_recode(32, x, 1 / inverse, signed_scales, codes);
  for (int half = 0; half < 2; half++)
    for (int i = 0; i < 32; i++) {
      const uint8_t *c = codes + half * 128 + i;
      out[half * 64 + i] = (uint8_t)((c[0] & 15) | (c[64] & 15) << 4);
      out[half * 64 + 32 + i] = (uint8_t)((c[32] & 15) | (c[96] & 15) << 4);
      out[128 + half * 32 + i] = (uint8_t)(c[0] >> 4 | c[32] >> 4 << 2 | c[64] >> 4 << 4 | c[96] >> 4 << 6);
    }
}
