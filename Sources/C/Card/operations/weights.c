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

// As in kernels/rows_tiles.h and nf4_rows_tiles.h; `together` is 8 or 32 rows.
enum { TILE_OUTPUTS = 16, NF4_OUTPUTS_OF_MANY = 32 };
static card_grid over_tiles(int64_t rows, int64_t blocks, int64_t together) {
  return (card_grid){(unsigned)blocks, (unsigned)blocks_of(rows, together), CARD_THREADS};
}

// Whether tensor cores take it: bfloat16 in rows of eights, each at a multiple of 16 bytes.
static int suits_tiles(card_in x, int64_t columns) {
  return x.type == CARD_BFLOAT16 && (x.stride | columns) % 8 == 0 && (uintptr_t)x.at % 16 == 0;
}
static int suit_tiles(const card *card, card_in x, int64_t columns, card_in h, card_in b, int64_t thin) {
  return card->has_tiles && suits_tiles(x, columns) && (!h.at || (suits_tiles(h, thin) && suits_tiles(b, thin)));
}

static int64_t blocks_of_parts(const int64_t outputs[CARD_ROW_PARTS], int64_t of_block) {
  int64_t blocks = 0;
  for (int i = 0; i < CARD_ROW_PARTS; i++) blocks += blocks_of(outputs[i], of_block);
  return blocks;
}

static card_out from_column(card_out y, int64_t column) {
  y.at = (char *)y.at + column * (y.type == CARD_FLOAT32 ? 4 : 2);
  return y;
}

// Of weights that suit_tiles.
static int dense_tiles(card *card, card_out y, card_in x, card_dense_parts parts, card_in h, card_in b, int64_t rows,
                       int64_t columns, int64_t thin) {
  int64_t blocks = blocks_of_parts(parts.outputs, TILE_OUTPUTS);
  if (rows <= 8) return LAUNCH(card, dense_rows_8, over_tiles(rows, blocks, 8), y, x, parts, h, b, rows, columns, thin);
  return LAUNCH(card, dense_rows_32, over_tiles(rows, blocks, 32), y, x, parts, h, b, rows, columns, thin);
}
static int nf4_tiles(card *card, card_out y, card_in x, card_nf4_parts parts, card_in h, card_in b, int64_t rows, int64_t thin) {
  int64_t blocks = blocks_of_parts(parts.outputs, rows <= 8 ? TILE_OUTPUTS : NF4_OUTPUTS_OF_MANY);
  if (rows <= 8) return LAUNCH(card, nf4_rows_8, over_tiles(rows, blocks, 8), y, x, parts, h, b, rows, thin);
  return LAUNCH(card, nf4_rows_32, over_tiles(rows, blocks, 32), y, x, parts, h, b, rows, thin);
}

int card_dense_rows(card *card, card_out y, card_in x, card_in w, card_in h, card_in b, int64_t rows, int64_t outputs,
                    int64_t columns, int64_t thin) {
  if (suit_tiles(card, x, columns, h, b, thin) && suits_tiles(w, columns))
    return dense_tiles(card, y, x, (card_dense_parts){{w}, {outputs}}, h, b, rows, columns, thin);
  return LAUNCH(card, dense_rows, over_outputs(rows, outputs), y, x, w, h, b, rows, outputs, columns, thin);
}

static int nf4_suits_tiles(card_nf4 w) {
  return w.columns % 64 == 0 && w.type == CARD_BFLOAT16 && (uintptr_t)w.codes % 16 == 0;
}

int card_nf4_rows(card *card, card_out y, card_in x, card_nf4 w, card_in h, card_in b, int64_t rows, int64_t outputs,
                  int64_t thin) {
  if (suit_tiles(card, x, w.columns, h, b, thin) && nf4_suits_tiles(w))
    return nf4_tiles(card, y, x, (card_nf4_parts){{w}, {outputs}}, h, b, rows, thin);
  return LAUNCH(card, nf4_rows, over_outputs(rows, outputs), y, x, w, h, b, rows, outputs, thin);
}

// MARK: Few rows by several weights

int card_dense_rows_of(card *card, card_out y, card_in x, const card_dense_parts *parts, int64_t rows, int64_t columns) {
  const card_in none = {0};
  int together = suit_tiles(card, x, columns, none, none, 0);
  for (int i = 0; i < CARD_ROW_PARTS; i++) together = together && (parts->outputs[i] == 0 || suits_tiles(parts->w[i], columns));
  if (together) return dense_tiles(card, y, x, *parts, none, none, rows, columns, 0);
  int64_t column = 0;
  for (int i = 0; i < CARD_ROW_PARTS; column += parts->outputs[i], i++) {
    int error = card_dense_rows(card, from_column(y, column), x, parts->w[i], none, none, rows, parts->outputs[i], columns, 0);
    if (error) return error;
  }
  return CARD_DONE;
}

int card_nf4_rows_of(card *card, card_out y, card_in x, const card_nf4_parts *parts, int64_t rows) {
  const card_in none = {0};
  int together = suit_tiles(card, x, parts->w[0].columns, none, none, 0);
  for (int i = 0; i < CARD_ROW_PARTS; i++) together = together && (parts->outputs[i] == 0 || nf4_suits_tiles(parts->w[i]));
  if (together) return nf4_tiles(card, y, x, *parts, none, none, rows, 0);
  int64_t column = 0;
  for (int i = 0; i < CARD_ROW_PARTS; column += parts->outputs[i], i++) {
    int error = card_nf4_rows(card, from_column(y, column), x, parts->w[i], none, none, rows, parts->outputs[i], 0);
    if (error) return error;
  }
  return CARD_DONE;
}
