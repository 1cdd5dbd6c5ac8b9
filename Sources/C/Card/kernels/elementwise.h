// Elementwise kernels, and those that move rows. Grids as EACH_FOUR takes them.
#pragma once

#include "numbers.h"

// out = x in out's type.
KERNEL convert(Out out, In x, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    store4(out, row, column, n, load4(x, row, column, n));
  }
}

// x *= factor
KERNEL scale(Out x, float factor, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    Four a = load4(in(x), row, column, n);
    EACH(k, 4) a.v[k] *= factor;
    store4(x, row, column, n, a);
  }
}

// x = cap·tanh(x / cap); tanh u = 2σ(2u) − 1
KERNEL soft_cap(Out x, float cap, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    Four a = load4(in(x), row, column, n);
    EACH(k, 4) a.v[k] = capped(a.v[k], cap);
    store4(x, row, column, n, a);
  }
}

// dx *= 1 − (y / cap)², y being what soft_cap gave.
KERNEL soft_cap_gradient(Out dx, In y, float cap, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    Four a = load4(in(dx), row, column, n), b = load4(y, row, column, n);
    EACH(k, 4) a.v[k] *= capped_slope(b.v[k], cap);
    store4(dx, row, column, n, a);
  }
}

// Row i *= factors[i].
KERNEL scale_rows(Out x, const float *factors, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    Four a = load4(in(x), row, column, n);
    float factor = factors[row];
    EACH(k, 4) a.v[k] *= factor;
    store4(x, row, column, n, a);
  }
}

// x += y
KERNEL add(Out x, In y, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    Four a = load4(in(x), row, column, n), b = load4(y, row, column, n);
    EACH(k, 4) a.v[k] += b.v[k];
    store4(x, row, column, n, a);
  }
}

// y += bias[columns]
KERNEL add_bias(Out y, const float *bias, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    Four a = load4(in(y), row, column, n), b = load4(In{bias, 0, FLOAT32}, 0, column, n);
    EACH(k, 4) a.v[k] += b.v[k];
    store4(y, row, column, n, a);
  }
}

// sums[columns] += Σ over the rows of y. A block has 32 columns; its eight warps share the rows, always in the same way.
KERNEL add_column_sums(float *sums, In y, int64_t rows, int64_t columns) {
  SHARED(float, parts, 256);
  int64_t column = (int64_t)BLOCK_X * 32 + lane();
  float sum = 0;
  if (column < columns)
#pragma unroll 1
    for (int64_t row = THREAD_X / 32; row < rows; row += 8) sum += load(y, row, column);
  parts[THREAD_X] = sum;
  barrier();
  if (THREAD_X >= 32 || column >= columns) return;
  sum = sums[column];
  for (int part = 0; part < 8; part++) sum += parts[part * 32 + lane()];
  sums[column] = sum;
}

// out[i] = x[indices[i]]
KERNEL gather_rows(Out out, In x, const int32_t *indices, int64_t rows, int64_t columns) {
  EACH_FOUR(row, column, rows, columns) {
    int n = four(column, columns);
    store4(out, row, column, n, load4(x, indices[row], column, n));
  }
}

// x[targets[i]] += Σ of y[sources[j]] for firsts[i] ≤ j < firsts[i + 1], in this order; targets differ.
KERNEL scatter_add_rows(Out x, In y, const int32_t *targets, const int32_t *firsts, const int32_t *sources, int64_t count,
                        int64_t columns) {
  EACH_FOUR(i, column, count, columns) {
    int n = four(column, columns);
    Four sum = load4(in(x), targets[i], column, n);
#pragma unroll 1
    for (int32_t j = firsts[i]; j < firsts[i + 1]; j++) {
      Four b = load4(y, sources[j], column, n);
      EACH(k, 4) sum.v[k] += b.v[k];
    }
    store4(x, targets[i], column, n, sum);
  }
}
