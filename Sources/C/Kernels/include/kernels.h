// The kernels: pure C functions, one table of them per instruction set.
//
// No function allocates, starts threads or keeps state. Matrices are row-major, `kernels_out` or `kernels_in`; plain
// pointers are dense. T, T2… name an operand's type, which the struct carries; "c" means bfloat16 or float32. Sums are float32 unless said. Outputs come first, then inputs, then sizes. An output may be
// an input only where it says "in place". Results are equal bit for bit within a table; tables differ by the
// order of sums only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Equal to DType's raw values.
enum kernels_dtype { KERNELS_FLOAT32 = 0, KERNELS_BFLOAT16 = 1, KERNELS_FLOAT16 = 2 };

// Equal to Activation's raw values: x·σ(x), x·Φ(x), its approximation by tanh, and x·σ(1.702·x) of an x of at most 7, which
// gates up + 1 with up within ±7.
enum kernels_activation { KERNELS_SILU = 0, KERNELS_GELU = 1, KERNELS_GELU_TANH = 2, KERNELS_CLAMPED = 3 };

// A matrix that is written, or written again: its first element, the elements from one row's start to the next one's,
// and its type by `kernels_dtype`.
typedef struct {
  void *_Nullable at;  // null where the operation says that it may be left out
  size_t stride;
  int type;
} kernels_out;

// A matrix that is read.
typedef struct {
  const void *_Nullable at;  // null where the operation says that it may be left out
  size_t stride;
  int type;
} kernels_in;

// Which elements a dropout keeps; see ops/dropout.inc for the bits.
typedef struct {
  uint64_t key;
  uint64_t first_row;  // the number of the matrix's first row among all that share the key
  size_t first_column; // and of its first column, a multiple of 32
  uint32_t threshold;  // an element whose 16 bits are at least this is kept
  float factor;        // on those that are kept
} kernels_dropout;

// What a block of attention scores is: row i's own key is column diagonal + i. It sees this column and those before
// it, `window` columns in all at most, and the score in column j is scale·q·k + slope·(j − (diagonal + i)), or where
// there is a cap, cap·tanh(of that / cap).
typedef struct {
  float scale;
  float slope;         // of ALiBi (Press, Smith & Lewis 2021); 0: none
  float cap;           // 0: none
  ptrdiff_t diagonal;
  size_t window;       // at least 1; SIZE_MAX: all
} kernels_mask;

// A key head's keys and values of one sequence in the layouts that attention's products read, each made by `pack` for
// its use; in units of 32 bits. Of what kind they are is the table's own matter.
typedef struct {
  const uint32_t *keys;                 // KERNELS_FOR_SCORES; backward: KERNELS_FOR_GRADIENT
  const uint32_t *values;               // KERNELS_FOR_SUMS; backward: KERNELS_FOR_GRADIENT
  const uint32_t *_Nullable key_pairs;  // backward: KERNELS_FOR_QUERIES
} kernels_panels;

// What a panel is multiplied for: scores, sums of values, the scores and dp of the gradient, dq.
enum { KERNELS_FOR_SCORES, KERNELS_FOR_SUMS, KERNELS_FOR_GRADIENT, KERNELS_FOR_QUERIES };

// The last and the first key that row r sees.
static inline ptrdiff_t kernels_own_key(const kernels_mask *mask, size_t r) { return mask->diagonal + (ptrdiff_t)r; }
static inline ptrdiff_t kernels_first_key(const kernels_mask *mask, size_t r) {
  ptrdiff_t own = kernels_own_key(mask, r);
  return (size_t)own < mask->window ? 0 : own + 1 - (ptrdiff_t)mask->window;
}

// Queries of one head and what they attend to.
typedef struct {
  kernels_in q;  // [rows, head_dim] c
  kernels_panels panels;
  kernels_mask mask;  // columns are the panels' keys; the diagonal is not below 0
  size_t rows;        // 1 to KERNELS_ATTENTION_ROWS
  size_t head_dim, value_dim;
} kernels_queries;

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

// What is known of rows' softmax whose logits come panel by panel.
typedef struct {
  float *largest;        // [rows] the largest logit; −∞ before the first panel
  int32_t *largest_at;   // [rows] its column, of equal ones the first
  float *others;         // [rows] Σ exp(logit − largest) over all columns but the label's; 0 before the first panel
  float *label;          // [rows] the label's logit
} kernels_softmax;

// A matrix of GGUF's quantised blocks as a file has it: row by row, each of whole blocks.
typedef struct {
  const uint8_t *at;  // of any alignment
  size_t columns;
  // Rows of a head whose rows lie in llama.cpp's order: pairs that turn together side by side, where the matrix has them
  // half a head apart. 0: rows lie as they are.
  size_t turning;
  int format;  // BlockFormat's raw value
} kernels_blocks;

