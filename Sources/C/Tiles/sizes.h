// How a block of a product is cut: what its caller's room is counted from.
#pragma once

#include <stddef.h>

enum {
  TILE = 16,        // rows or columns of a tile of float32
  STEP = 32,        // of k that one tile product sums
  TILE_BYTES = 1024,
  PANEL_COLUMNS = 288,  // with PANEL_STEPS it is 1.1 MiB, half a level-2 cache
  PANEL_STEPS = 64,
  BLOCK_ROWS = 32,
  // Steps whose rows of a stay in the level-1 cache while all columns of a panel pass: 36 KiB.
  BLOCK_STEPS = 18,
};

static inline size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// Columns of one panel of a product: all of them, or equal parts of whole NF4 blocks.
static inline size_t panel_width(size_t columns) {
  if (columns <= PANEL_COLUMNS) return ceil_div(columns, TILE) * TILE;
  size_t parts = ceil_div(columns, 256);
  return ceil_div(ceil_div(columns, parts), 64) * 64;
}

// Passes over a panel that holds at most PANEL_STEPS of `steps`.
static inline size_t panel_passes(size_t steps) { return ceil_div(steps, PANEL_STEPS); }

// What lies in the room: the panel, rows of a that had to be copied, sums.
static inline size_t panel_bytes(size_t columns, size_t steps) {
  return panel_width(columns) / TILE * smaller(steps, PANEL_STEPS) * TILE_BYTES;
}
static inline size_t copied_bytes(void) { return (size_t)BLOCK_ROWS * BLOCK_STEPS * STEP * 2; }
static inline size_t sums_bytes(size_t rows, size_t columns, size_t steps) {
  size_t held = panel_passes(steps) > 1 ? ceil_div(rows, BLOCK_ROWS) * BLOCK_ROWS : BLOCK_ROWS;
  return held * panel_width(columns) * sizeof(float);
}

// Rows of x in products of few rows are filled up to one of these counts, for which there are tiles of so many rows.
static inline size_t filled_rows(size_t m) { return m == 1 ? 1 : m <= 4 ? 4 : m <= 8 ? 8 : 16; }
