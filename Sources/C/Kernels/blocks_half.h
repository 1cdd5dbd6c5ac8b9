// float16 numbers in the bytes of GGUF's blocks.
#ifndef BLOCKS_HALF_H
#define BLOCKS_HALF_H

#include <stdint.h>
#include <string.h>

// The float16 of two bytes.
static inline float half_at(const uint8_t *p) {
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

// Writes the nearest float16, ties to even.
static inline void put_half(uint8_t *p, float x) {
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

#endif
