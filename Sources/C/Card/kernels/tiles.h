// Tiles for tensor cores: how a warp's fragments (multiply_tile) lie in matrices of a type of 16 bits.
#pragma once

#include "numbers.h"

// MARK: Tiles in shared memory

enum { TILE_ROWS = 64, TILE_THREADS = 128 };

// Elements between rows of `dim`: eight rows' pieces of 16 bytes lie in different banks.
DEVICE constexpr int tile_stride(int dim) { return dim + 8; }

// Asks for `count` rows of a tile from row `row` on, columns `column` ..< `column` + columns; what lies beyond
// `rows` and `columns`, multiples of 8, becomes 0. All threads of the block call it.
template <int dim, int count>
DEVICE void fetch_tile(uint16_t *tile, In x, int64_t row, int rows, int64_t column, int columns) {
  const uint16_t *from = (const uint16_t *)x.at + row * x.stride + column;
#pragma unroll
  for (int first = 0; first < count * dim / 8; first += TILE_THREADS) {
    int i = first + (int)THREAD_X, r = i / (dim / 8), c = i % (dim / 8) * 8;
    if (count * dim / 8 % TILE_THREADS != 0 && r >= count) continue;
    bool there = r < rows && c < columns;
    copy_later(tile + r * tile_stride(dim) + c, from + (there ? r * x.stride + c : 0), there);
  }
}

// MARK: Fragments

// The instructions for a type, BFLOAT16 or FLOAT16.
template <int type>
DEVICE uint32_t narrow_pair_to(float first, float second) {
  if constexpr (type == BFLOAT16) return narrow_pair(first, second);
  return narrow_pair_float16(first, second);
}
template <int type>
DEVICE void multiply_tile_of(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (type == BFLOAT16) {
    multiply_tile(d, a, b0, b1);
  } else {
    multiply_tile_float16(d, a, b0, b1);
  }
}

// a[16, 16] of a tile, from its row `row` and column `column` on.
template <int dim>
DEVICE void load_left(uint32_t (&a)[4], const uint16_t *tile, int row, int column) {
  int l = (int)lane(), matrix = l / 8;
  load_tiles(a, tile + (row + (l & 7) + 8 * (matrix & 1)) * tile_stride(dim) + column + 8 * (matrix / 2));
}

// b of two neighbours, [16, 8] each: words 0 and 1 of the first, 2 and 3 of the second. Their columns are the tile's rows,
// as in x·tileᵀ.
template <int dim>
DEVICE void load_right_transposed(uint32_t (&b)[4], const uint16_t *tile, int row, int column) {
  int l = (int)lane(), matrix = l / 8;
  load_tiles(b, tile + (row + (l & 7) + 8 * (matrix / 2)) * tile_stride(dim) + column + 8 * (matrix & 1));
}

// The same where their columns are the tile's columns, as in x·tile.
template <int dim>
DEVICE void load_right(uint32_t (&b)[4], const uint16_t *tile, int row, int column) {
  int l = (int)lane(), matrix = l / 8;
  load_tiles_transposed(b, tile + (row + (l & 7) + 8 * (matrix & 1)) * tile_stride(dim) + column + 8 * (matrix / 2));
}

// a [16, dim] straight from a matrix: rows `row` and those after it, of which there are `rows`; 0 beyond them and `columns`.
template <int dim>
DEVICE void load_rows(uint32_t (&a)[dim / 16][4], In x, int64_t row, int rows, int64_t column, int columns) {
  const uint16_t *from = (const uint16_t *)x.at + row * x.stride + column;
  EACH(k, dim / 16) EACH(word, 4) {
    int r = (int)lane() / 4 + 8 * (word & 1), c = 16 * k + 2 * ((int)lane() % 4) + 8 * (word / 2);
    a[k][word] = r < rows && c < columns ? *(const uint32_t *)(from + r * x.stride + c) : 0;
  }
}

template <int tiles>
DEVICE void clear(float (&d)[tiles][4]) {
  EACH(n, tiles) EACH(i, 4) d[n][i] = 0;
}

// d[16, 8·tiles] = a[16, dim]·tileᵀ, the tile's rows from `row` on.
template <int type, int dim, int tiles>
DEVICE void multiply_transposed(float (&d)[tiles][4], const uint32_t (&a)[dim / 16][4], const uint16_t *tile, int row) {
  clear(d);
  EACH(k, dim / 16) EACH(n, tiles / 2) {
    uint32_t b[4];
    load_right_transposed<dim>(b, tile, row + 16 * n, 16 * k);
    multiply_tile_of<type>(d[2 * n], a[k], b[0], b[1]);
    multiply_tile_of<type>(d[2 * n + 1], a[k], b[2], b[3]);
  }
}

// What a product gave, rounded, as the left of the next: the columns 16·k ..< 16·k + 16 of d.
template <int type, int tiles>
DEVICE void as_left(uint32_t (&a)[4], const float (&d)[tiles][4], int k) {
  a[0] = narrow_pair_to<type>(d[2 * k][0], d[2 * k][1]);
  a[1] = narrow_pair_to<type>(d[2 * k][2], d[2 * k][3]);
  a[2] = narrow_pair_to<type>(d[2 * k + 1][0], d[2 * k + 1][1]);
  a[3] = narrow_pair_to<type>(d[2 * k + 1][2], d[2 * k + 1][3]);
}

// sums[16, dim] += p[16, 8·tiles]·tile, p rounded, the tile's rows from `row` on.
template <int type, int dim, int tiles>
DEVICE void add_product(float (&sums)[dim / 8][4], const float (&p)[tiles][4], const uint16_t *tile, int row) {
  EACH(k, tiles / 2) {
    uint32_t a[4];
    as_left<type>(a, p, k);
    EACH(n, dim / 16) {
      uint32_t b[4];
      load_right<dim>(b, tile, row + 16 * k, 16 * n);
      multiply_tile_of<type>(sums[2 * n], a, b[0], b[1]);
      multiply_tile_of<type>(sums[2 * n + 1], a, b[2], b[3]);
    }
  }
}

// out[row…, column…] = factor·sums, of whose 16 rows there are `rows`; factors are those of the lane's two rows. out is of
// the type, or float32.
template <int type, int dim>
DEVICE void store_rows(Out out, const float (&sums)[dim / 8][4], const float (&factors)[2], int64_t row, int rows, int64_t column,
                       int columns) {
  EACH(n, dim / 8) EACH(half, 2) {
    int r = (int)lane() / 4 + 8 * half, c = 8 * n + 2 * ((int)lane() % 4);
    if (r >= rows || c >= columns) continue;
    float first = sums[n][2 * half] * factors[half], second = sums[n][2 * half + 1] * factors[half];
    int64_t i = (row + r) * out.stride + column + c;
    if (out.type == type) {
      *(uint32_t *)((uint16_t *)out.at + i) = narrow_pair_to<type>(first, second);
    } else {
      ((float *)out.at)[i] = first;
      ((float *)out.at)[i + 1] = second;
    }
  }
}

// Over the four lanes that share a row.
DEVICE float row_sum(float x) {
  x += shuffle_xor(x, 1);
  return x + shuffle_xor(x, 2);
}
DEVICE float row_largest(float x) {
  x = larger(x, shuffle_xor(x, 1));
  return larger(x, shuffle_xor(x, 2));
}
