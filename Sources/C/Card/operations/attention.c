#include "launch.h"

enum { SHORT_ROW = 1024 };  // as in kernels/attention.h

int card_row_dots(card *card, float *dots, int64_t dots_stride, card_in a, card_in b, int64_t rows, int64_t heads,
                  int64_t head_dim) {
  return LAUNCH(card, row_dots, over_warps(rows * heads), dots, dots_stride, a, b, rows, heads, head_dim);
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

int card_append_rows(card *card, const card_cached_row *cached, card_in x, int values, int64_t rows, int64_t columns) {
  return LAUNCH(card, append_rows, over_matrix(rows, columns, 4), cached, x, values, rows, columns);
}

int card_attention_cached(card *card, card_out out, card_in q, const card_cached_row *cached, const int32_t *slots,
                          const float *slopes, float scale, float cap, int64_t rows, int64_t heads, int64_t group,
                          int64_t head_dim, int64_t value_dim) {
  card_grid grid = {(unsigned)heads, (unsigned)rows, CARD_THREADS};
  return LAUNCH(card, attention_cached, grid, out, q, cached, slots, slopes, scale, cap, group, head_dim, value_dim);
}
