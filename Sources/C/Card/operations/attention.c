#include "launch.h"

enum { SHORT_ROW = 1024 };  // as in kernels/attention.h

int card_row_dots(card *card, float *dots, int64_t dots_stride, card_in a, card_in b, int64_t rows, int64_t heads,
                  int64_t head_dim) {
  return LAUNCH(card, row_dots, over_warps(rows * heads), dots, dots_stride, a, b, rows, heads, head_dim);
}

int card_attention_sinks(card *card, card_out out, float *log_sums, int64_t log_step, const float *sinks, int64_t rows,
                         int64_t heads, int64_t value_dim) {
  return LAUNCH(card, attention_sinks, over_warps(rows * heads), out, log_sums, log_step, sinks, rows, heads, value_dim);
}

int card_attention_sink_gradient(card *card, float *d_sinks, const float *dots, const float *log_sums, int64_t log_step,
                                 const float *sinks, int64_t rows, int64_t heads) {
  card_grid grid = {(unsigned)heads, 1, CARD_THREADS};
  return LAUNCH(card, attention_sink_gradient, grid, d_sinks, dots, log_sums, log_step, sinks, rows);
}

static card_grid over_scores(const card_scores *scores) {
  card_grid grid = over_rows(scores->rows, scores->columns);
  grid.y = (unsigned)scores->heads;
  return grid;
}

int card_attention_softmax(card *card, void *p, int type, float *log_sums, int64_t log_step, const float *s,
                           const card_scores *scores) {
  card_scores of = *scores;
  if (of.columns <= SHORT_ROW && of.columns % 4 == 0) {
    card_grid grid = over_warps(of.rows);
    grid.y = (unsigned)of.heads;
    return LAUNCH(card, attention_softmax_short, grid, p, type, log_sums, log_step, s, of.slopes, of.first_head,
                  of.head_step, of.scale, of.cap, of.diagonal, of.window, of.rows, of.columns);
  }
  return LAUNCH(card, attention_softmax, over_scores(scores), p, type, log_sums, log_step, s, of.slopes, of.first_head,
                of.head_step, of.scale, of.cap, of.diagonal, of.window, of.columns);
}

int card_attention_softmax_gradient(card *card, void *p, void *ds, int type, const float *s, const float *dp,
                                    const float *log_sums, const float *dots, int64_t log_step,
                                    const card_scores *scores) {
  card_scores of = *scores;
  return LAUNCH(card, attention_softmax_gradient, over_scores(scores), p, ds, type, s, dp, log_sums, dots, log_step,
                of.slopes, of.first_head, of.head_step, of.scale, of.cap, of.diagonal, of.window, of.columns);
}

// MARK: Tiles

// The kernel for heads of this size and this type.
#define LAUNCH_TILES(card, kernel, type, of, grid, ...)                                                           \
  ((type) == CARD_BFLOAT16 ? LAUNCH_SIZE(card, kernel##_64, kernel##_128, of, grid, __VA_ARGS__)                  \
                           : LAUNCH_SIZE(card, kernel##_64_float16, kernel##_128_float16, of, grid, __VA_ARGS__))
#define LAUNCH_SIZE(card, small, large, of, grid, ...) \
  ((of).head_dim <= 64 ? LAUNCH(card, small, grid, __VA_ARGS__) : LAUNCH(card, large, grid, __VA_ARGS__))

static card_grid over_tiles(int64_t count, int64_t heads) { return (card_grid){(unsigned)count, (unsigned)heads, 2 * CARD_TILE_ROWS}; }

int card_attend_tiles(card *card, card_out out, float *log_sums, card_in q, card_in k, card_in v, const card_query_tile *tiles,
                      card_tile_heads of, int64_t count, int64_t heads) {
  return LAUNCH_TILES(card, attend, q.type, of, over_tiles(count, heads), out, log_sums, q, k, v, tiles, of);
}

int card_attend_tiles_queries(card *card, card_out dq, card_in dout, const float *log_sums, const float *dots, card_in q,
                              card_in k, card_in v, const card_query_tile *tiles, card_tile_heads of, int64_t count,
                              int64_t heads) {
  return LAUNCH_TILES(card, attend_queries, q.type, of, over_tiles(count, heads), dq, dout, log_sums, dots, q, k, v, tiles, of);
}

int card_attend_tiles_keys(card *card, card_out dk, card_out dv, card_in dout, const float *log_sums, const float *dots,
                           card_in q, card_in k, card_in v, const card_key_tile *tiles, card_tile_heads of, int64_t count,
                           int64_t key_heads) {
  return LAUNCH_TILES(card, attend_keys, q.type, of, over_tiles(count, key_heads), dk, dv, dout, log_sums, dots, q, k, v, tiles, of);
}

// MARK: Caches

int card_append_rows(card *card, const card_cached_rows *cached, card_in k, card_in v, int64_t rows, int64_t key_columns,
                     int64_t value_columns) {
  card_cached_rows of = *cached;
  card_grid grid = over_matrix(rows, key_columns > value_columns ? key_columns : value_columns, 4);
  return LAUNCH(card, append_rows, grid, of, k, v, rows, key_columns, value_columns);
}

int card_attention_cached(card *card, card_out out, float *log_sums, int64_t log_step, card_in q, const card_cached_rows *cached,
                          card_in new_key, card_in new_value, const int32_t *slots, const float *slopes, float scale, float cap,
                          int64_t rows, int64_t heads, int64_t group, int64_t head_dim, int64_t value_dim) {
  card_cached_rows of = *cached;
  card_grid grid = {(unsigned)heads, (unsigned)rows, CARD_THREADS};
  return LAUNCH(card, attention_cached, grid, out, log_sums, log_step, q, of, new_key, new_value, slots, slopes, scale, cap, group,
                head_dim, value_dim);
}
