#include "launch.h"

int card_cross_entropy(card *card, float *losses, card_out gradient, card_in logits, const int32_t *labels,
                       const float *weights, int64_t rows, int64_t columns) {
  return LAUNCH(card, cross_entropy, over_rows(rows, columns), losses, gradient, logits, labels, weights, columns);
}

int card_is_largest(card *card, uint8_t *flags, card_in x, const int32_t *chosen, int64_t rows, int64_t columns) {
  return LAUNCH(card, is_largest, over_rows(rows, columns), flags, x, chosen, columns);
}

int card_sum_of_squares(card *card, double *sum, double *room, const float *x, int64_t count) {
  card_grid grid = over_vector(count, CARD_SQUARES_ROOM), one = {1, 1, CARD_THREADS};
  grid.threads = CARD_THREADS;
  int64_t blocks = grid.x;
  int error = LAUNCH(card, sum_of_squares, grid, room, x, count);
  return error ? error : LAUNCH(card, add_doubles, one, sum, room, blocks);
}

int card_find_non_finite(card *card, int32_t *flag, card_in x, int64_t count) {
  return LAUNCH(card, find_non_finite, over_vector(count, 4096), flag, x, count);
}

int card_adamw(card *card, float *value, const float *gradient, float *m, float *v, card_adamw_numbers numbers,
               int64_t count) {
  return LAUNCH(card, adamw, over_vector(count, 65536), value, gradient, m, v, numbers, count);
}

int card_adamw_bytes(card *card, float *value, const float *gradient, card_byte_moment m, card_byte_moment v,
                     card_adamw_numbers numbers, int64_t count) {
  card_grid grid = {(unsigned)blocks_of(count, CARD_MOMENT_BLOCK), 1, CARD_MOMENT_BLOCK};
  return LAUNCH(card, adamw_bytes, grid, value, gradient, m, v, numbers, count);
}
