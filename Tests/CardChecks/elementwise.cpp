#include "checks.h"

namespace checks {

static void conversions(Check &t) {
  for (Shape s : shapes)
    for (int from : types)
      for (int to : types) {
        Matrix x(t, s.rows, s.columns, from, 3, [](int64_t i) { return normal() * std::exp2((double)(i % 24) - 12); });
        Matrix out(t, s.rows, s.columns, to);
        t.done(card_convert(t.c, out.out(), x.in(), s.rows, s.columns), "convert");
        std::vector<double> expected;
        for (double v : x.values) expected.push_back(rounded(v, to));
        t.equal(named(std::string("convert ") + name_of(from) + " to", s.rows, s.columns, to), out.read(), expected);
      }
}

static void arithmetic(Check &t) {
  for (Shape s : shapes)
    for (int type : types) {
      std::vector<double> scaled, by_row, sum, biased, capped, through;
      Matrix x(t, s.rows, s.columns, type), y(t, s.rows, s.columns, type), z(t, s.rows, s.columns, type);
      Matrix wide(t, s.rows, s.columns, CARD_FLOAT32, 1);
      Matrix scores(t, s.rows, s.columns, CARD_FLOAT32), gradient(t, s.rows, s.columns, type);
      const float cap = 0.6f;
      Matrix bias(t, 1, s.columns, CARD_FLOAT32, 0), factors(t, 1, s.rows, CARD_FLOAT32, 0);
      for (int64_t r = 0; r < s.rows; r++)
        for (int64_t c = 0; c < s.columns; c++) {
          scaled.push_back(rounded(x(r, c) * 0.7f, type));
          by_row.push_back(rounded(y(r, c) * factors(0, r), type));
          sum.push_back((float)(wide(r, c) + z(r, c)));
          double y = cap * std::tanh(scores(r, c) / cap);
          capped.push_back(y);
          through.push_back(gradient(r, c) * (1 - y / cap * (y / cap)));
          biased.push_back(rounded((float)(z(r, c) + bias(0, c)), type));
        }
      t.done(card_scale(t.c, x.out(), 0.7f, s.rows, s.columns), "scale");
      t.done(card_scale_rows(t.c, y.out(), factors.buffer.at<float>(), s.rows, s.columns), "scale_rows");
      t.done(card_add(t.c, wide.out(), z.in(), s.rows, s.columns), "add");
      t.done(card_add_bias(t.c, z.out(), bias.buffer.at<float>(), s.rows, s.columns), "add_bias");
      t.close(named("scale", s.rows, s.columns, type), x.read(), scaled, unit(type), 1e-30);
      t.close(named("scale_rows", s.rows, s.columns, type), y.read(), by_row, unit(type), 1e-30);
      t.done(card_soft_cap(t.c, scores.out(), cap, s.rows, s.columns), "soft_cap");
      t.done(card_soft_cap_gradient(t.c, gradient.out(), scores.in(), cap, s.rows, s.columns), "soft_cap_gradient");
      t.close(named("soft_cap", s.rows, s.columns, CARD_FLOAT32), scores.read(), capped, 5e-7, 1e-30);
      t.close(named("soft_cap_gradient", s.rows, s.columns, type), gradient.read(), through, unit(type), 1e-6);
      t.equal(named("add", s.rows, s.columns, type), wide.read(), sum);
      t.equal(named("add_bias", s.rows, s.columns, type), z.read(), biased);
    }
}

static void column_sums(Check &t) {
  for (Shape s : std::vector<Shape>{{1, 1}, {3, 5}, {9, 33}, {300, 70}})
    for (int type : types) {
      Matrix y(t, s.rows, s.columns, type), sums(t, 1, s.columns, CARD_FLOAT32, 0);
      std::vector<double> expected = sums.values;
      for (int64_t r = 0; r < s.rows; r++)
        for (int64_t c = 0; c < s.columns; c++) expected[(size_t)c] += y(r, c);
      t.done(card_add_column_sums(t.c, sums.buffer.at<float>(), y.in(), s.rows, s.columns), "add_column_sums");
      t.close(named("add_column_sums", s.rows, s.columns, type), sums.read(), expected, 1e-5, 1e-5);
    }
}

static void rows(Check &t) {
  for (int64_t columns : {1, 33, 64, 1030})
    for (int type : types) {
      Matrix x(t, 9, columns, type), gathered(t, 5, columns, CARD_FLOAT32);
      Array<int32_t> indices(t, {8, 0, 3, 3, 7});
      std::vector<double> expected;
      for (int32_t row : indices.values)
        for (int64_t c = 0; c < columns; c++) expected.push_back(x(row, c));
      t.done(card_gather_rows(t.c, gathered.out(), x.in(), indices.at(), 5, columns), "gather_rows");
      t.equal(named("gather_rows", 5, columns, type), gathered.read(), expected);
    }
  // Rows 0 … 4 of y to rows 6, 2, 6, 0, 6 of x.
  for (int64_t columns : {1, 33, 64, 1030}) {
    Matrix x(t, 8, columns, CARD_FLOAT32), y(t, 5, columns, CARD_FLOAT32);
    Array<int32_t> targets(t, {0, 2, 6}), firsts(t, {0, 1, 2, 5}), sources(t, {3, 1, 0, 2, 4});
    std::vector<double> expected = x.values;
    auto add = [&](int64_t to, int64_t from) {
      for (int64_t c = 0; c < columns; c++) {
        double &sum = expected[(size_t)(to * columns + c)];
        sum = (float)(sum + y(from, c));
      }
    };
    add(6, 0), add(2, 1), add(6, 2), add(0, 3), add(6, 4);
    t.done(card_scatter_add_rows(t.c, x.out(), y.in(), targets.at(), firsts.at(), sources.at(), 3, columns), "scatter");
    t.equal(named("scatter_add_rows", 5, columns, CARD_FLOAT32), x.read(), expected);
  }
}

static void memory(Check &t) {
  std::vector<uint8_t> bytes(1000), expected(1000);
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = (uint8_t)i;
  Buffer a(t, 1000, bytes.data()), b(t, 1000, bytes.data());
  t.done(t.c->fill(t.c, a.at<uint8_t>() + 100, 7, 50), "fill");
  t.done(t.c->copy(t.c, b.at<uint8_t>() + 500, a.at<uint8_t>() + 90, 100), "copy");
  b.read(bytes.data());
  for (size_t i = 0; i < 1000; i++) expected[i] = (uint8_t)i;
  for (size_t i = 0; i < 100; i++) expected[500 + i] = i >= 10 && i < 60 ? 7 : (uint8_t)(90 + i);
  t.equal("fill and copy", doubles(bytes), doubles(expected));
  size_t free = 0, total = 0;
  t.done(t.c->memory(t.c, &free, &total), "memory");
  t.close("memory", {free > 0 && total >= free ? 1.0 : 0}, {1}, 0, 1e-300);
}

void elementwise(Check &t) {
  memory(t);
  conversions(t);
  arithmetic(t);
  column_sums(t);
  rows(t);
}

}  // namespace checks
