// Float32 to MXFP4: a power of two for 32 elements, and of each the nearest of eight magnitudes.
#include "blocks_encode.h"

#include <math.h>

#pragma clang fp contract(off)

// The code of x's magnitude in units of half a scale, the smaller of two as near.
static uint8_t nearest_code(float x, float scale) {
  static const float magnitudes[] = {0, 1, 2, 3, 4, 6, 8, 12};
  uint8_t best = 0;
  for (uint8_t code = 1; code < 8; code++)
    if (fabsf(magnitudes[code] * scale - x) < fabsf(magnitudes[best] * scale - x)) best = code;
  return best;
}

// Nothing is fitted: the scale is that whose 4 lies below the largest magnitude and whose 8 above.
void encode_mxfp4(uint8_t *block, const float *x, const float *importance) {
  (void)importance;
  float largest = 0;
  for (int i = 0; i < 32; i++) largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
  float power = largest > 0 ? floorf(log2f(largest)) - 2 + 127 : 0;
  block[0] = (uint8_t)(power > 0 ? power : 0);
  float scale = ldexpf(1, (int)block[0] - 128);
  for (int i = 0; i < 16; i++) {
    uint8_t codes[2];
    for (int half = 0; half < 2; half++) {
      float own = x[i + 16 * half];
      uint8_t code = nearest_code(fabsf(own), scale);
      codes[half] = code && own < 0 ? code | 8 : code;
    }
    block[1 + i] = (uint8_t)(codes[0] | codes[1] << 4);
  }
}
