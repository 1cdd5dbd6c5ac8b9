// What is done with a card, one function per kernel: each checks nothing, chooses the grid and launches. All return
// CARD_DONE or the error of the table's `launch`. Shapes and meanings are those of the kernel of the same name in kernels/;
// outputs come first, then inputs, then sizes. Pointers are the card's. Nothing is launched for no rows or columns.
#pragma once

#include "card.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// MARK: Elementwise: x, y, out are [rows, columns]

int card_convert(card *card, card_out out, card_in x, int64_t rows, int64_t columns);
int card_scale(card *card, card_out x, float factor, int64_t rows, int64_t columns);
int card_scale_rows(card *card, card_out x, const float *factors, int64_t rows, int64_t columns);
int card_soft_cap(card *card, card_out x, float cap, int64_t rows, int64_t columns);
int card_soft_cap_gradient(card *card, card_out dx, card_in y, float cap, int64_t rows, int64_t columns);
int card_add(card *card, card_out x, card_in y, int64_t rows, int64_t columns);
int card_add_bias(card *card, card_out y, const float *bias, int64_t rows, int64_t columns);
int card_add_column_sums(card *card, float *sums, card_in y, int64_t rows, int64_t columns);
int card_gather_rows(card *card, card_out out, card_in x, const int32_t *indices, int64_t rows, int64_t columns);
// x[targets[i]] += Σ of y[sources[j]] for firsts[i] ≤ j < firsts[i + 1], in this order; the `count` targets differ.
int card_scatter_add_rows(card *card, card_out x, card_in y, const int32_t *targets, const int32_t *firsts,
                          const int32_t *sources, int64_t count, int64_t columns);

// MARK: Layers

int card_rms_norm(card *card, card_out y, float *reciprocal, card_in x, const float *weight, float epsilon, int64_t rows,
                  int64_t columns);
int card_rms_norm_gradient(card *card, card_out dx, card_in dy, card_in x, const float *reciprocal, const float *weight,
                           int64_t rows, int64_t columns);
int card_layer_norm(card *card, card_out y, float *mean, float *reciprocal, card_in x, const float *weight,
                    const float *_Nullable bias, float epsilon, int64_t rows, int64_t columns);
int card_layer_norm_gradient(card *card, card_out dx, card_in dy, card_in x, const float *mean, const float *reciprocal,
                             const float *weight, int64_t rows, int64_t columns);
int card_norm_weight_gradient(card *card, float *dw, card_in dy, card_in x, const float *_Nullable mean,
                              const float *reciprocal, int64_t rows, int64_t columns);
int card_rotate(card *card, card_out x, const float *cosine, const float *sine, float sign, int interleaved, int64_t rows,
                int64_t heads, int64_t head_dim, int64_t rotary);
int card_activate(card *card, card_out y, card_in x, card_in up, int activation, int64_t rows, int64_t columns);
int card_activate_gradient(card *card, card_out dx, card_out d_up, card_in dy, card_in x, card_in up, int activation,
                           int64_t rows, int64_t columns);
int card_dropout(card *card, card_out y, card_in x, uint64_t key, uint64_t first_row, uint32_t threshold, float factor,
                 int64_t rows, int64_t columns);
int card_add_dropped(card *card, card_out dx, card_in g, uint64_t key, uint64_t first_row, uint32_t threshold,
                     float factor, int64_t rows, int64_t columns);

// MARK: Attention

int card_row_dots(card *card, float *dots, int64_t dots_stride, card_in a, card_in b, int64_t rows, int64_t heads,
                  int64_t head_dim);

// out [rows, heads·value_dim] and log_sums of attention with sinks [heads] from those without.
int card_attention_sinks(card *card, card_out out, float *log_sums, int64_t log_step, const float *sinks, int64_t rows,
                         int64_t heads, int64_t value_dim);
