#include "launch.h"

enum { FEW_ROWS = 32, FOURS_OF_THREAD = 8 };  // the latter as in kernels/norms.h

static int in_fours(const void *at, int64_t stride) { return stride % 4 == 0 && (uintptr_t)at % 16 == 0; }

int card_rms_norm(card *card, card_out y, float *reciprocal, card_in x, const float *weight, float epsilon, int64_t rows,
                  int64_t columns) {
  int are_fours = x.type == CARD_FLOAT32 && columns % 4 == 0 && in_fours(x.at, x.stride) && in_fours(weight, 0);
  if (rows <= FEW_ROWS && are_fours && columns <= 4 * FOURS_OF_THREAD * CARD_THREADS)
    return LAUNCH(card, rms_norm_few, over_rows(rows, columns), y, reciprocal, x, weight, epsilon, columns);
  return LAUNCH(card, rms_norm, over_rows(rows, columns), y, reciprocal, x, weight, epsilon, columns);
}

int card_rms_norm_gradient(card *card, card_out dx, card_in dy, card_in x, const float *reciprocal, const float *weight,
                           int64_t rows, int64_t columns) {
  return LAUNCH(card, rms_norm_gradient, over_rows(rows, columns), dx, dy, x, reciprocal, weight, columns);
}

int card_layer_norm(card *card, card_out y, float *mean, float *reciprocal, card_in x, const float *weight,
                    const float *bias, float epsilon, int64_t rows, int64_t columns) {
  return LAUNCH(card, layer_norm, over_rows(rows, columns), y, mean, reciprocal, x, weight, bias, epsilon, columns);
}

int card_layer_norm_gradient(card *card, card_out dx, card_in dy, card_in x, const float *mean, const float *reciprocal,
                             const float *weight, int64_t rows, int64_t columns) {
  return LAUNCH(card, layer_norm_gradient, over_rows(rows, columns), dx, dy, x, mean, reciprocal, weight, columns);
}

int card_norm_weight_gradient(card *card, float *dw, card_in dy, card_in x, const float *mean, const float *reciprocal,
                              int64_t rows, int64_t columns) {
  card_grid grid = {(unsigned)blocks_of(columns, WARP), 1, CARD_THREADS};
  return LAUNCH(card, norm_weight_gradient, grid, dw, dy, x, mean, reciprocal, rows, columns);
}

int card_rotate(card *card, card_out x, const float *cosine, const float *sine, float sign, int interleaved, int64_t rows,
                int64_t heads, int64_t head_dim, int64_t rotary) {
  card_grid grid = over_matrix(rows, heads * (rotary / 2), 4);
  return LAUNCH(card, rotate, grid, x, cosine, sine, sign, interleaved, rows, heads, head_dim, rotary);
}

int card_activate(card *card, card_out y, card_in x, card_in up, int activation, int64_t rows, int64_t columns) {
  return LAUNCH(card, activate, over_matrix(rows, columns, 8), y, x, up, activation, rows, columns);
}

int card_activate_gradient(card *card, card_out dx, card_out d_up, card_in dy, card_in x, card_in up, int activation,
                           int64_t rows, int64_t columns) {
  card_grid grid = over_matrix(rows, columns, 8);
  return LAUNCH(card, activate_gradient, grid, dx, d_up, dy, x, up, activation, rows, columns);
}

int card_dropout(card *card, card_out y, card_in x, uint64_t key, uint64_t first_row, uint32_t threshold, float factor,
                 int64_t rows, int64_t columns) {
  card_grid grid = over_matrix(rows, columns, 8);
  return LAUNCH(card, dropout, grid, y, x, key, first_row, threshold, factor, rows, columns);
}

int card_add_dropped(card *card, card_out dx, card_in g, uint64_t key, uint64_t first_row, uint32_t threshold,
                     float factor, int64_t rows, int64_t columns) {
  card_grid grid = over_matrix(rows, columns, 8);
  return LAUNCH(card, add_dropped, grid, dx, g, key, first_row, threshold, factor, rows, columns);
}
