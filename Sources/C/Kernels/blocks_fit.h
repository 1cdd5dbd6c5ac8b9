// The searches for a block's scale that ggml's quantisers make, result for result: sums are in float32 and in the
// elements' order, and nothing is contracted, as in its builds for x86-64.
#ifndef BLOCKS_FIT_H
#define BLOCKS_FIT_H

#include <stdint.h>

// The nearest integer, ties to even, of |x| < 2²².
int fit_nearest(float x);

// x ≈ scale·(code − top), codes 0…2·top − 1, with the least Σ w·error² of 19 scales around −top / x of the largest
// magnitude.
//
// weights [n]; null: x². Returns the scale.
float fit_symmetric(int n, int top, const float *x, const float *weights, uint8_t *codes);

// The same with the weights x², where single codes are moved as long as that makes the error less.
float fit_symmetric_by_moves(int n, int top, const float *x, uint8_t *codes);

// How fit_affine searches: scales (max − min) / (top + first + step·i) for i = 0…steps, and what it makes least:
// Σ w·|error| or Σ w·error².
typedef struct {
  float first, step;
  int steps;
  int is_absolute;
} fit_grid;

// x ≈ scale·code − offset, codes 0…top, offset ≥ 0. weights [n], n ≤ 32. Returns the scale.
float fit_affine(int n, int top, const float *x, const float *weights, fit_grid grid, uint8_t *codes, float *offset);

// x ≈ scale·code for x ≥ 0, codes 0…top: nine scales, then single codes are moved. Returns the scale.
float fit_positive(int n, int top, const float *x, const float *weights, uint8_t *codes);

#endif
