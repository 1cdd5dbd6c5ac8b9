// Decoding NF4 weights, and products of few rows, where reading the weights is the cost.
#pragma once

#include "nf4.h"

// out[rows, columns] = the weights [first_row…, first_column…]. A thread has eight columns.
KERNEL nf4_decode(Out out, NF4 w, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns) {
  SHARED(float, book, 16);
  fill_book(book);
  EACH_EIGHT(row, c, rows, columns) {
      int n = eight(c, columns);
      // What is rounded once more to the same type stays as it is.
      store8(out, row, c, n, decode8(w, book, (first_row + row) * w.columns + first_column + c, n, out.type));
  }
}

// MARK: Products of few rows

// Rows that share a reading of the weights.
enum { ROWS_TOGETHER = 8 };

struct Sums {
  float v[ROWS_TOGETHER];
};

// Rows first ..< first + m of x, m ≤ ROWS_TOGETHER.
struct Rows {
  In x;
  int64_t first;
  int m;
};

// sums[r] += x[first + r, c…]·weights over eight columns, for m ≤ most rows of an x in_eights.
template <int most>
DEVICE void add_eight(Sums &sums, Rows rows, int64_t c, Eight weights) {
  EACH(r, most) {
    if (r >= rows.m) continue;
    Eight of_x = load8_at_once(rows.x, rows.first + r, c);
    EACH(k, 8) sums.v[r] = fused(of_x.v[k], weights.v[k], sums.v[r]);
  }
}

// The lane's columns come eight at a time; with `ahead` four times eight while there are so many, so that several loads are
// under way.
template <int most, bool ahead>
DEVICE void add_dense_eights(Sums &sums, Rows rows, In w, int64_t output, int64_t columns) {
  int64_t c = (int64_t)lane() * 8;
#pragma unroll 1
  for (int64_t done = 0; ahead && done + 1024 <= columns; done += 1024, c += 1024) {
    Eight weights[4];
    EACH(part, 4) weights[part] = load8_at_once(w, output, c + 256 * part);
    EACH(part, 4) add_eight<most>(sums, rows, c + 256 * part, weights[part]);
  }
#pragma unroll 1
  for (; c < columns; c += 256) add_eight<most>(sums, rows, c, load8_at_once(w, output, c));
}

template <int most, bool ahead>
DEVICE void add_nf4_eights(Sums &sums, Rows rows, NF4 w, const float *book, int64_t output) {
  int64_t c = (int64_t)lane() * 8, start = output * w.columns;
#pragma unroll 1
  for (int64_t done = 0; ahead && done + 1024 <= w.columns; done += 1024, c += 1024) {
    uint32_t codes[4];
    float scales[4];
    EACH(part, 4) {
      int64_t i = start + c + 256 * part;
      codes[part] = *(const uint32_t *)(w.codes + i / 2);
      scales[part] = block_scale(w, i / 64);
    }
    EACH(part, 4) {
      Eight weights = decoded(w, book, codes[part], scales[part], rows.x.type);
      add_eight<most>(sums, rows, c + 256 * part, rounded8(weights, rows.x.type));
    }
  }
#pragma unroll 1
  for (; c < w.columns; c += 256) {
    int64_t i = start + c;
    Eight weights = decoded(w, book, *(const uint32_t *)(w.codes + i / 2), block_scale(w, i / 64), rows.x.type);
    add_eight<most>(sums, rows, c, rounded8(weights, rows.x.type));
  }
}

// The same of any x and weights, element by element in the same order.
DEVICE void add_one(Sums &sums, Rows rows, int64_t c, float weight) {
  EACH(r, ROWS_TOGETHER)
    if (r < rows.m) sums.v[r] = fused(load(rows.x, rows.first + r, c), weight, sums.v[r]);
}
DEVICE_APART Sums add_dense_slowly(Sums sums, Rows rows, In w, int64_t output, int64_t columns) {
#pragma unroll 1
  for (int64_t c = (int64_t)lane() * 8; c < columns; c += (c & 7) == 7 ? 249 : 1) add_one(sums, rows, c, load(w, output, c));
  return sums;
}
DEVICE_APART Sums add_nf4_slowly(Sums sums, Rows rows, NF4 w, const float *book, int64_t output) {
#pragma unroll 1
  for (int64_t c = (int64_t)lane() * 8; c < w.columns; c += (c & 7) == 7 ? 249 : 1)
    add_one(sums, rows, c, rounded(decode1(w, book, output * w.columns + c), rows.x.type));
  return sums;
}

