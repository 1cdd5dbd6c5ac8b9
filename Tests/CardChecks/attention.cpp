#include "checks.h"

namespace checks {

// MARK: Dots of rows

static void dots(Check &t, int64_t rows, int64_t heads, int64_t head, int type) {
  Matrix a(t, rows, heads * head, type), b(t, rows, heads * head, type);
  Array<float> found(t, (size_t)(rows * heads));
  std::vector<double> expected((size_t)(rows * heads));
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < heads * head; c++) expected[(size_t)(c / head * rows + r)] += a(r, c) * b(r, c);
  t.done(card_row_dots(t.c, found.at(), rows, a.in(), b.in(), rows, heads, head), "row_dots");
  t.close(named("row_dots", heads, head, type), doubles(found.read()), expected, 1e-5, 1e-5 * std::sqrt((double)head));
}

// MARK: Sinks

static void sinks(Check &t, int64_t rows, int64_t heads, int64_t value, int type) {
  const int64_t log_step = rows + 2;
  Matrix out(t, rows, heads * value, type), log_sums(t, heads, log_step, CARD_FLOAT32, 0, [](int64_t) { return 20 * normal(); });
  Matrix sink(t, 1, heads, CARD_FLOAT32, 0), dots(t, heads, log_step, CARD_FLOAT32, 0), gradient(t, 1, heads, CARD_FLOAT32, 0);
  std::vector<double> want_out = out.values, want_sums = log_sums.values, want_gradient = gradient.values;
  for (int64_t h = 0; h < heads; h++)
    for (int64_t r = 0; r < rows; r++) {
      double sum = log_sums(h, r), s = sink(0, h);
      for (int64_t c = 0; c < value; c++) want_out[(size_t)((r * heads + h) * value + c)] *= 1 / (1 + std::exp(s - sum));
      double with = std::max(sum, s) + std::log1p(std::exp(-std::abs(sum - s)));
      want_sums[(size_t)(h * log_step + r)] = with;
      want_gradient[(size_t)h] -= std::exp(s - with) * dots(h, r);
    }
  t.done(card_attention_sinks(t.c, out.out(), log_sums.buffer.at<float>(), log_step, sink.buffer.at<float>(), rows, heads, value),
         "attention_sinks");
  t.close(named("attention_sinks", heads, value, type), out.read(), want_out, unit(type), 2e-6);
  t.close(named("attention_sinks, log sums", rows, heads, type), log_sums.read(), want_sums, 1e-6, 4e-6);
  t.done(card_attention_sink_gradient(t.c, gradient.buffer.at<float>(), dots.buffer.at<float>(), log_sums.buffer.at<float>(),
                                      log_step, sink.buffer.at<float>(), rows, heads),
         "attention_sink_gradient");
  t.close(named("attention_sink_gradient", rows, heads, type), gradient.read(), want_gradient, 1e-5, 1e-5 * std::sqrt((double)rows));
}

// MARK: Blocks of scores

struct Mask {
  int64_t diagonal, window;
  bool slopes;
  float cap = 0;  // 0: none
};

static double capped(double score, double cap) { return cap == 0 ? score : cap * std::tanh(score / cap); }