// Rows of x in 8 bits for products with blocks, in groups of 256 columns, the last one filled up with zeros.
typedef struct {
  int8_t *codes;   // [rows, groups, 256]
  float *scales;   // [rows, groups, 8]: of 32 columns each, 1/127 of their largest magnitude
  float *sums;     // [rows, groups, 2, 8]: scale·Σ codes, of the first and of the second 16 of the 32 columns
} kernels_rounded;

// Rows of x as whole numbers for `nf4_dot` or `int8_dot`, in groups of KERNELS_GEMV_ROWS rows, the last one of those left. An
// element is about number·scale; the columns of a block lie in an order of the table's own.
typedef struct {
  int16_t *numbers;  // [groups][blocks][rows of the group][columns of a block]
  float *scales;     // [groups][blocks][rows of the group]
} kernels_whole;

// A group of 256 columns of rows of blocks: w = scale·code − minimum, each with a scale and a minimum per 16 columns.
enum { KERNELS_UNPACKED_ROWS = 16 };
typedef struct {
  uint8_t codes[8][KERNELS_UNPACKED_ROWS][32];  // by parts of 32 columns
  float scales[KERNELS_UNPACKED_ROWS][2][8];    // of the first and of the second 16 columns of each part
  float minima[KERNELS_UNPACKED_ROWS][2][8];
  int halves;  // whether the two differ
} kernels_unpacked;

// AdamW's numbers for one step, bias corrections applied.
typedef struct {
  float gradient_scale;  // gradients are multiplied by this first
  float decay;           // 1 − learning rate · weight decay
  float beta1, beta1_rest;  // β₁ and 1 − β₁
  float beta2, beta2_rest;
  float step_size;   // learning rate / (1 − β₁ᵗ)
  float correction;  // √(1 − β₂ᵗ)
  float epsilon;
} kernels_adamw;

// A moment in 8 bits, in blocks of 256: an element is map[code]·absmax of its block.
typedef struct {
  uint8_t *codes;                // [n]
  float *absmax;                 // [(n + 255) / 256]
  const float *map;              // [256]
  const uint8_t *codes_of_grid;  // [65536] the code of each of so many points from −1 to 1
} kernels_byte_moment;

// Attention of one head over blocks of queries.
typedef struct {
  // Keys or values x [rows, columns] c of one head as a panel of `panel_size` units for a use, 0 where it reaches
  // beyond x.
  void (*pack)(uint32_t *out, int use, kernels_in x, size_t rows, size_t columns);
  size_t (*panel_size)(int type, size_t rows, size_t columns);
  // out [rows, value_dim] c = softmax(scores)·v and log_sums[rows] = log Σ exp(score). Every row sees its own key.
  // memory: `forward_memory` units of 32 bits, 64-byte aligned, as the one below.
  void (*forward)(kernels_out out, float *_Nullable log_sums, const kernels_queries *block, uint32_t *memory);
  size_t (*forward_memory)(int type, size_t head_dim, size_t value_dim);
  // Its gradient: dq [rows, head_dim] c; dk [keys, head_dim] and dv [keys, value_dim] float32 are added to, their rows
  // being so many whole vectors of 16. dout and out [rows, value_dim] c, log_sums of the forward pass.
  void (*backward)(kernels_out dq, float *dk, size_t dk_stride, float *dv, size_t dv_stride, kernels_in dout,
                   kernels_in out, const float *log_sums, const kernels_queries *block, uint32_t *memory);
  size_t (*backward_memory)(int type, size_t head_dim, size_t value_dim);
} kernels_attention;