// d_sinks[heads] −= Σ exp(sink − log_sums)·dots over the rows of each head.
int card_attention_sink_gradient(card *card, float *d_sinks, const float *dots, const float *log_sums, int64_t log_step,
                                 const float *sinks, int64_t rows, int64_t heads);

// A block of scores of some heads: those of the model that are first_head + h·head_step for h < heads. Row i's own key is
// column diagonal + i, and it sees at most `window` keys up to it.
typedef struct {
  int64_t rows, columns, heads, first_head, head_step;
  float scale, cap;  // cap: scores stay within ±cap, by tanh; 0: as they are
  const float *_Nullable slopes;  // of all the model's heads; null: no ALiBi
  int64_t diagonal, window;
} card_scores;

// p [heads, rows, columns] of `type` from s float32 of the same shape; log_sums, where wanted, begins with the block's first
// row of the model's head 0, heads lying log_step apart.
int card_attention_softmax(card *card, void *p, int type, float *_Nullable log_sums, int64_t log_step, const float *s,
                           const card_scores *scores);
int card_attention_softmax_gradient(card *card, void *p, void *ds, int type, const float *s, const float *dp,
                                    const float *log_sums, const float *dots, int64_t log_step,
                                    const card_scores *scores);

// A new row of a sequence: the addresses of its sequence's first key and value, and that it sees keys first ..< count, of
// which its own is the last.
typedef struct {
  uint64_t keys, values;
  int64_t key_stride, value_stride, first, count;
} card_cached_row;

// Those of all rows of a step: up to CARD_FEW_CACHED come with the launch, more lie on the card.
enum { CARD_HEAD_LIMIT = 512, CARD_FEW_CACHED = 8 };
typedef struct {
  const card_cached_row *_Nullable many;  // null: the few
  card_cached_row few[CARD_FEW_CACHED];
} card_cached_rows;

int card_append_rows(card *card, const card_cached_rows *cached, card_in k, card_in v, int64_t rows, int64_t key_columns,
                     int64_t value_columns);
// For `rows` of the rows of q and out, which `slots` names (null: the first ones), and where wanted their log_sums, heads
// lying log_step apart; head sizes are at most CARD_HEAD_LIMIT. New keys and values, of rows that are the only new ones of
// their sequences, are appended; null: they are there.
int card_attention_cached(card *card, card_out out, float *_Nullable log_sums, int64_t log_step, card_in q,
                          const card_cached_rows *cached, card_in new_key, card_in new_value, const int32_t *_Nullable slots,
                          const float *_Nullable slopes, float scale, float cap, int64_t rows, int64_t heads, int64_t group,
                          int64_t head_dim, int64_t value_dim);

// MARK: Attention of bfloat16 or float16 where the card has_tiles; heads are at most CARD_TILE_HEAD_LIMIT and a multiple of
// 8, as strides are, and all addresses are multiples of 16.

enum { CARD_TILE_ROWS = 64, CARD_TILE_HEAD_LIMIT = 128 };

// Up to CARD_TILE_ROWS queries of a sequence, from row `row` of q on: they see keys from row `key` of k on, `keys` at most,
// of which the first query's own is number `diagonal`.
typedef struct {
  int32_t row, rows, key, keys, diagonal;
} card_query_tile;
// Up to CARD_TILE_ROWS keys of a sequence; queries from row `row` up to `end` see them.
typedef struct {
  int32_t row, rows, end;
} card_key_tile;
typedef struct {
  const float *_Nullable slopes;
  int64_t log_step;
  int32_t head_dim, group, window;
  float scale;
} card_tile_heads;

// out and, where wanted, log_sums of `count` tiles and `heads` query heads.
int card_attend_tiles(card *card, card_out out, float *_Nullable log_sums, card_in q, card_in k, card_in v,
                      const card_query_tile *tiles, card_tile_heads of, int64_t count, int64_t heads);
