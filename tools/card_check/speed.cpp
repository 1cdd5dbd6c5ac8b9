// How fast the kernels run at the shapes of a 13B model, 8 × 1,024 tokens: bytes that must move, or products' rate.
#include "speed.h"

#include <cstdio>
#include <functional>

#include "card_operations.h"

namespace {

const int64_t tokens = 8192, hidden = 5120, mlp = 13824, heads = 40, vocabulary = 39424;

struct Timer : CardRoom {
  // Milliseconds of one of ten runs, after one to warm up.
  double time(const std::function<int()> &body) {
    if (body() != 0) {
      printf("failed: %s\n", c->problem(c));
      failures++;
      return -1;
    }
    auto ten = [](void *context) {
      for (int i = 0; i < 10; i++) (*(const std::function<int()> *)context)();
    };
    return c->milliseconds(c, ten, (void *)&body) / 10;
  }
  void bandwidth(const char *name, double bytes, const std::function<int()> &body) {
    double ms = time(body);
    printf("%-44s %8.3f ms %9.0f GB/s\n", name, ms, bytes / ms * 1e-6);
  }
  void rate(const char *name, double flop, const std::function<int()> &body) {
    double ms = time(body);
    printf("%-44s %8.3f ms %9.1f TFLOP/s\n", name, ms, flop / ms * 1e-9);
  }
};

card_product product(card_out out, card_in a, card_in b, int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
  card_product p = {};
  p.out = out, p.a = a, p.b = b, p.m = m, p.n = n, p.k = k;
  p.transpose_a = ta, p.transpose_b = tb, p.scale = 1, p.count = 1;
  return p;
}

}  // namespace

