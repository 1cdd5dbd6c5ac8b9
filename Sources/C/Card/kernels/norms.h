// Normalisations, forward and backward: a block has a row.
#pragma once

#include "numbers.h"

DEVICE Four weights4(const float *weight, int64_t column, int n) { return load4(In{weight, 0, FLOAT32}, 0, column, n); }

// reciprocal[rows] = 1 / √(mean x² + ε); y = x·reciprocal·weight. Grid: (rows).
KERNEL rms_norm(Out y, float *reciprocal, In x, const float *weight, float epsilon, int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X;
  float squares = 0;
  EACH_FOUR_OF_ROW(column, columns) {
    Four a = load4(x, row, column, four(column, columns));
    EACH(k, 4) squares = fused(a.v[k], a.v[k], squares);
  }
  float inverse = 1 / square_root(block_sum(squares, room) / (float)columns + epsilon);
  if (THREAD_X == 0) reciprocal[row] = inverse;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four a = load4(x, row, column, n), w = weights4(weight, column, n);
    EACH(k, 4) a.v[k] = a.v[k] * inverse * w.v[k];
    store4(y, row, column, n, a);
  }
}

// The same of few rows, whose time is that of one: all loads of a row are under way at once. For x of float32, fours of which lie at
// multiples of 16 bytes as the weight's do, in at most 4·FOURS_OF_THREAD·256 columns. Sums are taken in the same order.
enum { FOURS_OF_THREAD = 8 };
KERNEL rms_norm_few(Out y, float *reciprocal, In x, const float *weight, float epsilon, int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X;
  Four a[FOURS_OF_THREAD], w[FOURS_OF_THREAD];
  x.type = FLOAT32;
  EACH(i, FOURS_OF_THREAD) {
    int64_t column = (int64_t)(THREAD_X + i * THREADS_X) * 4, there = column < columns ? column : 0;
    a[i] = load4_at_once(x, row, there);
    w[i] = load4_at_once(In{weight, 0, FLOAT32}, 0, there);
  }
  float squares = 0;
  EACH(i, FOURS_OF_THREAD)
    if ((int64_t)(THREAD_X + i * THREADS_X) * 4 < columns) EACH(k, 4) squares = fused(a[i].v[k], a[i].v[k], squares);
  float inverse = 1 / square_root(block_sum(squares, room) / (float)columns + epsilon);
  if (THREAD_X == 0) reciprocal[row] = inverse;
  EACH(i, FOURS_OF_THREAD) {
    int64_t column = (int64_t)(THREAD_X + i * THREADS_X) * 4;
    EACH(k, 4) a[i].v[k] = a[i].v[k] * inverse * w[i].v[k];
    if (column < columns) store4(y, row, column, 4, a[i]);
  }
}

// dx += r·(w·dy − x·r²·mean(w·dy·x)). Grid: (rows).
KERNEL rms_norm_gradient(Out dx, In dy, In x, const float *reciprocal, const float *weight, int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X;
  float dots = 0;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four g = load4(dy, row, column, n), a = load4(x, row, column, n), w = weights4(weight, column, n);
    EACH(k, 4) dots = fused(g.v[k] * w.v[k], a.v[k], dots);
  }
  float inverse = reciprocal[row];
  float common = block_sum(dots, room) / (float)columns * inverse * inverse * inverse;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four g = load4(dy, row, column, n), a = load4(x, row, column, n), w = weights4(weight, column, n);
    Four d = load4(in(dx), row, column, n);
    EACH(k, 4) d.v[k] += fused(a.v[k], -common, g.v[k] * w.v[k] * inverse);
    store4(dx, row, column, n, d);
  }
}

// mean[rows], reciprocal[rows] = 1 / √(variance + ε); y = (x − mean)·reciprocal·weight + bias, null being 0. Grid: (rows).
KERNEL layer_norm(Out y, float *mean, float *reciprocal, In x, const float *weight, const float *bias, float epsilon,
                  int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X;
  float sum = 0, squares = 0;
  EACH_FOUR_OF_ROW(column, columns) {
    Four a = load4(x, row, column, four(column, columns));
    EACH(k, 4) sum += a.v[k];
  }
  float centre = block_sum(sum, room) / (float)columns;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four a = load4(x, row, column, n);
    EACH(k, 4) {
      float d = k < n ? a.v[k] - centre : 0;
      squares = fused(d, d, squares);
    }
  }
  float inverse = 1 / square_root(block_sum(squares, room) / (float)columns + epsilon);
  if (THREAD_X == 0) {
    mean[row] = centre;
    reciprocal[row] = inverse;
  }
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four a = load4(x, row, column, n), w = weights4(weight, column, n);
    Four b = bias ? weights4(bias, column, n) : Four{{0, 0, 0, 0}};
    EACH(k, 4) a.v[k] = (a.v[k] - centre) * inverse * w.v[k] + b.v[k];
    store4(y, row, column, n, a);
  }
}

// dx += r·(g − mean(g) − x̂·mean(g·x̂)) with g = w·dy and x̂ = (x − mean)·r. Grid: (rows).
KERNEL layer_norm_gradient(Out dx, In dy, In x, const float *mean, const float *reciprocal, const float *weight,
                           int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X;
  float centre = mean[row], inverse = reciprocal[row], sum = 0, dots = 0;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four g = load4(dy, row, column, n), a = load4(x, row, column, n), w = weights4(weight, column, n);
    EACH(k, 4) {
      float scaled = g.v[k] * w.v[k];  // 0 beyond the row
      sum += scaled;
      dots = fused(scaled, a.v[k] - centre, dots);
    }
  }
  float common = block_sum(sum, room) / (float)columns;
  float along = block_sum(dots, room) / (float)columns * inverse * inverse;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four g = load4(dy, row, column, n), a = load4(x, row, column, n), w = weights4(weight, column, n);
    Four d = load4(in(dx), row, column, n);
    EACH(k, 4) d.v[k] += fused(a.v[k] - centre, -along, g.v[k] * w.v[k] - common) * inverse;
    store4(dx, row, column, n, d);
  }
}

// dw[columns] += Σ over the rows of dy·(x − mean)·reciprocal, mean null being 0; cut as add_column_sums.
KERNEL norm_weight_gradient(float *dw, In dy, In x, const float *mean, const float *reciprocal, int64_t rows,
                            int64_t columns) {
  SHARED(float, parts, 256);
  int64_t column = (int64_t)BLOCK_X * 32 + lane();
  float sum = 0;
  if (column < columns)
#pragma unroll 1
    for (int64_t row = THREAD_X / 32; row < rows; row += 8) {
      float centre = mean ? mean[row] : 0;
      sum = fused(load(dy, row, column) * reciprocal[row], load(x, row, column) - centre, sum);
    }
  parts[THREAD_X] = sum;
  barrier();
  if (THREAD_X >= 32 || column >= columns) return;
  sum = dw[column];
  for (int part = 0; part < 8; part++) sum += parts[part * 32 + lane()];
  dw[column] = sum;
}
