// The parts of causal attention between its products.
#pragma once

#include "numbers.h"

// dots[h·dots_stride + i] = Σ a·b over head h of row i; a warp has a row of a head. Grid: (⌈rows·heads / 8⌉).
KERNEL row_dots(float *dots, int64_t dots_stride, In a, In b, int64_t rows, int64_t heads, int64_t head_dim) {
  int64_t item = (int64_t)BLOCK_X * (THREADS_X / 32) + THREAD_X / 32;
  if (item >= rows * heads) return;
  int64_t row = item / heads, head = item % heads;
  float sum = 0;
#pragma unroll 1
  for (int64_t c = (int64_t)lane() * 4; c < head_dim; c += 128) {
    int n = four(c, head_dim);
    Four x = load4(a, row, head * head_dim + c, n), y = load4(b, row, head * head_dim + c, n);
    EACH(k, 4) sum = fused(x.v[k], y.v[k], sum);
  }
  sum = warp_sum(sum);
  if (lane() == 0) dots[head * dots_stride + row] = sum;
}

// MARK: Sinks

// What attention gave without sinks [heads] becomes what it is with them: out [rows, heads·value_dim] times σ(L − s), and
// L = log_sums[head·log_step + row] becomes log(eᴸ + eˢ). A warp has a row of a head. Grid: (⌈rows·heads / 8⌉).
KERNEL attention_sinks(Out out, float *log_sums, int64_t log_step, const float *sinks, int64_t rows, int64_t heads,
                       int64_t value_dim) {
  int64_t item = (int64_t)BLOCK_X * (THREADS_X / 32) + THREAD_X / 32;
  if (item >= rows * heads) return;
  int64_t row = item / heads, head = item % heads;
  // All lanes have read it before one of them writes: a shuffle waits for them.
  float sum = shuffle_xor(log_sums[head * log_step + row], 0), sink = sinks[head], ahead = sum - sink;
  float share = 1 / (1 + exponential(-ahead));
#pragma unroll 1
  for (int64_t c = (int64_t)lane() * 4; c < value_dim; c += 128) {
    int n = four(c, value_dim);
    Four x = load4(in(out), row, head * value_dim + c, n);
    EACH(k, 4) x.v[k] *= share;
    store4(out, row, head * value_dim + c, n, x);
  }
  if (lane() == 0)
    log_sums[head * log_step + row] = (ahead > 0 ? sum : sink) + logarithm(1 + exponential(ahead > 0 ? -ahead : ahead));
}

// d_sinks[head] −= Σ exp(s − L)·dots over the rows, both of which are log_step apart from head to head. Grid: (heads).
KERNEL attention_sink_gradient(float *d_sinks, const float *dots, const float *log_sums, int64_t log_step,
                               const float *sinks, int64_t rows) {
  SHARED(float, room, 8);
  int64_t head = BLOCK_X;
  float sum = 0;
  for (int64_t row = THREAD_X; row < rows; row += THREADS_X)
    sum += exponential(sinks[head] - log_sums[head * log_step + row]) * dots[head * log_step + row];
  sum = block_sum(sum, room);
  if (THREAD_X == 0) d_sinks[head] -= sum;
}

// MARK: Blocks of scores

// What a block of products q·k of several heads becomes: row i's own key is column diagonal + i; it sees this column and
// those before it, `window` in all at most; the score in column j is scale·x + slope·(j − (diagonal + i)).
struct Seen {
  int64_t own, first, end;
};

DEVICE Seen seen_by(int64_t row, int64_t diagonal, int64_t window, int64_t columns) {
  int64_t own = diagonal + row;
  int64_t end = own < 0 ? 0 : own < columns ? own + 1 : columns;
  int64_t first = own < window ? 0 : own + 1 - window;
  return Seen{own, first < end ? first : end, end};
}

// Within ±cap where cap is not 0.
DEVICE float score(float x, float scale, float slope, float cap, int64_t column, int64_t own) {
  float s = slope == 0 ? x * scale : x * scale + (float)(column - own) * slope;
  return cap == 0 ? s : capped(s, cap);
}

// Of s [heads, rows, columns] float32, dense: p = softmax of each row's scores, 0 where it does not see, laid out as s;
// log_sums[h·log_step + i] = log Σ exp(score), null being not wanted. slopes [heads] or null. Head h of the block is head
// first_head + h·head_step of the model. Grid: (rows, heads).
KERNEL attention_softmax(void *p, int32_t type, float *log_sums, int64_t log_step, const float *s, const float *slopes,
                         int64_t first_head, int64_t head_step, float scale, float cap, int64_t diagonal, int64_t window,
                         int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X, head = first_head + (int64_t)BLOCK_Y * head_step;
  int64_t at = (int64_t)BLOCK_Y * GRID_X + row;
  float slope = slopes ? slopes[head] : 0;
  Seen seen = seen_by(row, diagonal, window, columns);
  In from = {s, columns, FLOAT32};
  Out to = {p, columns, type};
  float largest = minus_infinity();
  EACH_FOUR_OF_ROW(column, columns) {
    Four x = load4(from, at, column, four(column, columns));
    EACH(k, 4)
      if (column + k >= seen.first && column + k < seen.end)
        largest = larger(largest, score(x.v[k], scale, slope, cap, column + k, seen.own));
  }
  largest = block_largest(largest, room);
  float sum = 0;
  EACH_FOUR_OF_ROW(column, columns) {
    Four x = load4(from, at, column, four(column, columns));
    EACH(k, 4)
      if (column + k >= seen.first && column + k < seen.end)
        sum += exponential(score(x.v[k], scale, slope, cap, column + k, seen.own) - largest);
  }
  sum = block_sum(sum, room);
  if (log_sums && THREAD_X == 0) log_sums[head * log_step + row] = largest + logarithm(sum);
  float inverse = 1 / sum;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four x = load4(from, at, column, n);
    EACH(k, 4) {
      bool sees = column + k >= seen.first && column + k < seen.end;
      x.v[k] = sees ? exponential(score(x.v[k], scale, slope, cap, column + k, seen.own) - largest) * inverse : 0;
    }
    store4(to, at, column, n, x);
  }
}

