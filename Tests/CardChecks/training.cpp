#include "checks.h"

namespace checks {

// MARK: Loss

static void cross_entropy(Check &t, Shape s, int type) {
  Matrix logits(t, s.rows, s.columns, CARD_FLOAT32, 3, [](int64_t) { return 5 * normal(); });
  Matrix gradient(t, s.rows, s.columns, type), weights(t, 1, s.rows, CARD_FLOAT32, 0);
  std::vector<int32_t> labels;
  for (int64_t r = 0; r < s.rows; r++) labels.push_back(r % 4 == 3 ? -100 : (int32_t)(uniform() * (double)s.columns));
  Array<int32_t> on_card(t, labels);
  Array<float> losses(t, (size_t)s.rows), alone(t, (size_t)s.rows);
  std::vector<double> want, want_gradient;
  for (int64_t r = 0; r < s.rows; r++) {
    double largest = -INFINITY, sum = 0;
    int32_t label = labels[(size_t)r];
    for (int64_t c = 0; c < s.columns; c++) largest = std::max(largest, logits(r, c));
    for (int64_t c = 0; c < s.columns; c++) sum += std::exp(logits(r, c) - largest);
    want.push_back(label < 0 ? 0 : largest + std::log(sum) - logits(r, label));
    for (int64_t c = 0; c < s.columns; c++) {
      double p = std::exp(logits(r, c) - largest) / sum;
      want_gradient.push_back(label < 0 ? 0 : (p - (c == label ? 1 : 0)) * weights(0, r));
    }
  }
  t.done(card_cross_entropy(t.c, losses.at(), gradient.out(), logits.in(), on_card.at(), weights.buffer.at<float>(), s.rows,
                            s.columns),
         "cross_entropy");
  t.done(card_cross_entropy(t.c, alone.at(), card_out{}, logits.in(), on_card.at(), nullptr, s.rows, s.columns), "loss");
  t.close(named("cross_entropy", s.rows, s.columns, type), doubles(losses.read()), want, 1e-6, 4e-6);
  t.close(named("cross_entropy, alone", s.rows, s.columns, type), doubles(alone.read()), want, 1e-6, 4e-6);
  t.close(named("cross_entropy, gradient", s.rows, s.columns, type), gradient.read(), want_gradient, 1.01 * unit(type), 2e-6);
}

static void bad_logits(Check &t) {
  for (double bad : {(double)NAN, (double)INFINITY}) {
    Matrix logits(t, 1, 700, CARD_FLOAT32, 0, [&](int64_t i) { return i == 600 ? bad : normal(); });
    Array<int32_t> label(t, std::vector<int32_t>{3});
    Array<float> loss(t, 1);
    t.done(card_cross_entropy(t.c, loss.at(), card_out{}, logits.in(), label.at(), nullptr, 1, 700), "cross_entropy");
    t.equal("cross_entropy of what is not finite", {std::isfinite(loss.read()[0]) ? 1.0 : 0}, {0});
  }
}

static void largest(Check &t) {
  // Rows: the largest at the column; another larger; an equal one before; an equal one after; a NaN at it; one elsewhere.
  const int64_t columns = 301;
  std::vector<int32_t> chosen = {300, 0, 5, 5, 7, 8};
  Matrix x(t, 6, columns, CARD_FLOAT32, 2, [&](int64_t i) {
    int64_t row = i / columns, column = i % columns;
    if (column == chosen[(size_t)row]) return row == 4 ? (double)NAN : 10.0;
    if (row == 1 && column == 299) return 11.0;
    if ((row == 2 && column == 4) || (row == 3 && column == 6)) return 10.0;
    if (row == 5 && column == 100) return (double)NAN;
    return uniform();
  });
  Array<int32_t> on_card(t, chosen);
  Array<uint8_t> flags(t, 6);
  t.done(card_is_largest(t.c, flags.at(), x.in(), on_card.at(), 6, columns), "is_largest");
  t.equal("is_largest", doubles(flags.read()), {1, 0, 0, 1, 0, 0});
}

// MARK: Optimizer

static void sums(Check &t, int64_t count) {
  Matrix x(t, 1, count, CARD_FLOAT32, 0);
  Array<double> room(t, CARD_SQUARES_ROOM), sum(t, 1);
  double expected = 0;
  for (double v : x.values) expected += v * v;
  t.done(card_sum_of_squares(t.c, sum.at(), room.at(), x.buffer.at<float>(), count), "sum_of_squares");
  t.close(named("sum_of_squares", 1, count, CARD_FLOAT32), {sum.read()[0]}, {expected}, 1e-12, 0);
  for (int type : types)
    for (double bad : {0.0, (double)NAN, -(double)INFINITY}) {
      Matrix y(t, 1, count, type, 0, [&](int64_t i) { return i == count - 1 ? bad : normal(); });
      Array<int32_t> flag(t, std::vector<int32_t>{0});
      t.done(card_find_non_finite(t.c, flag.at(), y.in(), count), "find_non_finite");
      t.equal(named("find_non_finite", 1, count, type), doubles(flag.read()), {bad == 0 ? 0.0 : 1});
    }
}

static void adamw(Check &t, int64_t count) {
  card_adamw_numbers n = {0.5f, 0.999f, 0.1f, 0.99f, 0.01f, 0.02f, 0.3f, 1e-8f};
  Matrix value(t, 1, count, CARD_FLOAT32, 0), gradient(t, 1, count, CARD_FLOAT32, 0), m(t, 1, count, CARD_FLOAT32, 0);
  Matrix v(t, 1, count, CARD_FLOAT32, 0, [](int64_t) { return uniform(); });
  std::vector<double> want_value, want_m, want_v;
  for (size_t i = 0; i < (size_t)count; i++) {
    double g = gradient.values[i] * n.gradient_scale, m1 = m.values[i] + n.beta1_rest * (g - m.values[i]);
    double v1 = v.values[i] * n.beta2 + g * g * n.beta2_rest;
    want_m.push_back(m1);
    want_v.push_back(v1);
    want_value.push_back(value.values[i] * n.decay - m1 / (std::sqrt(v1) / n.correction + n.epsilon) * n.step_size);
  }
  t.done(card_adamw(t.c, value.buffer.at<float>(), gradient.buffer.at<float>(), m.buffer.at<float>(), v.buffer.at<float>(),
                    n, count),
         "adamw");
  t.close(named("adamw", 1, count, CARD_FLOAT32), value.read(), want_value, 1e-6, 1e-7);
  t.close(named("adamw, first moment", 1, count, CARD_FLOAT32), m.read(), want_m, 1e-6, 1e-7);
  t.close(named("adamw, second moment", 1, count, CARD_FLOAT32), v.read(), want_v, 1e-6, 1e-7);
}

void training(Check &t) {
  for (Shape s : shapes)
    for (int type : types) cross_entropy(t, s, type);
  bad_logits(t);
  largest(t);
  for (int64_t count : {1, 5, 1024, 1031, 300001}) sums(t, count);
  for (int64_t count : {1, 5, 1024, 1031}) adamw(t, count);
}

}  // namespace checks
