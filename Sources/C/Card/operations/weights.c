#include "launch.h"

enum { ROWS_TOGETHER = 8 };  // as in kernels/weights.h

int card_nf4_decode(card *card, card_out out, card_nf4 weights, int64_t first_row, int64_t first_column, int64_t rows,
                    int64_t columns) {
  card_grid grid = over_matrix(rows, columns, 8);
  return LAUNCH(card, nf4_decode, grid, out, weights, first_row, first_column, rows, columns);
}

static card_grid over_outputs(int64_t rows, int64_t outputs) {
  card_grid grid = over_warps(outputs);
  grid.y = (unsigned)blocks_of(rows, ROWS_TOGETHER);
  return grid;
}

int card_dense_rows(card *card, card_out y, card_in x, card_in w, card_in h, card_in b, int64_t rows, int64_t outputs,
                    int64_t columns, int64_t thin) {
  return LAUNCH(card, dense_rows, over_outputs(rows, outputs), y, x, w, h, b, rows, outputs, columns, thin);
}

int card_nf4_rows(card *card, card_out y, card_in x, card_nf4 w, card_in h, card_in b, int64_t rows, int64_t outputs,
                  int64_t thin) {
  return LAUNCH(card, nf4_rows, over_outputs(rows, outputs), y, x, w, h, b, rows, outputs, thin);
}
