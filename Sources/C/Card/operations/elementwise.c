#include "launch.h"

int card_convert(card *card, card_out out, card_in x, int64_t rows, int64_t columns) {
  return LAUNCH(card, convert, over_matrix(rows, columns, 4), out, x, rows, columns);
}

int card_scale(card *card, card_out x, float factor, int64_t rows, int64_t columns) {
  return LAUNCH(card, scale, over_matrix(rows, columns, 4), x, factor, rows, columns);
}

int card_scale_rows(card *card, card_out x, const float *factors, int64_t rows, int64_t columns) {
  return LAUNCH(card, scale_rows, over_matrix(rows, columns, 4), x, factors, rows, columns);
}

int card_soft_cap(card *card, card_out x, float cap, int64_t rows, int64_t columns) {
  return LAUNCH(card, soft_cap, over_matrix(rows, columns, 4), x, cap, rows, columns);
}

int card_soft_cap_gradient(card *card, card_out dx, card_in y, float cap, int64_t rows, int64_t columns) {
  return LAUNCH(card, soft_cap_gradient, over_matrix(rows, columns, 4), dx, y, cap, rows, columns);
}

int card_add(card *card, card_out x, card_in y, int64_t rows, int64_t columns) {
  return LAUNCH(card, add, over_matrix(rows, columns, 4), x, y, rows, columns);
}

int card_add_bias(card *card, card_out y, const float *bias, int64_t rows, int64_t columns) {
  return LAUNCH(card, add_bias, over_matrix(rows, columns, 4), y, bias, rows, columns);
}

int card_add_column_sums(card *card, float *sums, card_in y, int64_t rows, int64_t columns) {
  card_grid grid = {(unsigned)blocks_of(columns, WARP), 1, CARD_THREADS};
  return LAUNCH(card, add_column_sums, grid, sums, y, rows, columns);
}

int card_gather_rows(card *card, card_out out, card_in x, const int32_t *indices, int64_t rows, int64_t columns) {
  return LAUNCH(card, gather_rows, over_matrix(rows, columns, 4), out, x, indices, rows, columns);
}

int card_scatter_add_rows(card *card, card_out x, card_in y, const int32_t *targets, const int32_t *firsts,
                          const int32_t *sources, int64_t count, int64_t columns) {
  return LAUNCH(card, scatter_add_rows, over_matrix(count, columns, 4), x, y, targets, firsts, sources, count, columns);
}