static void scores(Check &t, int64_t rows, int64_t columns, int type, Mask mask) {
  const int64_t heads = 2, first = 1, step = 2, all_heads = 5, log_step = rows + 2;
  const float scale = 0.3f;
  Matrix s(t, heads * rows, columns, CARD_FLOAT32, 0), dp(t, heads * rows, columns, CARD_FLOAT32, 0);
  Matrix p(t, heads * rows, columns, type, 0), ds(t, heads * rows, columns, type, 0);
  Matrix slopes(t, 1, all_heads, CARD_FLOAT32, 0, [](int64_t) { return uniform() / 8; }), dot(t, all_heads, log_step, CARD_FLOAT32, 0);
  Matrix log_sums(t, all_heads, log_step, CARD_FLOAT32, 0);
  card_scores of = {rows, columns, heads, first, step, scale, mask.cap, mask.slopes ? slopes.buffer.at<float>() : nullptr,
                    mask.diagonal, mask.window};
  std::vector<double> want_p, want_ds, want_sums = log_sums.values;
  for (int64_t h = 0; h < heads; h++)
    for (int64_t i = 0; i < rows; i++) {
      int64_t head = first + h * step, own = mask.diagonal + i;
      std::vector<double> x;
      double largest = -INFINITY, sum = 0;
      for (int64_t j = 0; j < columns; j++) {
        bool sees = j <= own && j > own - mask.window;
        double slope = mask.slopes ? slopes(0, head) : 0;
        x.push_back(sees ? capped(scale * s(h * rows + i, j) + slope * (double)(j - own), mask.cap) : -INFINITY);
        largest = std::max(largest, x.back());
      }
      for (double value : x) sum += std::exp(value - largest);
      want_sums[(size_t)(head * log_step + i)] = largest + std::log(sum);
      for (int64_t j = 0; j < columns; j++) {
        double q = std::exp(x[(size_t)j] - largest) / sum;
        want_p.push_back(q);
        double y = mask.cap == 0 || q == 0 ? 0 : x[(size_t)j] / mask.cap;
        want_ds.push_back(q * (dp(h * rows + i, j) - dot(head, i)) * scale * (1 - y * y));
      }
    }
  float *sums = log_sums.buffer.at<float>();
  t.done(card_attention_softmax(t.c, p.buffer.at<void>(), type, sums, log_step, s.buffer.at<float>(), &of), "softmax");
  std::string name = named("softmax, diagonal " + std::to_string(mask.diagonal) +
                               (mask.window < columns ? ", window " + std::to_string(mask.window) : "") +
                               (mask.slopes ? ", ALiBi" : "") + (mask.cap != 0 ? ", capped" : ""),
                           rows, columns, type);
  t.close(name, p.read(), want_p, unit(type), 2e-7);
  t.close(name + ", log sums", log_sums.read(), want_sums, 1e-6, 1e-6);
  t.done(card_attention_softmax_gradient(t.c, p.buffer.at<void>(), ds.buffer.at<void>(), type, s.buffer.at<float>(),
                                         dp.buffer.at<float>(), sums, dot.buffer.at<float>(), log_step, &of),
         "softmax's gradient");
  t.close(name + ", again", p.read(), want_p, 1.01 * unit(type), 2e-6);
  t.close(name + ", gradient", ds.read(), want_ds, 1.01 * unit(type), 2e-6);
}

// MARK: Caches

