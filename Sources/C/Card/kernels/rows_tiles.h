// Products of few rows by tensor cores: a weight is read once for all of them. Those of NF4 weights are in nf4_rows_tiles.h.
#pragma once

#include "tiles.h"

// A block has 16 outputs, or a multiple of them, and up to 8·tiles rows; its warps take the columns 64 at a time in turn. In a warp's products the
// lane's 16 columns of a 64 stand for those that multiply_tile would give it, on both sides: so they lie side by side.
enum { ROW_OUTPUTS = 16, ROW_WARPS = 8, ROW_COLUMNS = 64 };

// The lane's 16 columns of one row: pairs of bfloat16.
struct Sixteen {
  uint32_t words[8];
};
DEVICE Sixteen nothing() { return Sixteen{{0, 0, 0, 0, 0, 0, 0, 0}}; }

// Columns c ..< c + 16 of a row, in eights as far as there are `columns`.
DEVICE Sixteen load16(In x, int64_t row, int64_t c, int64_t columns) {
  Sixteen y = nothing();
  const Words4 *from = (const Words4 *)((const uint16_t *)x.at + row * x.stride + c);
  EACH(half, 2) {
    if (c + 8 * half >= columns) continue;
    Words4 four = from[half];
    EACH(k, 4) y.words[4 * half + k] = four.words[k];
  }
  return y;
}

// A weight of bfloat16.
struct DenseWeight {
  In w;
  int64_t outputs, columns;
};
DEVICE Sixteen read(DenseWeight weight, int64_t output, int64_t c) {
  return output < weight.outputs ? load16(weight.w, output, c, weight.columns) : nothing();
}

// MARK: Weights side by side

enum { ROW_PARTS = 3 };

// Weights of one input, whose outputs lie side by side: a layer's queries, keys and values, or its gate and up. Laid out as
// card_dense_parts and card_nf4_parts; those that are not there have no outputs.
template <class W>
struct RowParts {
  W w[ROW_PARTS];
  int64_t outputs[ROW_PARTS];
};
// Of one of them: the block's first output, and the place of the weight's first in y.
template <class W>
struct RowPart {
  W w;
  int64_t outputs, output, column;
};

// Of blocks of `of_block` outputs; each weight begins with a block of its own.
template <int of_block, class W>
DEVICE RowPart<W> own_part(const RowParts<W> &parts) {
  int64_t output = (int64_t)BLOCK_X * of_block, column = 0;
  EACH(i, ROW_PARTS - 1) {
    int64_t outputs = parts.outputs[i], end = (outputs + of_block - 1) / of_block * of_block;
    if (output < end) return RowPart<W>{parts.w[i], outputs, output, column};
    output -= end;
    column += outputs;
  }
  return RowPart<W>{parts.w[ROW_PARTS - 1], parts.outputs[ROW_PARTS - 1], output, column};
}

// MARK: Products

// sums[tile] [16 outputs, 8 rows] += weights·xᵀ over the warp's 64 columns from c on; low and high are the lane's two outputs.
template <int tiles>
DEVICE void add_columns(float (&sums)[tiles][4], Sixteen low, Sixteen high, In x, int64_t first, int64_t rows, int64_t c,
                        int64_t columns) {
  EACH(tile, tiles) {
    int64_t row = first + 8 * tile + lane() / 4;
    Sixteen of_x = row < rows ? load16(x, row, c, columns) : nothing();
    EACH(k, 4) {
      uint32_t a[4] = {low.words[2 * k], high.words[2 * k], low.words[2 * k + 1], high.words[2 * k + 1]};
      multiply_tile(sums[tile], a, of_x.words[2 * k], of_x.words[2 * k + 1]);
    }
  }
}

// sums += weights·xᵀ over all columns of the warp, 128 at a time so that more loads are under way; 16 outputs from the block's
// first on.
template <int tiles>
DEVICE void add_dense_columns(float (&sums)[tiles][4], DenseWeight weight, int64_t of_block, In x, int64_t first, int64_t rows) {
  const int64_t columns = weight.columns, step = ROW_WARPS * ROW_COLUMNS;
  int64_t output = of_block + lane() / 4, own = lane() % 4 * 16;
  int64_t of_warp = (int64_t)(THREAD_X / 32) * ROW_COLUMNS;
#pragma unroll 1
  for (; of_warp + step < columns; of_warp += 2 * step) {
    Sixteen low[2], high[2];
    EACH(part, 2) {
      low[part] = read(weight, output, of_warp + own + part * step);
      high[part] = read(weight, output + 8, of_warp + own + part * step);
    }
    EACH(part, 2) add_columns<tiles>(sums, low[part], high[part], x, first, rows, of_warp + own + part * step, columns);
  }
  if (of_warp < columns)
    add_columns<tiles>(sums, read(weight, output, of_warp + own), read(weight, output + 8, of_warp + own), x, first, rows,
                       of_warp + own, columns);
}

// y = what the warps have summed of 16·groups outputs, added in their order, from the part's column on.
template <int groups, int tiles, class W>
DEVICE void store_outputs(Out y, const float (&sums)[groups][tiles][4], float *room, int64_t first, int64_t rows,
                          const RowPart<W> &part) {
  const int outputs = groups * ROW_OUTPUTS, of_warp = 8 * tiles * outputs;
  EACH(group, groups) EACH(tile, tiles) EACH(i, 4) {
    int output = group * ROW_OUTPUTS + (int)lane() / 4 + 8 * (i / 2), row = 8 * tile + 2 * ((int)lane() % 4) + (i & 1);
    room[(int)THREAD_X / 32 * of_warp + row * outputs + output] = sums[group][tile][i];
  }
  barrier();
#pragma unroll 1
  for (int i = (int)THREAD_X; i < of_warp; i += ROW_WARPS * 32) {
    int64_t row = first + i / outputs, output = part.output + i % outputs;
    float sum = 0;
    EACH(warp, ROW_WARPS) sum += room[warp * of_warp + i];
    if (row < rows && output < part.outputs) store(y, row, part.column + output, sum);
  }
}

// y[rows, outputs] = x·wᵀ + h·bᵀ, all but y bfloat16 in rows of eights. The weights may be several, and then h is null. Each row
// gets the same bits beside any others. Grid: (Σ ⌈outputs / 16⌉, ⌈rows / 8 or 32⌉).
#define DENSE_ROWS(most, tiles)                                                                                        \
  KERNEL dense_rows_##most(Out y, In x, RowParts<In> parts, In h, In b, int64_t rows, int64_t columns, int64_t thin) { \
    SHARED(float, room, ROW_WARPS * 8 * tiles * ROW_OUTPUTS);                                                          \
    int64_t first = (int64_t)BLOCK_Y * 8 * tiles;                                                                      \
    RowPart<In> part = own_part<ROW_OUTPUTS>(parts);                                                                   \
    float sums[1][tiles][4];                                                                                           \
    clear(sums[0]);                                                                                                    \
    add_dense_columns<tiles>(sums[0], DenseWeight{part.w, part.outputs, columns}, part.output, x, first, rows);        \
    if (h.at) add_dense_columns<tiles>(sums[0], DenseWeight{b, part.outputs, thin}, part.output, h, first, rows);      \
    store_outputs(y, sums, room, first, rows, part);                                                                   \
  }
DENSE_ROWS(8, 1)
DENSE_ROWS(32, 4)