typedef struct kernels {
  const char *name;

  // MARK: Elementwise

  // out[rows, columns] T = x[rows, columns] T2, rounded to nearest even; any of the three types each.
  void (*convert)(kernels_out out, kernels_in x, size_t rows, size_t columns);
  // x[rows, columns] c *= factor
  void (*scale)(kernels_out x, float factor, size_t rows, size_t columns);
  // x[rows, columns] float32 = cap·tanh(x / cap)
  void (*soft_cap)(kernels_out x, float cap, size_t rows, size_t columns);
  // dx[rows, columns] c *= 1 − (y / cap)², the derivative of soft_cap where its result was y, float32
  void (*soft_cap_gradient)(kernels_out dx, kernels_in y, float cap, size_t rows, size_t columns);
  // x[rows, columns] float32 += y[rows, columns] c
  void (*add)(kernels_out x, kernels_in y, size_t rows, size_t columns);
  // y[rows, columns] float32 = x + R(factor·R(R(y) + bias[columns])): a linear's result in the type t, to which R rounds,
  // onto a residual x float32. bias null: 0
  void (*add_result)(kernels_out y, kernels_in x, const float *_Nullable bias, float factor, int t, size_t rows,
                     size_t columns);
  // y[rows, columns] c += bias[columns]
  void (*add_bias)(kernels_out y, const float *bias, size_t rows, size_t columns);
  // sums[columns] += Σ over the rows of y[rows, columns] c, in their order
  void (*add_columns)(float *sums, kernels_in y, size_t rows, size_t columns);

  // MARK: Layers

  // reciprocal[rows] = 1 / √(mean x² + ε); y[rows, columns] c = x · reciprocal · weight[columns], x float32
  void (*rms_norm)(kernels_out y, float *reciprocal, kernels_in x, const float *weight, float epsilon, size_t rows,
                   size_t columns);
  // dx += r·(w·dy − x·r²·mean(w·dy·x)); all float32
  void (*rms_norm_gradient)(kernels_out dx, kernels_in dy, kernels_in x, const float *reciprocal, const float *weight,
                            size_t rows, size_t columns);
  // dw[columns] += Σ over the rows of dy·(x − mean)·reciprocal, in their order, mean null being 0; of both norms
  void (*norm_weight_gradient)(float *dw, kernels_in dy, kernels_in x, const float *_Nullable mean,
                               const float *reciprocal, size_t rows, size_t columns);
  // mean[rows] = mean x; reciprocal[rows] = 1 / √(mean (x − mean)² + ε);
  // y[rows, columns] c = (x − mean)·reciprocal·weight[columns] + bias[columns], null being 0; x float32
  void (*layer_norm)(kernels_out y, float *mean, float *reciprocal, kernels_in x, const float *weight,
                     const float *_Nullable bias, float epsilon, size_t rows, size_t columns);
  // dx += r·(g − mean(g) − x̂·mean(g·x̂)) with g = w·dy and x̂ = (x − mean)·r; all float32
  void (*layer_norm_gradient)(kernels_out dx, kernels_in dy, kernels_in x, const float *mean, const float *reciprocal,
                              const float *weight, size_t rows, size_t columns);
  // Rotates pairs of every head by the row's angles, in place: x[rows, heads·head_dim] c, cosine and sine
  // [rows, rotary/2]. Angle i is of elements (i, i + rotary/2), or (2i, 2i + 1) when `interleaved`; those from rotary
  // on stay. `sign` is 1, or −1 for the inverse.
  void (*rotate)(kernels_out x, const float *cosine, const float *sine, float sign, int interleaved, size_t rows,
                 size_t heads, size_t head_dim, size_t rotary);
  // y[rows, columns] c = f(x)·g(up), all of one type; up may be null: without g. f by `kernels_activation`; g(up) is up but
  // where that says otherwise. In place allowed.
  void (*activate)(kernels_out y, kernels_in x, kernels_in up, int activation, size_t rows, size_t columns);
  // dx[rows, columns] c = dy·g(up)·f'(x) and d_up c = dy·f(x)·g'(up) from dy T2; up may be null: then d_up is not written
  void (*activate_gradient)(kernels_out dx, kernels_out d_up, kernels_in dy, kernels_in x, kernels_in up,
                            int activation, size_t rows, size_t columns);
  // y = keep(row, column)·x·factor, both c of one type. In place allowed.
  void (*dropout)(kernels_out y, kernels_in x, kernels_dropout bits, size_t rows, size_t columns);
  // dx float32 += keep(row, column)·g·factor, g c
  void (*add_dropped)(kernels_out dx, kernels_in g, kernels_dropout bits, size_t rows, size_t columns);

  // MARK: Loss and optimizer

  // losses[rows] = −log softmax(logits)[label], logits float32; gradient[rows, columns] c = (softmax − onehot)·weights[row],
  // or null, and then weights may be null too. A label below 0 is no target: loss 0, gradient 0. A NaN or infinity in a row
  // makes its loss NaN or infinite.
  void (*cross_entropy)(float *losses, kernels_out gradient, kernels_in logits, const int32_t *labels,
                        const float *_Nullable weights, size_t rows, size_t columns);
  // Takes logits[rows, columns] float32, columns first_column and on of each row, into its sums; labels count from the row's
  // first column. exponentials c, or null, is set to exp(logit − largest), 0 at the label. scaled[rows, scaled_columns]
  // float32, or null, holds sums of exponentials from before: it is multiplied by what the largest's change makes of them.
  void (*add_softmax_panel)(kernels_softmax sums, kernels_out exponentials, kernels_out scaled, kernels_in logits,
                            const int32_t *labels, size_t first_column, size_t rows, size_t columns,
                            size_t scaled_columns);
  // losses[rows] = −log softmax[label] of the sums. gradient[rows, columns] float32, or null, holds Σ exponential·w over the
  // rows w of the head's matrix: it becomes weights[row]·Σ (softmax − onehot)·slope·w. label_w has the labels' w, and slope is
  // 1 − (logit/cap)², which the exponentials have in them already, or with a cap of 0 it is 1.
  void (*softmax_cross_entropy)(float *losses, kernels_out gradient, kernels_softmax sums, kernels_in label_w,
                                const float *_Nullable weights, float cap, size_t rows, size_t columns);
  // Σ x² in float64
  double (*sum_of_squares)(const float *x, size_t n);
  // 1 if any of x[n] T is infinite or NaN
  int (*has_non_finite)(const void *x, int t, size_t n);
  // One AdamW step over n elements: value, m, v in place
  void (*adamw)(float *value, const float *gradient, float *m, float *v, size_t n, const kernels_adamw *numbers);
  // The same with moments in 8 bits, of which value and gradient are those from `first_block` on
  void (*adamw_bytes)(float *value, const float *gradient, const kernels_byte_moment *m, const kernels_byte_moment *v,
                      size_t first_block, size_t n, const kernels_adamw *numbers);

  // MARK: Weights

  // Codes [(n + 1) / 2] and absmax [(n + 63) / 64] of x[n] T as bitsandbytes' quantize_4bit("nf4", 64) gives them
  void (*nf4_quantize)(uint8_t *codes, float *absmax, const void *x, int t, size_t n);
  // out[rows, columns] c = weights[first_row…, first_column…]
  void (*nf4_decode)(kernels_out out, const kernels_nf4 *weights, size_t first_row, size_t first_column, size_t rows,
                     size_t columns);
  // Products of m ≤ KERNELS_GEMV_ROWS rows; a row's result is the same bits for every m.
  // y[m, rows] float32 = x[m, columns] c · weights[first_row ..< first_row + rows, :]ᵀ, each weight rounded as nf4_decode does.
  void (*nf4_gemv)(kernels_out y, kernels_in x, size_t m, const kernels_nf4 *weights, size_t first_row, size_t rows);
  // The same with a group of rows as whole numbers and columns that are whole blocks of 64. The products of a block are summed
  // as whole numbers, a code's being 7,854 times its value, rounded, and in float32 one chain of fused multiply-adds goes over
  // the blocks, each sum by the product of its two scales: so all tables give the same bits. What rounding loses is at most
  // Σ |w|·(the largest of its 64)/8,192 and, the table's part, 4.3·10⁻⁵·Σ |x|·(the scale of w).
  void (*nf4_dot)(kernels_out y, const kernels_whole *x, size_t m, const kernels_nf4 *weights, size_t first_row,
                  size_t rows);
  // out = x[rows, columns] bfloat16 for it. A NaN or infinity makes its block's scale NaN; magnitudes below 2⁻¹⁰⁰ may become 0.
  void (*nf4_whole_rows)(const kernels_whole *out, kernels_in x, size_t rows, size_t columns);
  // y[m, rows] float32 (+)= x[m, columns] c · w[rows, columns] cᵀ
  void (*dense_gemv)(kernels_out y, kernels_in x, size_t m, kernels_in w, size_t rows, size_t columns, int accumulate);
  // y[m, rows] float32 = x[m, columns] float32 · (codes·scale)[rows, columns]ᵀ; columns are whole blocks of 32.
  void (*int8_gemv)(kernels_out y, kernels_in x, size_t m, const int8_t *codes, const uint16_t *scales, size_t rows,
                    size_t columns);
  // The same with a group of rows as whole numbers, summed as by `nf4_dot`, in blocks of 32: what rounding loses is at most
  // Σ |w|·(the largest of its 32)/4,096. No code is −128.
  void (*int8_dot)(kernels_out y, const kernels_whole *x, size_t m, const int8_t *codes, const uint16_t *scales,
                   size_t rows, size_t columns);
  void (*int8_whole_rows)(const kernels_whole *out, kernels_in x, size_t rows, size_t columns);
  // Codes [blocks·32] and bfloat16 scales [blocks] of x[blocks·32] c: |x − code·scale| ≤ scale/2. A block with a NaN
  // or infinity gets the scale NaN.
  void (*int8_quantize)(int8_t *codes, uint16_t *scales, const void *x, int t, size_t blocks);

  // out[rows, columns] c = blocks[first_row…, first_column…]; in float32 what ggml's reference gives, bit for bit
  void (*blocks_decode)(kernels_out out, const kernels_blocks *blocks, size_t first_row, size_t first_column,
                        size_t rows, size_t columns);
  // y[m, rows] float32 = x[m, columns] c · blocks[first_row ..< first_row + rows, :]ᵀ, each weight rounded to x's type
  void (*blocks_gemv)(kernels_out y, kernels_in x, size_t m, const kernels_blocks *blocks, size_t first_row,
                      size_t rows);
  // The same with rows of x in 8 bits: what rounding x loses is at most Σ |w|·scale/2, w less its minimum. All tables give
  // the same bits: codes are summed as integers over the columns that share a scale, in float32 one chain of fused
  // multiply-adds for each of the eight parts of 32 columns of a group, over the groups, for products and for minima; then
  // ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)) of each eight, and their difference.
  void (*blocks_dot)(kernels_out y, const kernels_rounded *x, size_t m, const kernels_blocks *blocks,
                     size_t first_row, size_t rows);
  // out = x[rows, columns] c in 8 bits; columns are a multiple of 32. A NaN or infinity makes its scale NaN.
  void (*blocks_round)(const kernels_rounded *out, kernels_in x, size_t rows, size_t columns);
  // A group of rows first_row ..< first_row + rows, rows ≤ KERNELS_UNPACKED_ROWS; 0 beyond the last column.
  void (*blocks_unpack)(kernels_unpacked *out, const kernels_blocks *blocks, size_t first_row, size_t rows,
                        size_t group);

  // MARK: Attention

  kernels_attention attention;
  // dots[h·dots_stride + i] = Σ a·b over head h of row i; a, b [rows, heads·head_dim] T
  void (*row_dots)(float *dots, size_t dots_stride, kernels_in a, kernels_in b, size_t rows, size_t heads,
                   size_t head_dim);
  // One row of queries against a cache, for the heads that share a key head: q [group, head_dim] and out
  // [group, value_dim] T; keys [count, head_dim] and values [count, value_dim] T, the last being the row's own; slopes
  // [group] and cap as in `kernels_mask`, null being 0; head h's log Σ exp(score) goes to log_sums[h·log_stride].
  // count ≥ 1, value_dim ≤ KERNELS_HEAD_LIMIT.
  void (*attention_row)(kernels_out out, float *_Nullable log_sums, size_t log_stride, kernels_in q, kernels_in keys,
                        kernels_in values, size_t group, size_t head_dim, size_t value_dim, size_t count, float scale,
                        float cap, const float *_Nullable slopes);
  // What attention gave without sinks [heads] becomes what it is with them: out[rows, heads·value_dim] c, in place, and
  // log_sums[h·log_stride + i] of head h and row i.
  void (*attention_sinks)(kernels_out out, float *log_sums, size_t log_stride, const float *sinks, size_t rows,
                          size_t heads, size_t value_dim);
  // −Σ exp(sink − log_sums)·dots over a head's rows, in their order and in float64; dots are Σ dout·out.
  float (*attention_sink_gradient)(const float *dots, const float *log_sums, float sink, size_t rows);
} kernels;

