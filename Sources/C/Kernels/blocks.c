// The quantised blocks of GGUF files (ggml's block_q… structs), decoded to float32.
//
// A half-precision scale d comes with each block, and in some a half-precision minimum m. Codes of 32 elements lie
// in 16 bytes, element i in the low and element i + 16 in the high half. The K formats hold 256 elements, each part
// of 32 or 16 of them with a scale of its own.
#include <string.h>

#pragma clang fp contract(off)

#include "kernels.h"

// The float16 of two bytes.
static float half_at(const uint8_t *p) {
  uint16_t h;
  memcpy(&h, p, sizeof h);
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = (uint32_t)(h & 0x7fff) << 13, bits;
  if ((h & 0x7c00) == 0x7c00) {
    bits = magnitude | 0x7f800000;
  } else {
    float scaled;
    memcpy(&scaled, &magnitude, sizeof scaled);
    scaled *= 0x1p112f;  // the difference of the exponents' biases; right for subnormals too
    memcpy(&bits, &scaled, sizeof bits);
  }
  bits |= sign;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Element i of 32 four-bit codes.
static int low_bits(const uint8_t *codes, int i) { return i < 16 ? codes[i] & 15 : codes[i - 16] >> 4; }

static int fifth_bit(const uint8_t *bits, int i) { return bits[i / 8] >> (i % 8) & 1; }

// d, codes[16]: d·(code − 8)
static void q4_0(float *out, const uint8_t *block) {
  float d = half_at(block);
  for (int i = 0; i < 32; i++) out[i] = d * (float)(low_bits(block + 2, i) - 8);
}

// d, m, codes[16]: d·code + m
static void q4_1(float *out, const uint8_t *block) {
  float d = half_at(block), m = half_at(block + 2);
  for (int i = 0; i < 32; i++) {
    float scaled = d * (float)low_bits(block + 4, i);
    out[i] = scaled + m;
  }
}

// d, fifth bits[4], codes[16]: d·(code − 16)
static void q5_0(float *out, const uint8_t *block) {
  float d = half_at(block);
  for (int i = 0; i < 32; i++)
    out[i] = d * (float)((low_bits(block + 6, i) | fifth_bit(block + 2, i) << 4) - 16);
}

// d, m, fifth bits[4], codes[16]: d·code + m
static void q5_1(float *out, const uint8_t *block) {
  float d = half_at(block), m = half_at(block + 2);
  for (int i = 0; i < 32; i++) {
    float scaled = d * (float)(low_bits(block + 8, i) | fifth_bit(block + 4, i) << 4);
    out[i] = scaled + m;
  }
}

// d, codes[32] signed: d·code
static void q8_0(float *out, const uint8_t *block) {
  float d = half_at(block);
  for (int i = 0; i < 32; i++) out[i] = d * (float)(int8_t)block[2 + i];
}

// The 6-bit scale and minimum of part j of 8, packed in 12 bytes.
static void part_scale(const uint8_t *packed, int j, int *scale, int *minimum) {
  if (j < 4) {
    *scale = packed[j] & 63;
    *minimum = packed[j + 4] & 63;
  } else {
    *scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    *minimum = packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
  }
}

// Parts 2k and 2k + 1 of 32 elements have the low and high halves of the same 32 bytes; bit j of a byte of `fifth`,
// where there are any, belongs to part j.
static void k_parts(float *out, float d, float m, const uint8_t *scales, const uint8_t *fifth, const uint8_t *codes) {
  for (int j = 0; j < 8; j++) {
    int scale, minimum;
    part_scale(scales, j, &scale, &minimum);
    float part_d = d * (float)scale, part_m = m * (float)minimum;
    for (int i = 0; i < 32; i++) {
      int code = codes[j / 2 * 32 + i] >> (j % 2 * 4) & 15;
      if (fifth) code |= (fifth[i] >> j & 1) << 4;
      float scaled = part_d * (float)code;
      out[j * 32 + i] = scaled - part_m;
    }
  }
}

// d, m, scales[12], codes[128]
static void q4_k(float *out, const uint8_t *block) {
  k_parts(out, half_at(block), half_at(block + 2), block + 4, NULL, block + 16);
}

// d, m, scales[12], fifth bits[32], codes[128]
static void q5_k(float *out, const uint8_t *block) {
  k_parts(out, half_at(block), half_at(block + 2), block + 4, block + 16, block + 48);
}

// low bits[128], high bits[64], scales[16] signed, d: two halves of 128 elements, each four parts of 32 from the
// halves of 64 bytes and the four pairs of bits of 32 bytes; a scale per 16.
static void q6_k(float *out, const uint8_t *block) {
  float d = half_at(block + 208);
  const int8_t *scales = (const int8_t *)block + 192;
  for (int i = 0; i < 256; i++) {
    int half = i / 128, part = i / 32 % 4, lane = i % 32;
    int low = block[half * 64 + part % 2 * 32 + lane] >> (part / 2 * 4) & 15;
    int high = block[128 + half * 32 + lane] >> (part * 2) & 3;
    float part_d = d * (float)scales[i / 16];
    out[i] = part_d * (float)((low | high << 4) - 32);
  }
}

void kernels_decode_blocks(int format, float *out, const uint8_t *blocks, size_t count) {
  static void (*const decoders[])(float *, const uint8_t *) = {q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k};
  static const size_t elements[] = {32, 32, 32, 32, 32, 256, 256, 256};
  static const size_t bytes[] = {18, 20, 22, 24, 34, 144, 176, 210};
  for (size_t b = 0; b < count; b++) decoders[format](out + b * elements[format], blocks + b * bytes[format]);
}