int card_attend_tiles_queries(card *card, card_out dq, card_in dout, const float *log_sums, const float *dots, card_in q,
                              card_in k, card_in v, const card_query_tile *tiles, card_tile_heads of, int64_t count,
                              int64_t heads);
// For `key_heads` heads of keys.
int card_attend_tiles_keys(card *card, card_out dk, card_out dv, card_in dout, const float *log_sums, const float *dots,
                           card_in q, card_in k, card_in v, const card_key_tile *tiles, card_tile_heads of, int64_t count,
                           int64_t key_heads);

// MARK: Weights

typedef struct {
  const uint8_t *codes;
  const float *_Nullable absmax;
  const uint8_t *_Nullable absmax_codes;
  const float *_Nullable nested_absmax;
  const float *_Nullable nested_map;
  int64_t columns;
  float nested_offset;
  int32_t type;
} card_nf4;

int card_nf4_decode(card *card, card_out out, card_nf4 weights, int64_t first_row, int64_t first_column, int64_t rows,
                    int64_t columns);
// y[rows, outputs] = x·wᵀ + h·bᵀ, h and b of `thin` columns; h.at null: without them.
int card_dense_rows(card *card, card_out y, card_in x, card_in w, card_in h, card_in b, int64_t rows, int64_t outputs,
                    int64_t columns, int64_t thin);
int card_nf4_rows(card *card, card_out y, card_in x, card_nf4 w, card_in h, card_in b, int64_t rows, int64_t outputs,
                  int64_t thin);

// Up to three weights of one input; those that are not there have no outputs.
enum { CARD_ROW_PARTS = 3 };
typedef struct {
  card_in w[CARD_ROW_PARTS];
  int64_t outputs[CARD_ROW_PARTS];
} card_dense_parts;
typedef struct {
  card_nf4 w[CARD_ROW_PARTS];
  int64_t outputs[CARD_ROW_PARTS];
} card_nf4_parts;

// y[rows, Σ outputs] = x·wᵀ of each weight, side by side, in one launch where tensor cores take them.
int card_dense_rows_of(card *card, card_out y, card_in x, const card_dense_parts *parts, int64_t rows, int64_t columns);
int card_nf4_rows_of(card *card, card_out y, card_in x, const card_nf4_parts *parts, int64_t rows);

// MARK: Loss and optimizer

int card_cross_entropy(card *card, float *losses, card_out gradient, card_in logits, const int32_t *labels,
                       const float *_Nullable weights, int64_t rows, int64_t columns);
int card_is_largest(card *card, uint8_t *flags, card_in x, const int32_t *chosen, int64_t rows, int64_t columns);
enum { CARD_SQUARES_ROOM = 1024 };
// sum[0] = Σ x²; `room` has CARD_SQUARES_ROOM doubles.
int card_sum_of_squares(card *card, double *sum, double *room, const float *x, int64_t count);
// flag[0] becomes 1 if any of x[count] is infinite or NaN; otherwise it stays.
int card_find_non_finite(card *card, int32_t *flag, card_in x, int64_t count);

typedef struct {
  float gradient_scale, decay, beta1, beta1_rest, beta2, beta2_rest, step_size, correction, epsilon;
} card_adamw_numbers;

int card_adamw(card *card, float *value, const float *gradient, float *m, float *v, card_adamw_numbers numbers,
               int64_t count);

// A moment in 8 bits: one of `map`'s 256 values times the scale of its CARD_MOMENT_BLOCK elements. A value takes the code of the
// nearest of CARD_MOMENT_GRID points from −1 to 1.
enum { CARD_MOMENT_BLOCK = 256, CARD_MOMENT_GRID = 65536 };
typedef struct {
  uint8_t *codes;
  float *absmax;
  const float *map;
  const uint8_t *codes_of_grid;
} card_byte_moment;

int card_adamw_bytes(card *card, float *value, const float *gradient, card_byte_moment m, card_byte_moment v,
                     card_adamw_numbers numbers, int64_t count);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