enum { SHORT_ROW = 1024 };

DEVICE Four load4_at_once(const float *p) {
  Words4 all = *(const Words4 *)p;
  return Four{{bits_float(all.words[0]), bits_float(all.words[1]), bits_float(all.words[2]), bits_float(all.words[3])}};
}
DEVICE void store4_at_once(void *p, int64_t i, int32_t type, Four y) {
  if (type == FLOAT32) {
    *(Words4 *)((float *)p + i) =
        Words4{{float_bits(y.v[0]), float_bits(y.v[1]), float_bits(y.v[2]), float_bits(y.v[3])}};
  } else {
    *(Words2 *)((uint16_t *)p + i) =
        Words2{{(uint32_t)narrow(y.v[0], type) | (uint32_t)narrow(y.v[1], type) << 16,
                (uint32_t)narrow(y.v[2], type) | (uint32_t)narrow(y.v[3], type) << 16}};
  }
}

// The same of up to SHORT_ROW columns, a multiple of 4: a warp has a row, which it keeps. Grid: (⌈rows / 8⌉, heads).
KERNEL attention_softmax_short(void *p, int32_t type, float *log_sums, int64_t log_step, const float *s, const float *slopes,
                               int64_t first_head, int64_t head_step, float scale, float cap, int64_t diagonal, int64_t window,
                               int64_t rows, int64_t columns) {
  int64_t row = (int64_t)BLOCK_X * (THREADS_X / 32) + THREAD_X / 32, head = first_head + (int64_t)BLOCK_Y * head_step;
  if (row >= rows) return;
  int64_t at = (int64_t)BLOCK_Y * rows + row;
  float slope = slopes ? slopes[head] : 0;
  Seen seen = seen_by(row, diagonal, window, columns);
  Four kept[SHORT_ROW / 128];
  float largest = minus_infinity(), sum = 0;
  EACH(i, SHORT_ROW / 128) {
    int64_t column = 128 * i + (int64_t)lane() * 4;
    if (column >= seen.end) continue;
    kept[i] = load4_at_once(s + at * columns + column);
    EACH(k, 4) {
      bool sees = column + k >= seen.first && column + k < seen.end;
      kept[i].v[k] = sees ? score(kept[i].v[k], scale, slope, cap, column + k, seen.own) : minus_infinity();
      largest = larger(largest, kept[i].v[k]);
    }
  }
  largest = warp_largest(largest);
  EACH(i, SHORT_ROW / 128) {
    int64_t column = 128 * i + (int64_t)lane() * 4;
    if (column >= seen.end) continue;
    EACH(k, 4) {
      bool sees = column + k >= seen.first && column + k < seen.end;
      kept[i].v[k] = sees ? exponential(kept[i].v[k] - largest) : 0;
      sum += kept[i].v[k];
    }
  }
  sum = warp_sum(sum);
  if (log_sums && lane() == 0) log_sums[head * log_step + row] = largest + logarithm(sum);
  float inverse = 1 / sum;
  EACH(i, SHORT_ROW / 128) {
    int64_t column = 128 * i + (int64_t)lane() * 4;
    if (column >= columns) continue;
    Four y = {{0, 0, 0, 0}};
    if (column < seen.end) EACH(k, 4) y.v[k] = kept[i].v[k] * inverse;
    store4_at_once(p, at * columns + column, type, y);
  }
}

// The same block backwards: p again, and ds = p·(dp − dots[h·log_step + i])·scale, times the cap's slope; both 0 where row i
// does not see. s and dp [heads, rows, columns] float32. Grid: (rows, heads).
KERNEL attention_softmax_gradient(void *p, void *ds, int32_t type, const float *s, const float *dp, const float *log_sums,
                                  const float *dots, int64_t log_step, const float *slopes, int64_t first_head,
                                  int64_t head_step, float scale, float cap, int64_t diagonal, int64_t window, int64_t columns) {
  int64_t row = BLOCK_X, head = first_head + (int64_t)BLOCK_Y * head_step;
  int64_t at = (int64_t)BLOCK_Y * GRID_X + row;
  float slope = slopes ? slopes[head] : 0;
  float log_sum = log_sums[head * log_step + row], dot = dots[head * log_step + row];
  Seen seen = seen_by(row, diagonal, window, columns);
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four x = load4(In{s, columns, FLOAT32}, at, column, n), d = load4(In{dp, columns, FLOAT32}, at, column, n);
    EACH(k, 4) {
      bool sees = column + k >= seen.first && column + k < seen.end;
      float own = score(x.v[k], scale, slope, cap, column + k, seen.own);
      x.v[k] = sees ? exponential(own - log_sum) : 0;
      d.v[k] = sees ? x.v[k] * (d.v[k] - dot) * scale : 0;
      if (cap != 0) d.v[k] *= capped_slope(own, cap);
    }
    store4(Out{p, columns, type}, at, column, n, x);
    store4(Out{ds, columns, type}, at, column, n, d);
  }
}
