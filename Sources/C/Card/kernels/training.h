// Loss, norms of gradients and the optimizer.
#pragma once

#include "numbers.h"

// losses[rows] = −log softmax(logits)[label]; gradient = (softmax − onehot)·weights[row], or null, and then weights may be
// null too. A label below 0 is no target: loss 0, gradient 0. Grid: (rows).
KERNEL cross_entropy(float *losses, Out gradient, In logits, const int32_t *labels, const float *weights, int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X;
  int32_t label = labels[row];
  if (label < 0) {
    if (THREAD_X == 0) losses[row] = 0;
    if (gradient.at)
      EACH_FOUR_OF_ROW(column, columns) store4(gradient, row, column, four(column, columns), Four{{0, 0, 0, 0}});
    return;
  }
  float largest = minus_infinity();
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four x = load4(logits, row, column, n);
    EACH(k, 4)
      if (k < n) largest = larger(largest, x.v[k]);
  }
  largest = block_largest(largest, room);
  float sum = 0;
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four x = load4(logits, row, column, n);
    EACH(k, 4)
      if (k < n) sum += exponential(x.v[k] - largest);
  }
  float log_sum = largest + logarithm(block_sum(sum, room));
  if (THREAD_X == 0) losses[row] = log_sum - load(logits, row, label);
  if (!gradient.at) return;
  float weight = weights[row];
  EACH_FOUR_OF_ROW(column, columns) {
    int n = four(column, columns);
    Four x = load4(logits, row, column, n);
    EACH(k, 4) x.v[k] = (exponential(x.v[k] - log_sum) - (column + k == label ? 1.0f : 0.0f)) * weight;
    store4(gradient, row, column, n, x);
  }
}

// flags[rows] = 1 where x[row, chosen[row]] is the row's largest, of equal ones the first. Grid: (rows).
KERNEL is_largest(uint8_t *flags, In x, const int32_t *chosen, int64_t columns) {
  SHARED(float, room, 8);
  int64_t row = BLOCK_X, column = chosen[row];
  float value = load(x, row, column), beaten = value == value ? 0 : 1;
#pragma unroll 1
  for (int64_t c = THREAD_X; c < columns; c += THREADS_X) {
    float other = load(x, row, c);
    if (c < column ? !(other < value) : !(other <= value)) beaten = 1;
  }
  beaten = block_largest(beaten, room);
  if (THREAD_X == 0) flags[row] = beaten == 0 ? 1 : 0;
}

// The sum of the block's doubles, in thread 0. `room`: 256 of them that the block shares.
DEVICE double block_sum_of_doubles(double x, double *room) {
  room[THREAD_X] = x;
  for (uint32_t half = THREADS_X / 2; half > 0; half /= 2) {
    barrier();
    if (THREAD_X < half) room[THREAD_X] += room[THREAD_X + half];
  }
  return room[0];
}

// sums[blocks] = Σ x² of the block's share; 256 threads.
KERNEL sum_of_squares(double *sums, const float *x, int64_t count) {
  SHARED(double, room, 256);
  double sum = 0;
  int64_t fours = (count + 3) / 4;
#pragma unroll 1
  for (int64_t i = (int64_t)BLOCK_X * THREADS_X + THREAD_X; i < fours; i += (int64_t)GRID_X * THREADS_X) {
    Four a = load4(In{x, 0, FLOAT32}, 0, i * 4, four(i * 4, count));
    EACH(k, 4) sum += (double)a.v[k] * (double)a.v[k];
  }
  sum = block_sum_of_doubles(sum, room);
  if (THREAD_X == 0) sums[BLOCK_X] = sum;
}

// sum[0] = Σ of parts[count]; one block of 256 threads.
KERNEL add_doubles(double *sum, const double *parts, int64_t count) {
  SHARED(double, room, 256);
  double mine = 0;
#pragma unroll 1
  for (int64_t i = THREAD_X; i < count; i += THREADS_X) mine += parts[i];
  mine = block_sum_of_doubles(mine, room);
  if (THREAD_X == 0) sum[0] = mine;
}

// flag[0] = 1 if any of x[count] is infinite or NaN; otherwise it stays.
KERNEL find_non_finite(int32_t *flag, In x, int64_t count) {
#pragma unroll 1
  for (int64_t c = ((int64_t)BLOCK_X * THREADS_X + THREAD_X) * 4; c < count; c += (int64_t)GRID_X * THREADS_X * 4) {
    Four a = load4(x, 0, c, four(c, count));
    float zero = 0;
    EACH(k, 4) zero += a.v[k] * 0;  // NaN if it is neither
    if (zero != 0) flag[0] = 1;
  }
}

