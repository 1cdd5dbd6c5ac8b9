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
  card_adamw_numbers n = {0.5f, 0.999f, 0.9f, 0.1f, 0.99f, 0.01f, 0.02f, 0.3f, 1e-8f};
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

// What the processor makes of one block of moments, in its order of operations.
struct Moment {
  std::vector<uint8_t> codes;
  std::vector<float> absmax, map;
  std::vector<uint8_t> codes_of_grid;
  Moment(size_t count, bool is_signed) : map(256), codes_of_grid(CARD_MOMENT_GRID) {
    for (size_t i = 0; i < 256; i++) map[i] = is_signed ? ((float)i - 127.5f) / 127.5f : (float)(i * i) / 65025;
    size_t code = 0;
    for (size_t i = 0; i < CARD_MOMENT_GRID; i++) {
      float point = -1 + 2 * (float)i / (CARD_MOMENT_GRID - 1);
      while (code < 255 && 0.5f * (map[code] + map[code + 1]) < point) code++;
      codes_of_grid[i] = (uint8_t)code;
    }
    for (size_t i = 0; i < count; i++) codes.push_back((uint8_t)(uniform() * 256));
    for (size_t i = 0; i < count; i += CARD_MOMENT_BLOCK) absmax.push_back((float)uniform());
  }
  float decoded(size_t i) const { return map[codes[i]] * absmax[i / CARD_MOMENT_BLOCK]; }
  void encode(const std::vector<float> &values) {
    for (size_t i = 0; i < values.size(); i += CARD_MOMENT_BLOCK) {
      size_t end = std::min(values.size(), i + CARD_MOMENT_BLOCK);
      float largest = 0;
      for (size_t j = i; j < end; j++) largest = std::fmax(largest, std::fabs(values[j]));
      absmax[i / CARD_MOMENT_BLOCK] = largest;
      for (size_t j = i; j < end; j++) codes[j] = largest == 0 ? (uint8_t)0 : code(values[j] * (1 / largest));
    }
  }

 private:
  uint8_t code(float share) const {
    if (std::isnan(share)) share = 0;
    share = std::fmin(std::fmax(share, -1.0f), 1.0f) + 1;
    return codes_of_grid[(size_t)(share * 0.5f * (CARD_MOMENT_GRID - 1) + 0.5f)];
  }
};

// A moment on the card.
struct CardMoment {
  Array<uint8_t> codes;
  Array<float> absmax, map;
  Array<uint8_t> codes_of_grid;
  CardMoment(Check &t, const Moment &m) : codes(t, m.codes), absmax(t, m.absmax), map(t, m.map), codes_of_grid(t, m.codes_of_grid) {}
  card_byte_moment operands() const { return {codes.at(), absmax.at(), map.at(), codes_of_grid.at()}; }
  void check(Check &t, const std::string &name, const Moment &expected) {
    t.equal(name + ", codes", doubles(codes.read()), doubles(expected.codes));
    t.equal(name + ", scales", doubles(absmax.read()), doubles(expected.absmax));
  }
};

// Bit for bit; `factor` of the gradients of the second block: 0, NaN.
static void adamw_bytes(Check &t, int64_t count, float factor) {
  card_adamw_numbers n = {0.5f, 0.999f, 0.9f, 0.1f, 0.99f, 0.01f, 0.02f, 0.3f, 1e-8f};
  Moment first((size_t)count, true), second((size_t)count, false);
  if (factor == 0 && count > CARD_MOMENT_BLOCK) first.absmax[1] = second.absmax[1] = 0;
  std::vector<float> value, gradient, m, v;
  for (size_t i = 0; i < (size_t)count; i++) {
    value.push_back((float)normal());
    gradient.push_back((float)normal() * (i / CARD_MOMENT_BLOCK == 1 && (factor == 0 || i % 7 == 0) ? factor : 1));
  }
  CardMoment card_first(t, first), card_second(t, second);
  Array<float> card_value(t, value), card_gradient(t, gradient);
  for (size_t i = 0; i < (size_t)count; i++) {
    float g = gradient[i] * n.gradient_scale, before = first.decoded(i) * n.beta1, square = second.decoded(i) * n.beta2;
    m.push_back(std::fma(g, n.beta1_rest, before));
    v.push_back(std::fma(g * n.beta2_rest, g, square));
    float root = std::sqrt(v[i]) / n.correction, kept = value[i] * n.decay, step = m[i] * n.step_size;
    float quotient = step / (root + n.epsilon);
    value[i] = kept - quotient;
  }
  first.encode(m);
  second.encode(v);
  t.done(card_adamw_bytes(t.c, card_value.at(), card_gradient.at(), card_first.operands(), card_second.operands(), n, count),
         "adamw_bytes");
  std::string name = named("adamw of moments in 8 bits", 1, count, CARD_FLOAT32) + ", factor " + std::to_string(factor);
  std::vector<double> found = doubles(card_value.read()), expected = doubles(value);
  for (std::vector<double> *x : {&found, &expected})
    for (double &y : *x) y = std::isnan(y) ? -1000 : y;
  t.equal(name, found, expected);
  card_first.check(t, name + ", first moment", first);
  card_second.check(t, name + ", second moment", second);
}

void training(Check &t) {
  for (Shape s : shapes)
    for (int type : types) cross_entropy(t, s, type);
  bad_logits(t);
  largest(t);
  for (int64_t count : {1, 5, 1024, 1031, 300001}) sums(t, count);
  for (int64_t count : {1, 5, 1024, 1031}) adamw(t, count);
  for (int64_t count : {1, 256, 257, 5000})
    for (float factor : {1.0f, 0.0f, NAN}) adamw_bytes(t, count, factor);
}

}  // namespace checks