enum { KERNELS_HEAD_LIMIT = 512, KERNELS_GEMV_ROWS = 8, KERNELS_ATTENTION_ROWS = 192 };

// MARK: - GGUF blocks

// Groups of 256 columns that so many columns lie in.
static inline size_t kernels_groups(size_t columns) { return (columns + 255) / 256; }

// The blocks of finite x[rows, columns], whose columns are whole blocks: the bytes of llama.cpp's quantisers. `format` is the
// raw value of BlockFormat. What an error in column i weighs is by importance[columns]; null: by the weights alone. Q8_0 has
// no choice to weigh.
void kernels_encode_blocks(int format, uint8_t *blocks, const float *x, const float *_Nullable importance, size_t rows,
                           size_t columns);

// MARK: - Choice

// The tables of this build that this processor can run, the best last; null beyond the last.
const kernels *_Nullable kernels_table(size_t index);
// Two of them, null where this processor cannot run them: with AVX-512 and its bfloat16, integer and byte parts; and with
// its base alone, in the list above only where the first is not.
const kernels *_Nullable kernels_whole_avx512(void);
const kernels *_Nullable kernels_base_avx512(void);
// The table that kernels_use has given to the calling thread, or null: the process's choice holds.
const kernels *_Nullable kernels_of_thread(void);
// Makes the calling thread use `table`, or again the process's choice when null. For tests.
void kernels_use(const kernels *_Nullable table);

#pragma clang assume_nonnull end