// AdamW's numbers for one step, laid out as card_adamw.
struct AdamW {
  float gradient_scale, decay, beta1, beta1_rest, beta2, beta2_rest, step_size, correction, epsilon;
};

// AdamW (Loshchilov & Hutter 2019) in the order of operations of torch.optim.AdamW.
KERNEL adamw(float *value, const float *gradient, float *m, float *v, AdamW numbers, int64_t count) {
  Out values = {value, 0, FLOAT32}, firsts = {m, 0, FLOAT32}, seconds = {v, 0, FLOAT32};
#pragma unroll 1
  for (int64_t c = ((int64_t)BLOCK_X * THREADS_X + THREAD_X) * 4; c < count; c += (int64_t)GRID_X * THREADS_X * 4) {
    int n = four(c, count);
    Four x = load4(in(values), 0, c, n), g = load4(In{gradient, 0, FLOAT32}, 0, c, n);
    Four m1 = load4(in(firsts), 0, c, n), v1 = load4(in(seconds), 0, c, n);
    EACH(k, 4) {
      float scaled = g.v[k] * numbers.gradient_scale;
      m1.v[k] = fused(numbers.beta1_rest, scaled - m1.v[k], m1.v[k]);
      v1.v[k] = v1.v[k] * numbers.beta2 + scaled * scaled * numbers.beta2_rest;
      float denominator = square_root(v1.v[k]) / numbers.correction + numbers.epsilon;
      x.v[k] = x.v[k] * numbers.decay - m1.v[k] / denominator * numbers.step_size;
    }
    store4(firsts, 0, c, n, m1);
    store4(seconds, 0, c, n, v1);
    store4(values, 0, c, n, x);
  }
}

// A moment in 8 bits, laid out as card_byte_moment: code i stands for map[codes[i]]·absmax[i / 256].
struct ByteMoment {
  uint8_t *codes;
  float *absmax;
  const float *map;              // [256]
  const uint8_t *codes_of_grid;  // [MOMENT_GRID]
};
enum { MOMENT_BLOCK = 256, MOMENT_GRID = 65536 };

// The thread's value of a moment's block; all of a block are read before any is written.
DEVICE float decoded(ByteMoment moment, int64_t i) { return moment.map[moment.codes[i]] * moment.absmax[i / MOMENT_BLOCK]; }

// Writes the block's scale, its largest magnitude, and the code of the grid's point that is nearest to the thread's share of it.
DEVICE void encode(ByteMoment moment, int64_t i, float value, bool there, float *room) {
  float magnitude = value < 0 ? -value : value;
  float largest = block_largest(there && value == value ? magnitude : 0, room);
  if (THREAD_X == 0) moment.absmax[BLOCK_X] = largest;
  if (!there) return;
  float share = value * (1 / largest);
  if (share != share) share = 0;
  share = share < -1 ? -1 : share > 1 ? 1 : share;
  int32_t point = (int32_t)((share + 1) * 0.5f * (MOMENT_GRID - 1) + 0.5f);
  moment.codes[i] = largest == 0 ? (uint8_t)0 : moment.codes_of_grid[point];
}

// AdamW with moments in 8 bits, in the processor's order of operations (ops/adamw_bytes.inc), which is bitsandbytes': a code
// depends on the last bit. Grid: (blocks of 256 elements); 256 threads.
KERNEL adamw_bytes(float *value, const float *gradient, ByteMoment first, ByteMoment second, AdamW numbers, int64_t count) {
  SHARED(float, room, 8);
  int64_t i = (int64_t)BLOCK_X * MOMENT_BLOCK + THREAD_X;
  bool there = i < count;
  float m = 0, v = 0;
  if (there) {
    float g = gradient[i] * numbers.gradient_scale;
    m = fused(g, numbers.beta1_rest, decoded(first, i) * numbers.beta1);
    v = fused(g * numbers.beta2_rest, g, decoded(second, i) * numbers.beta2);
    float denominator = square_root(v) / numbers.correction + numbers.epsilon;
    value[i] = value[i] * numbers.decay - m * numbers.step_size / denominator;
  }
  encode(first, i, m, there, room);
  encode(second, i, v, there, room);
}
