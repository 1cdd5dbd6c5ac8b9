#include "blocks_fit.h"

#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

// What is no larger is taken for zero.
static const float nothing = 1e-15f;

int fit_nearest(float x) {
  float shifted = x + 0x1.8p23f;  // the integer is in the last places
  int32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  return (bits & 0x7fffff) - 0x400000;
}

static int clamped(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

// The element of the largest magnitude, the first of equals.
static float extreme(int n, const float *x) {
  float found = 0;
  for (int i = 0; i < n; i++)
    if (fabsf(x[i]) > fabsf(found)) found = x[i];
  return found;
}

// MARK: - Symmetric

// Σ w·x·code and Σ w·code²: code·(first / second) is nearest to x.
typedef struct {
  float product, square;
} fit_sums;

static fit_sums symmetric_sums(int n, int top, const float *x, const float *weights, float inverse) {
  fit_sums sums = {0, 0};
  for (int i = 0; i < n; i++) {
    float code = (float)clamped(fit_nearest(inverse * x[i]), -top, top - 1);
    float w = weights ? weights[i] : x[i] * x[i];
    sums.product += w * x[i] * code;
    sums.square += w * code * code;
  }
  return sums;
}

float fit_symmetric(int n, int top, const float *x, const float *weights, uint8_t *codes) {
  float largest = extreme(n, x);
  if (fabsf(largest) < nothing) {
    memset(codes, 0, (size_t)n);
    return 0;
  }
  float inverse = (float)-top / largest;
  fit_sums sums = symmetric_sums(n, top, x, weights, inverse);
  float scale = sums.square != 0 ? sums.product / sums.square : 0, best = scale * sums.product;
  for (int i = -9; i <= 9; i++) {
    if (i == 0) continue;
    float other = -((float)top + 0.1f * (float)i) / largest;
    sums = symmetric_sums(n, top, x, weights, other);
    if (sums.square > 0 && sums.product * sums.product > best * sums.square) {
      inverse = other;
      scale = sums.product / sums.square;
      best = scale * sums.product;
    }
  }
  for (int i = 0; i < n; i++) codes[i] = (uint8_t)(top + clamped(fit_nearest(inverse * x[i]), -top, top - 1));
  return scale;
}

// Moves each code to what is best for the scale without its element, if the error becomes less; at most five rounds.
// Codes are `from` to `to`; `needs_rest` where the other elements alone must have a scale.
static void move_codes(int n, const float *x, const float *weights, int from, int to, int needs_rest, int *codes,
                       fit_sums *sums) {
  for (int round = 0; round < 5; round++) {
    int moved = 0;
    for (int i = 0; i < n; i++) {
      float w = weights ? weights[i] : x[i] * x[i], code = (float)codes[i];
      fit_sums rest = {sums->product - w * x[i] * code, sums->square - w * code * code};
      if (!(rest.product > 0) || (needs_rest && !(rest.square > 0))) continue;
      int better = clamped(fit_nearest(x[i] * rest.square / rest.product), from, to);
      if (better == codes[i]) continue;
      code = (float)better;
      rest.product += w * x[i] * code;
      rest.square += w * code * code;
      if (rest.square > 0 &&
          rest.product * rest.product * sums->square > sums->product * sums->product * rest.square) {
        codes[i] = better;
        *sums = rest;
        moved = 1;
      }
    }
    if (!moved) return;
  }
}

float fit_symmetric_by_moves(int n, int top, const float *x, uint8_t *codes) {
  float largest = extreme(n, x);
  if (fabsf(largest) < nothing) {
    memset(codes, 0, (size_t)n);
    return 0;
  }
  float inverse = (float)-top / largest;
  fit_sums sums = symmetric_sums(n, top, x, NULL, inverse);
  int signed_codes[16];
  for (int i = 0; i < n; i++) signed_codes[i] = clamped(fit_nearest(inverse * x[i]), -top, top - 1);
  move_codes(n, x, NULL, -top, top - 1, 0, signed_codes, &sums);
  for (int i = 0; i < n; i++) codes[i] = (uint8_t)(signed_codes[i] + top);
  return sums.square > 0 ? sums.product / sums.square : 0;
}

// MARK: - Affine

// Σ w·|error| or Σ w·error² of scale·code + minimum
static float affine_error(int n, const float *x, const float *weights, int is_absolute, const uint8_t *codes,
                          float scale, float minimum) {
  float sum = 0;
  for (int i = 0; i < n; i++) {
    float difference = scale * (float)codes[i] + minimum - x[i];
    sum += weights[i] * (is_absolute ? fabsf(difference) : difference * difference);
  }
  return sum;
}

static void affine_codes(int n, int top, const float *x, float inverse, float minimum, uint8_t *codes) {
  for (int i = 0; i < n; i++) codes[i] = (uint8_t)clamped(fit_nearest(inverse * (x[i] - minimum)), 0, top);
}

float fit_affine(int n, int top, const float *x, const float *weights, fit_grid grid, uint8_t *codes, float *offset) {
  float low = x[0], high = x[0], sum_w = 0, sum_x = 0;
  for (int i = 0; i < n; i++) {
    if (x[i] < low) low = x[i];
    if (x[i] > high) high = x[i];
    sum_w += weights[i];
    sum_x += weights[i] * x[i];
  }
  if (low > 0) low = 0;
  *offset = -low;
  if (!(high > low)) {
    memset(codes, 0, (size_t)n);
    return 0;
  }
  float inverse = (float)top / (high - low), scale = 1 / inverse;
  affine_codes(n, top, x, inverse, low, codes);
  float best = affine_error(n, x, weights, grid.is_absolute, codes, scale, low), minimum = low;
  for (int step = 0; step <= grid.steps; step++) {
    uint8_t tried[32];
    // From the best minimum so far.
    inverse = (grid.first + grid.step * (float)step + (float)top) / (high - minimum);
    affine_codes(n, top, x, inverse, minimum, tried);
    float sum_code = 0, sum_square = 0, sum_product = 0;
    for (int i = 0; i < n; i++) {
      float code = (float)tried[i], w = weights[i];
      sum_code += w * code;
      sum_square += w * code * code;
      sum_product += w * code * x[i];
    }
    float determinant = sum_w * sum_square - sum_code * sum_code;
    if (!(determinant > 0)) continue;
    float a = (sum_w * sum_product - sum_x * sum_code) / determinant;
    float b = (sum_square * sum_x - sum_code * sum_product) / determinant;
    if (b > 0) {
      b = 0;
      a = sum_product / sum_square;
    }
    float error = affine_error(n, x, weights, grid.is_absolute, tried, a, b);
    if (error < best) {
      memcpy(codes, tried, (size_t)n);
      best = error;
      scale = a;
      minimum = b;
    }
  }
  *offset = -minimum;
  return scale;
}

// MARK: - Positive

float fit_positive(int n, int top, const float *x, const float *weights, uint8_t *codes) {
  float largest = 0;
  for (int i = 0; i < n; i++) largest = fmaxf(largest, x[i]);
  if (largest < nothing) {
    memset(codes, 0, (size_t)n);
    return 0;
  }
  float inverse = (float)top / largest, best = 0;
  for (int i = 0; i < n; i++) {
    float difference = x[i] - 1 / inverse * (float)(uint8_t)fit_nearest(inverse * x[i]);
    best += weights[i] * difference * difference;
  }
  for (int step = -4; step <= 4; step++) {
    if (step == 0) continue;
    float other = (0.1f * (float)step + (float)top) / largest, scale = 1 / other, error = 0;
    for (int i = 0; i < n; i++) {
      int code = fit_nearest(other * x[i]);
      float difference = x[i] - scale * (float)(code < top ? code : top);
      error += weights[i] * difference * difference;
    }
    if (error < best) {
      best = error;
      inverse = other;
    }
  }
  fit_sums sums = {0, 0};
  int found[16];
  for (int i = 0; i < n; i++) {
    int code = fit_nearest(inverse * x[i]);
    found[i] = code < top ? code : top;
    sums.product += weights[i] * x[i] * (float)found[i];
    sums.square += weights[i] * (float)found[i] * (float)found[i];
  }
  move_codes(n, x, weights, 0, top, 1, found, &sums);
  for (int i = 0; i < n; i++) codes[i] = (uint8_t)found[i];
  return sums.square > 0 ? sums.product / sums.square : 0;
}
