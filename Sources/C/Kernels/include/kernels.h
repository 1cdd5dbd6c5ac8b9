// The kernels: pure C functions, one table of them per instruction set.
//
// No function allocates, starts threads or keeps state. Matrices are row-major; a stride is the number of
// elements from one row's start to the next one's. T, T2… name the element type by `kernels_dtype`. "c" means
// bfloat16 or float32. Sums are float32 unless said. Outputs come first, then inputs, then sizes. An output may be
// an input only where it says "in place". Results are equal bit for bit within a table; tables differ by the
// order of sums only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Equal to DType's raw values.
enum kernels_dtype { KERNELS_FLOAT32 = 0, KERNELS_BFLOAT16 = 1, KERNELS_FLOAT16 = 2 };

// Equal to Activation's raw values: x·σ(x), x·Φ(x), and its approximation by tanh.
enum kernels_activation { KERNELS_SILU = 0, KERNELS_GELU = 1, KERNELS_GELU_TANH = 2 };

// What a block of attention scores is: row i's own key is column diagonal + i. It sees this column and those before
// it, `window` columns in all at most, and the score in column j is scale·q·k + slope·(j − (diagonal + i)).
typedef struct {
  float scale;
  float slope;         // of ALiBi (Press, Smith & Lewis 2021); 0: none
  ptrdiff_t diagonal;  // may be negative: then row i sees nothing yet
  size_t window;       // at least 1; SIZE_MAX: all
} kernels_mask;

// NF4 weights [rows, columns] in bitsandbytes' layout: two codes a byte, the first in the high half, blocks of 64
// over the flattened matrix, their scales either plain or 8-bit codes with a map, an absmax per 256 and an offset.
typedef struct {
  const uint8_t *codes;                   // [(rows·columns + 1) / 2]
  const float *_Nullable absmax;          // [blocks]; null when nested
  const uint8_t *_Nullable absmax_codes;  // [blocks]
  const float *_Nullable nested_absmax;   // [(blocks + 255) / 256]
  const float *_Nullable nested_map;      // [256]
  float nested_offset;
  size_t columns;
  int dtype;  // a decoded weight is rounded to this type first
} kernels_nf4;

// AdamW's numbers for one step, bias corrections applied.
typedef struct {
  float gradient_scale;  // gradients are multiplied by this first
  float decay;           // 1 − learning rate · weight decay
  float beta1_rest;      // 1 − β₁
  float beta2, beta2_rest;
  float step_size;   // learning rate / (1 − β₁ᵗ)
  float correction;  // √(1 − β₂ᵗ)
  float epsilon;
} kernels_adamw;