// In eights of any type, and where the matrices are not in_eights.
DEVICE_APART Sums add_dense_of_any(Sums sums, Rows rows, In w, int64_t output, int64_t columns) {
  if (!in_eights(rows.x, columns) || !in_eights(w, columns)) return add_dense_slowly(sums, rows, w, output, columns);
  add_dense_eights<ROWS_TOGETHER, false>(sums, rows, w, output, columns);
  return sums;
}
DEVICE_APART Sums add_nf4_of_any(Sums sums, Rows rows, NF4 w, const float *book, int64_t output) {
  if (!in_eights(rows.x, w.columns)) return add_nf4_slowly(sums, rows, w, book, output);
  add_nf4_eights<ROWS_TOGETHER, false>(sums, rows, w, book, output);
  return sums;
}

// sums[r] += x[first + r]·w[output], by a warp: each lane its share. float16 is by itself so that nothing in it asks for the
// type: what cards without the kernels of rows_tiles.h compute in.
DEVICE void add_dense(Sums &sums, Rows rows, In w, int64_t output, int64_t columns) {
  if (rows.x.type != FLOAT16 || w.type != FLOAT16 || !in_eights(rows.x, columns) || !in_eights(w, columns)) {
    sums = add_dense_of_any(sums, rows, w, output, columns);
    return;
  }
  rows.x.type = w.type = FLOAT16;
  rows.m == 1 ? add_dense_eights<1, true>(sums, rows, w, output, columns)
              : add_dense_eights<ROWS_TOGETHER, true>(sums, rows, w, output, columns);
}
DEVICE void add_nf4(Sums &sums, Rows rows, NF4 w, const float *book, int64_t output) {
  if (rows.x.type != FLOAT16 || w.type != FLOAT16 || !in_eights(rows.x, w.columns)) {
    sums = add_nf4_of_any(sums, rows, w, book, output);
    return;
  }
  rows.x.type = w.type = FLOAT16;
  rows.m == 1 ? add_nf4_eights<1, true>(sums, rows, w, book, output)
              : add_nf4_eights<ROWS_TOGETHER, true>(sums, rows, w, book, output);
}

DEVICE void store_sums(Out y, Rows rows, int64_t output, Sums sums) {
  EACH(r, ROWS_TOGETHER) {
    if (r >= rows.m) continue;
    float sum = warp_sum(sums.v[r]);
    if (lane() == 0) store(y, rows.first + r, output, sum);
  }
}

DEVICE Rows together(In x, int64_t first, int64_t rows) {
  return Rows{x, first, rows - first < ROWS_TOGETHER ? (int)(rows - first) : ROWS_TOGETHER};
}

// y[rows, outputs] = x[rows, columns]·w[outputs, columns]ᵀ + h[rows, thin]·b[outputs, thin]ᵀ; without h, the first term. The
// sums meet in float32. A warp has an output and eight rows, each of which gets the same bits beside any others.
// Grid: (⌈outputs / 8⌉, ⌈rows / 8⌉).
KERNEL dense_rows(Out y, In x, In w, In h, In b, int64_t rows, int64_t outputs, int64_t columns, int64_t thin) {
  int64_t output = (int64_t)BLOCK_X * (THREADS_X / 32) + THREAD_X / 32, first = (int64_t)BLOCK_Y * ROWS_TOGETHER;
  if (output >= outputs) return;
  Sums sums = {{0, 0, 0, 0, 0, 0, 0, 0}};
  Rows own = together(x, first, rows);
  add_dense(sums, own, w, output, columns);
  if (h.at) sums = add_dense_of_any(sums, together(h, first, rows), b, output, thin);
  store_sums(y, own, output, sums);
}

// The same with NF4 weights, rounded to x's type.
KERNEL nf4_rows(Out y, In x, NF4 w, In h, In b, int64_t rows, int64_t outputs, int64_t thin) {
  SHARED(float, book, 16);
  fill_book(book);
  int64_t output = (int64_t)BLOCK_X * (THREADS_X / 32) + THREAD_X / 32, first = (int64_t)BLOCK_Y * ROWS_TOGETHER;
  if (output >= outputs) return;
  Sums sums = {{0, 0, 0, 0, 0, 0, 0, 0}};
  Rows own = together(x, first, rows);
  add_nf4(sums, own, w, book, output);
  if (h.at) sums = add_dense_of_any(sums, together(h, first, rows), b, output, thin);
  store_sums(y, own, output, sums);
}
