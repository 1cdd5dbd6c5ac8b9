// Float32 to the quantised blocks Q8_0 and Q4_0 of GGUF files, as ggml's reference quantisers do
// (quantize_row_q8_0_ref, quantize_row_q4_0_ref with fused multiply-add).
#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

#include "kernels.h"

// The nearest float16, ties to even.
static void put_half(uint8_t *p, float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint32_t sign = bits >> 16 & 0x8000, half;
  bits &= 0x7fffffff;
  if (bits >= 0x477ff000) {  // 65520 and more, and NaN
    half = bits > 0x7f800000 ? 0x7e00 : 0x7c00;
  } else if (bits < 0x38800000) {  // below 2⁻¹⁴: adding ½ brings the unit 2⁻²⁴ to the last place
    float value;
    memcpy(&value, &bits, sizeof value);
    value += 0.5f;
    memcpy(&half, &value, sizeof half);
    half -= 0x3f000000;
  } else {
    half = (bits + 0xfff + (bits >> 13 & 1) - 0x38000000) >> 13;
  }
  uint16_t stored = (uint16_t)(sign | half);
  memcpy(p, &stored, sizeof stored);
}

// d = max|x| / 127; codes round(x / d), halves away from zero
static void q8_0(uint8_t *block, const float *x) {
  float largest = 0;
  for (int i = 0; i < 32; i++) largest = fmaxf(largest, fabsf(x[i]));
  float d = largest / 127, inverse = d != 0 ? 1 / d : 0;
  put_half(block, d);
  for (int i = 0; i < 32; i++) block[2 + i] = (uint8_t)(int8_t)roundf(x[i] * inverse);
}

// d = x of the largest magnitude (the first of equals) / −8; codes trunc(x / d + 8.5), at most 15
static void q4_0(uint8_t *block, const float *x) {
  float extreme = 0;
  for (int i = 0; i < 32; i++)
    if (fabsf(x[i]) > fabsf(extreme)) extreme = x[i];
  float d = extreme / -8, inverse = d != 0 ? 1 / d : 0;
  put_half(block, d);
  for (int i = 0; i < 16; i++) {
    int code[2];
    for (int half = 0; half < 2; half++) {
      float shifted = (float)((double)x[i + 16 * half] * (double)inverse + 8.5);
      code[half] = shifted < 15 ? (int)shifted : 15;
    }
    block[2 + i] = (uint8_t)(code[0] | code[1] << 4);
  }
}

void kernels_encode_blocks(int format, uint8_t *blocks, const float *x, size_t count) {
  int is_q4_0 = format == 0;
  for (size_t b = 0; b < count; b++) {
    if (is_q4_0) {
      q4_0(blocks + b * 18, x + b * 32);
    } else {
      q8_0(blocks + b * 34, x + b * 32);
    }
  }
}