typedef struct kernels {
  const char *name;

  // MARK: Elementwise

  // out[rows, columns] T = x[rows, columns] T2, rounded to nearest even; any of the three types each.
  void (*convert)(void *out, int t, size_t out_stride, const void *x, int t2, size_t x_stride, size_t rows,
                  size_t columns);
  // x[rows, columns] T *= factor
  void (*scale)(void *x, int t, size_t stride, float factor, size_t rows, size_t columns);
  // x[rows, columns] float32 += y[rows, columns] T
  void (*add)(float *x, size_t x_stride, const void *y, int t, size_t y_stride, size_t rows, size_t columns);
  // y[rows, columns] T += bias[columns]
  void (*add_bias)(void *y, int t, size_t stride, const float *bias, size_t rows, size_t columns);

  // MARK: Layers

  // reciprocal[rows] = 1 / √(mean x² + ε); y[rows, columns] T = x · reciprocal · weight[columns]
  void (*rms_norm)(void *y, int t, size_t y_stride, float *reciprocal, const float *x, size_t x_stride,
                   const float *weight, float epsilon, size_t rows, size_t columns);
  // dx += r·(w·dy − x·r²·mean(w·dy·x)); all float32
  void (*rms_norm_gradient)(float *dx, size_t dx_stride, const float *dy, size_t dy_stride, const float *x,
                            size_t x_stride, const float *reciprocal, const float *weight, size_t rows,
                            size_t columns);
  // mean[rows] = mean x; reciprocal[rows] = 1 / √(mean (x − mean)² + ε);
  // y[rows, columns] T = (x − mean)·reciprocal·weight[columns] + bias[columns], null being 0
  void (*layer_norm)(void *y, int t, size_t y_stride, float *mean, float *reciprocal, const float *x, size_t x_stride,
                     const float *weight, const float *_Nullable bias, float epsilon, size_t rows, size_t columns);
  // dx += r·(g − mean(g) − x̂·mean(g·x̂)) with g = w·dy and x̂ = (x − mean)·r; all float32
  void (*layer_norm_gradient)(float *dx, size_t dx_stride, const float *dy, size_t dy_stride, const float *x,
                              size_t x_stride, const float *mean, const float *reciprocal, const float *weight,
                              size_t rows, size_t columns);
  // Rotates pairs of every head by the row's angles, in place: x[rows, heads·head_dim] T, cosine and sine
  // [rows, rotary/2]. Angle i is of elements (i, i + rotary/2), or (2i, 2i + 1) when `interleaved`; those from rotary
  // on stay. `sign` is 1, or −1 for the inverse.
  void (*rotate)(void *x, int t, size_t stride, const float *cosine, const float *sine, float sign, int interleaved,
                 size_t rows, size_t heads, size_t head_dim, size_t rotary);
  // y[rows, columns] T = f(x)·up, both T; up may be null: 1. f by `kernels_activation`. In place allowed.
  void (*activate)(void *y, size_t y_stride, const void *x, size_t x_stride, const void *_Nullable up, size_t up_stride,
                   int t, int activation, size_t rows, size_t columns);
  // dx[rows, columns] T = dy·up·f'(x) and d_up T = dy·f(x) from dy T2; up and d_up may both be null
  void (*activate_gradient)(void *dx, size_t dx_stride, void *_Nullable d_up, size_t d_up_stride, const void *dy, int t2,
                            size_t dy_stride, const void *x, size_t x_stride, const void *_Nullable up,
                            size_t up_stride, int t, int activation, size_t rows, size_t columns);
  // y = keep(row, column)·x·factor for rows first_row…; see ops/dropout.inc for the bits. In place allowed.
  void (*dropout)(void *y, size_t y_stride, const void *x, size_t x_stride, int t, uint64_t key, uint64_t first_row,
                  uint32_t threshold, float factor, size_t rows, size_t columns);
  // dx float32 += keep(row, column)·g·factor, g of type T
  void (*add_dropped)(float *dx, size_t dx_stride, const void *g, size_t g_stride, int t, uint64_t key,
                      uint64_t first_row, uint32_t threshold, float factor, size_t rows, size_t columns);

  // MARK: Loss and optimizer

  // losses[rows] = −log softmax(logits)[label]; gradient[rows, columns] T = (softmax − onehot)·weights[row], or null and
  // then weights may be.
  // A label below 0 is no target: loss 0, gradient 0. A NaN or infinity in a row makes its loss NaN or infinite.
  void (*cross_entropy)(float *losses, void *_Nullable gradient, int t, size_t gradient_stride, const float *logits,
                        size_t logits_stride, const int32_t *labels, const float *_Nullable weights, size_t rows,
                        size_t columns);
  // Σ x² in float64
  double (*sum_of_squares)(const float *x, size_t n);
  // 1 if any of x[n] T is infinite or NaN
  int (*has_non_finite)(const void *x, int t, size_t n);
  // One AdamW step over n elements: value, m, v in place
  void (*adamw)(float *value, const float *gradient, float *m, float *v, size_t n, const kernels_adamw *numbers);

  // MARK: Weights

  // Codes [(n + 1) / 2] and absmax [(n + 63) / 64] of x[n] T as bitsandbytes' quantize_4bit("nf4", 64) gives them
  void (*nf4_quantize)(uint8_t *codes, float *absmax, const void *x, int t, size_t n);
  // out[rows, columns] T = weights[first_row…, first_column…]
  void (*nf4_decode)(void *out, int t, size_t out_stride, const kernels_nf4 *weights, size_t first_row,
                     size_t first_column, size_t rows, size_t columns);
  // Products of m ≤ KERNELS_GEMV_ROWS rows; a row's result is the same bits for every m.
  // y[m, rows] float32 = x[m, columns] c · weights[first_row ..< first_row + rows, :]ᵀ. With x in bfloat16 and whole
  // blocks, a weight is its scale times the code's value rounded to bfloat16: |error| ≤ 2⁻⁹·Σ|x·w|.
  void (*nf4_gemv)(float *y, size_t y_stride, const void *x, size_t x_stride, int t, size_t m,
                   const kernels_nf4 *weights, size_t first_row, size_t rows);
  // y[m, rows] float32 (+)= x[m, columns] c · w[rows, columns] cᵀ
  void (*dense_gemv)(float *y, size_t y_stride, const void *x, size_t x_stride, int t, size_t m, const void *w,
                     size_t w_stride, size_t rows, size_t columns, int accumulate);
  // y[m, rows] float32 = x[m, columns] c · (codes·scale)[rows, columns]ᵀ; columns are whole blocks of 32.
  void (*int8_gemv)(float *y, size_t y_stride, const void *x, size_t x_stride, int t, size_t m, const int8_t *codes,
                    const uint16_t *scales, size_t rows, size_t columns);
  // Codes [blocks·32] and bfloat16 scales [blocks] of x[blocks·32] c: |x − code·scale| ≤ scale/2. A block with a NaN
  // or infinity gets the scale NaN.
  void (*int8_quantize)(int8_t *codes, uint16_t *scales, const void *x, int t, size_t blocks);

  // MARK: Attention

  // Softmax of a block of products s = q·kᵀ [m, n] float32, which is overwritten: with the scores of `mask`,
  // log_sums[m] = log Σ exp(score) and p[m, n] T = exp(score − log_sums[i]), 0 where row i does not see. Every row
  // sees at least one column.
  void (*attention_softmax)(void *p, int t, size_t p_stride, float *log_sums, float *s, size_t s_stride,
                            const kernels_mask *mask, size_t m, size_t n);
  // The same block backwards: p again, and ds = p·(dp − dots[i])·scale, the gradient of s; both T, 0 where row i does
  // not see; a row may see nothing. s and dp [m, n] float32.
  void (*attention_softmax_gradient)(void *p, size_t p_stride, void *ds, size_t ds_stride, int t, const float *s,
                                     size_t s_stride, const float *dp, size_t dp_stride, const float *log_sums,
                                     const float *dots, const kernels_mask *mask, size_t m, size_t n);
  // dots[h·dots_stride + i] = Σ a·b over head h of row i; a, b [rows, heads·head_dim] T
  void (*row_dots)(float *dots, size_t dots_stride, const void *a, size_t a_stride, const void *b, size_t b_stride,
                   int t, size_t rows, size_t heads, size_t head_dim);
  // One row of queries against a cache, for the heads that share a key head: q and out [group, head_dim] T,
  // contiguous; keys and values [count, head_dim] T, the last being the row's own; slopes [group] as in `kernels_mask`,
  // null being 0. count ≥ 1, head_dim ≤ KERNELS_HEAD_LIMIT.
  void (*attention_row)(void *out, const void *q, const void *keys, size_t key_stride, const void *values,
                        size_t value_stride, int t, size_t group, size_t head_dim, size_t count, float scale,
                        const float *_Nullable slopes);
} kernels;

enum { KERNELS_HEAD_LIMIT = 512, KERNELS_GEMV_ROWS = 8 };

// MARK: - GGUF blocks

// `format` is the raw value of BlockFormat: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K in this order.
// Decodes `count` blocks to float32; the same on every processor.
void kernels_decode_blocks(int format, float *out, const uint8_t *blocks, size_t count);
// The reverse for Q4_0 and Q8_0 only, as ggml's reference quantises; x is finite.
void kernels_encode_blocks(int format, uint8_t *blocks, const float *x, size_t count);

// MARK: - Choice

// The tables of this build that this processor can run, the best last; null beyond the last.
const kernels *_Nullable kernels_table(size_t index);
// The table that kernels_use has given to the calling thread, or null: the process's choice holds.
const kernels *_Nullable kernels_of_thread(void);
// Makes the calling thread use `table`, or again the process's choice when null. For tests.
void kernels_use(const kernels *_Nullable table);

#pragma clang assume_nonnull end