// With a margin of 4, heads are loaded four elements at once.
static void cached(Check &t, int64_t heads, int64_t key_heads, int64_t head, int64_t value, int type, bool alibi,
                   int64_t window, float cap = 0, int64_t margin = 3) {
  const int64_t group = heads / key_heads, capacity = 150;
  const float scale = 0.4f;
  const std::vector<int64_t> counts = {1, 150, 33, 2};  // keys each row sees without a window
  const int64_t rows = (int64_t)counts.size();
  std::vector<Matrix *> keys, values;
  Matrix q(t, rows, heads * head, type, margin), new_keys(t, rows, key_heads * head, type, margin);
  Matrix new_values(t, rows, key_heads * value, type, margin);
  Matrix slopes(t, 1, heads, CARD_FLOAT32, 0), log_sums(t, heads, rows + 1, CARD_FLOAT32, 0);
  std::vector<double> want_sums = log_sums.values;
  std::vector<card_cached_row> descriptions;
  for (int64_t count : counts) {
    keys.push_back(new Matrix(t, capacity, key_heads * head, type, margin));
    values.push_back(new Matrix(t, capacity, key_heads * value, type, margin));
    int64_t from = count > window ? count - window : 0;
    descriptions.push_back({(uint64_t)keys.back()->in().at, (uint64_t)values.back()->in().at, keys.back()->stride,
                            values.back()->stride, from, count});
  }
  Array<card_cached_row> on_card(t, descriptions);
  card_cached_rows many = {on_card.at(), {}}, few = {};
  std::copy(descriptions.begin(), descriptions.end(), few.few);
  t.done(card_append_rows(t.c, alibi ? &many : &few, new_keys.in(), new_values.in(), rows, key_heads * head, key_heads * value),
         "append_rows");
  std::vector<double> expected;
  for (int64_t r = 0; r < rows; r++) {
    Matrix &k = *keys[(size_t)r], &v = *values[(size_t)r];
    card_cached_row row = descriptions[(size_t)r];
    for (int64_t c = 0; c < k.columns; c++) k.values[(size_t)((row.count - 1) * k.columns + c)] = new_keys(r, c);
    for (int64_t c = 0; c < v.columns; c++) v.values[(size_t)((row.count - 1) * v.columns + c)] = new_values(r, c);
    t.equal(named("append_rows, keys", row.count, k.columns, type), k.read(), k.values);
    t.equal(named("append_rows, values", row.count, v.columns, type), v.read(), v.values);
    for (int64_t h = 0; h < heads; h++) {
      std::vector<double> x, sums((size_t)value);
      double largest = -INFINITY, total = 0;
      for (int64_t j = row.first; j < row.count; j++) {
        double dot = 0;
        for (int64_t c = 0; c < head; c++) dot += q(r, h * head + c) * k(j, h / group * head + c);
        x.push_back(capped(scale * dot + (alibi ? slopes(0, h) * (double)(j - row.count + 1) : 0), cap));
        largest = std::max(largest, x.back());
      }
      for (int64_t j = row.first; j < row.count; j++) {
        double e = std::exp(x[(size_t)(j - row.first)] - largest);
        total += e;
        for (int64_t c = 0; c < value; c++) sums[(size_t)c] += e * v(j, h / group * value + c);
      }
      for (double sum : sums) expected.push_back(sum / total);
      want_sums[(size_t)(h * (rows + 1) + r)] = largest + std::log(total);
    }
  }
  auto attend = [&](const std::string &how, const card_cached_rows &rows_of, card_in k, card_in v, const int32_t *slots) {
    Matrix out(t, rows, heads * value, type);
    t.done(card_attention_cached(t.c, out.out(), log_sums.buffer.at<float>(), rows + 1, q.in(), &rows_of, k, v, slots,
                                 alibi ? slopes.buffer.at<float>() : nullptr, scale, cap, rows, heads, group, head, value),
           "attention_cached");
    std::string name = "attention_cached" + how + (alibi ? ", ALiBi" : "") + (window < capacity ? ", window" : "");
    t.close(named(name, head, value, type), out.read(), expected, unit(type), 1e-5);
    t.close(named("attention_cached, log sums", head, value, type), log_sums.read(), want_sums, 1e-5, 2e-5);
  };
  // The rows in another order: each goes to its own place. By themselves. And with what is new, which is appended.
  Array<int32_t> slots(t, {2, 0, 3, 1});
  attend("", few, card_in{}, card_in{}, slots.at());
  attend(" in order", many, card_in{}, card_in{}, nullptr);
  for (int64_t r = 0; r < rows; r++)
    for (Matrix *x : {keys[(size_t)r], values[(size_t)r]}) {
      std::vector<uint8_t> bytes((size_t)(x->columns) * size_of(type), 0xff);  // NaN
      t.done(t.c->upload(t.c, (char *)x->out().at + (size_t)((counts[(size_t)r] - 1) * x->stride) * size_of(type), bytes.data(), bytes.size()), "upload");
    }
  attend(" and appended", few, new_keys.in(), new_values.in(), nullptr);
  for (int64_t r = 0; r < rows; r++) {
    t.equal(named("appended keys", counts[(size_t)r], head, type), keys[(size_t)r]->read(), keys[(size_t)r]->values);
    t.equal(named("appended values", counts[(size_t)r], value, type), values[(size_t)r]->read(), values[(size_t)r]->values);
  }
  for (Matrix *x : keys) delete x;
  for (Matrix *x : values) delete x;
}

void attention(Check &t) {
  for (int type : types) {
    dots(t, 5, 3, 7, type);
    dots(t, 9, 2, 128, type);
    dots(t, 3, 1, 1030, type);
    sinks(t, 9, 3, 37, type);
    sinks(t, 600, 2, 128, type);
    for (Mask mask : {Mask{0, 1 << 30, false}, Mask{5, 1 << 30, true}, Mask{0, 3, false}, Mask{60, 20, true},
                      Mask{5, 30, false, 0.2f}}) {
      scores(t, 9, 9 + mask.diagonal, type, mask);
      scores(t, 70, 70 + mask.diagonal, type, mask);
    }
    scores(t, 3, 1400, type, {1397, 1 << 30, true});
    cached(t, 4, 2, 16, 16, type, false, 1 << 30);
    cached(t, 6, 1, 37, 21, type, true, 1 << 30);
    cached(t, 2, 2, 192, 128, type, false, 30);
    cached(t, 1, 1, 512, 512, type, true, 5);
    cached(t, 4, 2, 16, 16, type, false, 30, 0.3f);
    cached(t, 2, 1, 128, 128, type, false, 1 << 30, 0, 4);
    cached(t, 2, 2, 64, 72, type, true, 100, 0.3f, 4);
    cached(t, 2, 1, 192, 128, type, true, 1 << 30, 0, 4);
    cached(t, 1, 1, 260, 16, type, false, 70, 0, 4);
  }
}

}  // namespace checks
