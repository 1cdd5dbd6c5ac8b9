#include "launch.h"

enum { ROWS_TOGETHER = 8 };  // as in kernels/weights.h

int card_nf4_decode(card *card, card_out out, card_nf4 weights, int64_t first_row, int64_t first_column, int64_t rows,
                    int64_t columns) {
  card_grid grid = over_matrix(rows, columns, 8);
  return LAUNCH(card, nf4_decode, grid, out, weights, first_row, first_column, rows, columns);
}

// MARK: Few rows

static card_grid over_outputs(int64_t rows, int64_t outputs) {
  card_grid grid = over_warps(outputs);
  grid.y = (unsigned)blocks_of(rows, ROWS_TOGETHER);
  return grid;
}

// As in kernels/rows_tiles.h; `together` is 8 or 32 rows.
static card_grid over_tiles(int64_t rows, int64_t outputs, int64_t together) {
  return (card_grid){(unsigned)blocks_of(outputs, 16), (unsigned)blocks_of(rows, together), CARD_THREADS};
}

// Whether tensor cores take it: bfloat16 in rows of eights, each at a multiple of 16 bytes.
static int suits_tiles(card_in x, int64_t columns) {
  return x.type == CARD_BFLOAT16 && (x.stride | columns) % 8 == 0 && (uintptr_t)x.at % 16 == 0;
}
static int suit_tiles(const card *card, card_in x, int64_t columns, card_in h, card_in b, int64_t thin) {
  return card->has_tiles && suits_tiles(x, columns) && (!h.at || (suits_tiles(h, thin) && suits_tiles(b, thin)));
}

int card_dense_rows(card *card, card_out y, card_in x, card_in w, card_in h, card_in b, int64_t rows, int64_t outputs,
                    int64_t columns, int64_t thin) {
  if (!suit_tiles(card, x, columns, h, b, thin) || !suits_tiles(w, columns))
    return LAUNCH(card, dense_rows, over_outputs(rows, outputs), y, x, w, h, b, rows, outputs, columns, thin);
  if (rows <= 8) return LAUNCH(card, dense_rows_8, over_tiles(rows, outputs, 8), y, x, w, h, b, rows, outputs, columns, thin);
  return LAUNCH(card, dense_rows_32, over_tiles(rows, outputs, 32), y, x, w, h, b, rows, outputs, columns, thin);
}

int card_nf4_rows(card *card, card_out y, card_in x, card_nf4 w, card_in h, card_in b, int64_t rows, int64_t outputs,
                  int64_t thin) {
  if (!suit_tiles(card, x, w.columns, h, b, thin) || w.columns % 64 != 0 || w.type != CARD_BFLOAT16)
    return LAUNCH(card, nf4_rows, over_outputs(rows, outputs), y, x, w, h, b, rows, outputs, thin);
  if (rows <= 8) return LAUNCH(card, nf4_rows_8, over_tiles(rows, outputs, 8), y, x, w, h, b, rows, outputs, thin);
  return LAUNCH(card, nf4_rows_32, over_tiles(rows, outputs, 32), y, x, w, h, b, rows, outputs, thin);
}