int measure_speed(card *c) {
  Timer t{{c}};
  card_out wide = {t.room(tokens * hidden * 4), hidden, CARD_FLOAT32}, other = {t.room(tokens * hidden * 4), hidden, CARD_FLOAT32};
  card_out half = {t.room(tokens * hidden * 2), hidden, CARD_BFLOAT16};
  card_out gate_up = {t.room(tokens * 2 * mlp * 2), 2 * mlp, CARD_BFLOAT16}, of_mlp = {t.room(tokens * mlp * 2), mlp, CARD_BFLOAT16};
  card_out weight = {t.room(mlp * hidden * 2), hidden, CARD_BFLOAT16};
  auto in = [](card_out x) { return card_in{x.at, x.stride, x.type}; };
  auto up = card_in{(char *)gate_up.at + mlp * 2, 2 * mlp, CARD_BFLOAT16};
  float *vector = (float *)t.room(vocabulary * 4), *by_row = (float *)t.room(tokens * 4);
  card_nf4 nf4 = {(uint8_t *)t.room(mlp * hidden / 2), (float *)t.room(mlp * hidden / 64 * 4), nullptr, nullptr, nullptr,
                  hidden, 0, CARD_BFLOAT16};
  double row = (double)tokens * hidden;

  auto p = product(half, in(half), in(weight), tokens, hidden, hidden, false, true);
  card_out apart = {t.room(tokens * hidden * 2), hidden, CARD_BFLOAT16};
  p.out = apart;
  t.rate("x·wᵀ [8192, 5120]·[5120, 5120], bf16", 2 * row * hidden, [&] { return c->multiply(c, &p); });
  auto q = product(of_mlp, in(half), in(weight), tokens, mlp, hidden, false, true);
  t.rate("x·wᵀ [8192, 5120]·[5120, 13824], bf16", 2 * row * mlp, [&] { return c->multiply(c, &q); });
  auto g = product(wide, in(of_mlp), in(weight), tokens, hidden, mlp, false, false);
  t.rate("dy·w [8192, 13824]·[13824, 5120], to float32", 2 * row * mlp, [&] { return c->multiply(c, &g); });

  t.bandwidth("nf4_decode [13824, 5120] to bf16", mlp * hidden * 2.5625,
              [&] { return card_nf4_decode(c, weight, nf4, 0, 0, mlp, hidden); });
  t.bandwidth("rms_norm [8192, 5120] to bf16", row * 6,
              [&] { return card_rms_norm(c, half, by_row, in(wide), vector, 1e-5f, tokens, hidden); });
  t.bandwidth("rms_norm_gradient [8192, 5120]", row * 16, [&] {
    return card_rms_norm_gradient(c, other, in(wide), in(wide), by_row, vector, tokens, hidden);
  });
  t.bandwidth("add [8192, 5120]", row * 10, [&] { return card_add(c, wide, in(half), tokens, hidden); });
  t.bandwidth("convert [8192, 5120] to bf16", row * 6, [&] { return card_convert(c, half, in(wide), tokens, hidden); });
  t.bandwidth("dropout [8192, 5120] bf16", row * 4,
              [&] { return card_dropout(c, apart, in(half), 1, 0, 3277, 1.05f, tokens, hidden); });
  t.bandwidth("rotate [8192, 5120] bf16, heads of 128", row * 4,
              [&] { return card_rotate(c, half, (float *)wide.at, (float *)wide.at, 1, 0, tokens, heads, 128, 128); });
  t.bandwidth("silu, gated [8192, 13824] bf16", (double)tokens * mlp * 6,
              [&] { return card_activate(c, of_mlp, in(gate_up), up, 0, tokens, mlp); });
  t.bandwidth("silu's gradient [8192, 13824] bf16", (double)tokens * mlp * 10, [&] {
    return card_activate_gradient(c, gate_up, card_out{(char *)gate_up.at + mlp * 2, 2 * mlp, CARD_BFLOAT16}, in(of_mlp),
                                  in(gate_up), up, 0, tokens, mlp);
  });

  // A block of attention: 256 queries of 40 heads against 1,024 keys.
  const int64_t rows = 256, keys = 1024, block = heads * rows * keys;
  void *p_room = t.room(block * 2), *ds_room = t.room(block * 2);
  float *s = (float *)t.room(block * 4), *dp = (float *)t.room(block * 4), *sums = (float *)t.room(heads * rows * 4);
  card_scores scores = {rows, keys, heads, 0, 1, 0.09f, 0, nullptr, keys - rows, 1 << 30};
  card_product qk = product({s, keys, CARD_FLOAT32}, in(half), in(half), rows, keys, 128, false, true);
  qk.count = heads, qk.step_out = rows * keys, qk.step_a = 128, qk.step_b = 128;
  t.rate("q·kᵀ, 40 heads of [256, 128]·[128, 1024]", 2.0 * (double)block * 128, [&] { return c->multiply(c, &qk); });
  t.bandwidth("softmax [40, 256, 1024] to bf16", (double)block * 6,
              [&] { return card_attention_softmax(c, p_room, CARD_BFLOAT16, sums, rows, s, &scores); });
  t.bandwidth("softmax's gradient [40, 256, 1024]", (double)block * 12, [&] {
    return card_attention_softmax_gradient(c, p_room, ds_room, CARD_BFLOAT16, s, dp, sums, sums, rows, &scores);
  });

  // The same attention in tiles: eight sequences of 1,024, all of them; a product counts each pair of query and key once.
  const int64_t tile_count = tokens / CARD_TILE_ROWS;
  std::vector<card_query_tile> of_queries;
  std::vector<card_key_tile> of_keys;
  for (int32_t row = 0; row < tokens; row += CARD_TILE_ROWS) {
    int32_t start = row / 1024 * 1024;
    of_queries.push_back({row, CARD_TILE_ROWS, start, row + CARD_TILE_ROWS - start, row - start});
    of_keys.push_back({row, CARD_TILE_ROWS, start + 1024});
  }
  auto *query_tiles = (card_query_tile *)t.room(tile_count * (int64_t)sizeof(card_query_tile));
  auto *key_tiles = (card_key_tile *)t.room(tile_count * (int64_t)sizeof(card_key_tile));
  c->upload(c, query_tiles, of_queries.data(), of_queries.size() * sizeof(card_query_tile));
  c->upload(c, key_tiles, of_keys.data(), of_keys.size() * sizeof(card_key_tile));
  card_out other_half = {of_mlp.at, hidden, CARD_BFLOAT16};
  float *tile_sums = (float *)t.room(80 * tokens * 4);
  for (int type : {CARD_BFLOAT16, CARD_FLOAT16})
    for (int32_t head : {128, 64}) {
      int64_t count = hidden / head;
      card_tile_heads of = {nullptr, tokens, head, 1, 1 << 30, 0.09f};
      double products = 2.0 * (double)count * head * 8 * 1024 * 1025 / 2;
      card_in x = in(half);
      card_out to = apart, to_values = other_half;
      x.type = to.type = to_values.type = type;
      printf("heads of %d, %s:\n", head, type == CARD_BFLOAT16 ? "bf16" : "float16");
      t.rate("  attention in tiles", 2 * products,
             [&] { return card_attend_tiles(c, to, tile_sums, x, x, x, query_tiles, of, tile_count, count); });
      t.rate("  its gradient, queries", 3 * products, [&] {
        return card_attend_tiles_queries(c, to, x, tile_sums, tile_sums, x, x, x, query_tiles, of, tile_count, count);
      });
      t.rate("  its gradient, keys and values", 4 * products, [&] {
        return card_attend_tiles_keys(c, to, to_values, x, tile_sums, tile_sums, x, x, x, key_tiles, of, tile_count, count);
      });
    }

  card_out logits = {t.room(1024 * vocabulary * 4), vocabulary, CARD_FLOAT32};
  card_out gradient = {t.room(1024 * vocabulary * 2), vocabulary, CARD_BFLOAT16};
  int32_t *labels = (int32_t *)t.room(1024 * 4);
  t.bandwidth("cross_entropy [1024, 39424]", 1024.0 * vocabulary * 6, [&] {
    return card_cross_entropy(c, by_row, gradient, in(logits), labels, vector, 1024, vocabulary);
  });
  float *m = (float *)t.room(row * 4), *v = (float *)t.room(row * 4);
  card_adamw_numbers numbers = {1, 1, 0.9f, 0.1f, 0.999f, 0.001f, 1e-4f, 1, 1e-8f};
  t.bandwidth("adamw of 42 million", row * 28, [&] {
    return card_adamw(c, (float *)wide.at, (float *)other.at, m, v, numbers, tokens * hidden);
  });
  // Codes in the place of m and v, behind them their scales; what they stand for lies in other buffers: 16 bytes an element.
  card_byte_moment byte_m = {(uint8_t *)m, (float *)m + tokens * hidden / 2, vector, (uint8_t *)logits.at};
  card_byte_moment byte_v = {(uint8_t *)v, (float *)v + tokens * hidden / 2, vector, (uint8_t *)logits.at};
  t.bandwidth("adamw of 42 million, moments in 8 bits", row * 16, [&] {
    return card_adamw_bytes(c, (float *)wide.at, (float *)other.at, byte_m, byte_v, numbers, tokens * hidden);
  });
  double *squares = (double *)t.room((CARD_SQUARES_ROOM + 1) * 8);
  t.bandwidth("sum_of_squares of 42 million", row * 4,
              [&] { return card_sum_of_squares(c, squares, squares + 1, (float *)wide.at, tokens * hidden); });

  // Generation: one row and more.
  for (int64_t n : {1, 8, 32}) {
    printf("%s", n == 1 ? "one row:\n" : n == 8 ? "eight rows:\n" : "32 rows:\n");
    t.bandwidth("  nf4_rows of [13824, 5120]", mlp * hidden * 0.5625, [&] {
      return card_nf4_rows(c, of_mlp, in(half), nf4, card_in{}, card_in{}, n, mlp, 0);
    });
    card_nf4_parts parts = {{nf4, nf4, nf4}, {hidden / 3, hidden / 3, hidden / 3}};
    t.bandwidth("  three of [1706, 5120] in one launch", 3 * (hidden / 3) * hidden * 0.5625,
                [&] { return card_nf4_rows_of(c, of_mlp, in(half), &parts, n); });
    t.bandwidth("  dense_rows of bf16 [13824, 5120]", mlp * hidden * 2.0, [&] {
      return card_dense_rows(c, of_mlp, in(half), in(weight), card_in{}, card_in{}, n, mlp, hidden, 0);
    });
  }
  // An empty kernel's time, launched in a row.
  t.bandwidth("add of one element", 12, [&] { return card_add(c, wide, in(half), 1, 1); });
  printf("%s, %d failures\n", c->name, t.failures);
  return t.failures;
}
