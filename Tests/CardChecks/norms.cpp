#include "checks.h"

namespace checks {

// y and the row's statistics of both norms, and their gradients, from one random matrix. With a margin of 4 few rows are loaded at
// once where their columns are fours.
static void norm(Check &t, Shape s, int type, bool centred, int64_t margin = 3) {
  const float epsilon = 1e-5f;
  std::string name = centred ? "layer_norm" : "rms_norm";
  Matrix x(t, s.rows, s.columns, CARD_FLOAT32, margin, [](int64_t) { return normal() + 0.5; });
  Matrix y(t, s.rows, s.columns, type), dy(t, s.rows, s.columns, CARD_FLOAT32), dx(t, s.rows, s.columns, CARD_FLOAT32);
  Matrix weight(t, 1, s.columns, CARD_FLOAT32, 0), bias(t, 1, s.columns, CARD_FLOAT32, 0);
  Matrix dw(t, 1, s.columns, CARD_FLOAT32, 0);
  Array<float> mean(t, (size_t)s.rows), reciprocal(t, (size_t)s.rows);
  std::vector<double> want_y, want_mean, want_reciprocal, want_dx = dx.values, want_dw = dw.values;
  for (int64_t r = 0; r < s.rows; r++) {
    double centre = 0, squares = 0, sum = 0, dots = 0;
    if (centred)
      for (int64_t c = 0; c < s.columns; c++) centre += x(r, c) / (double)s.columns;
    for (int64_t c = 0; c < s.columns; c++) squares += (x(r, c) - centre) * (x(r, c) - centre);
    double inverse = 1 / std::sqrt(squares / (double)s.columns + epsilon);
    want_mean.push_back(centre);
    want_reciprocal.push_back(inverse);
    for (int64_t c = 0; c < s.columns; c++) {
      double hat = (x(r, c) - centre) * inverse, g = dy(r, c) * weight(0, c);
      want_y.push_back(hat * weight(0, c) + (centred ? bias(0, c) : 0));
      sum += centred ? g / (double)s.columns : 0;
      dots += g * hat / (double)s.columns;
      want_dw[(size_t)c] += dy(r, c) * hat;
    }
    for (int64_t c = 0; c < s.columns; c++) {
      double hat = (x(r, c) - centre) * inverse, g = dy(r, c) * weight(0, c);
      want_dx[(size_t)(r * s.columns + c)] += inverse * (g - sum - hat * dots);
    }
  }
  const float *w = weight.buffer.at<float>();
  float *m = mean.at(), *r = reciprocal.at(), *d = dw.buffer.at<float>();
  if (centred) {
    t.done(card_layer_norm(t.c, y.out(), m, r, x.in(), w, bias.buffer.at<float>(), epsilon, s.rows, s.columns), "layer_norm");
    t.done(card_layer_norm_gradient(t.c, dx.out(), dy.in(), x.in(), m, r, w, s.rows, s.columns), "layer_norm_gradient");
    t.close(named("layer_norm mean", s.rows, s.columns, type), doubles(mean.read()), want_mean, 1e-5, 1e-6);
  } else {
    t.done(card_rms_norm(t.c, y.out(), r, x.in(), w, epsilon, s.rows, s.columns), "rms_norm");
    t.done(card_rms_norm_gradient(t.c, dx.out(), dy.in(), x.in(), r, w, s.rows, s.columns), "rms_norm_gradient");
  }
  t.done(card_norm_weight_gradient(t.c, d, dy.in(), x.in(), centred ? m : nullptr, r, s.rows, s.columns), "weight");
  // One column has no variance: what is left is √ε's reciprocal times rounding.
  double loose = centred && s.columns == 1 ? 1e-3 : 2e-5;
  t.close(named(name + " reciprocal", s.rows, s.columns, type), doubles(reciprocal.read()), want_reciprocal, 1e-5, 0);
  t.close(named(name, s.rows, s.columns, type), y.read(), want_y, unit(type), loose);
  t.close(named(name + "_gradient", s.rows, s.columns, type), dx.read(), want_dx, 1e-5, 20 * loose);
  t.close(named(name + " weight's gradient", s.rows, s.columns, type), dw.read(), want_dw, 1e-5, 2 * loose);
}

void norms(Check &t) {
  for (Shape s : shapes)
    for (int type : types) {
      norm(t, s, type, false);
      norm(t, s, type, true);
      norm(t, s, type, false, 4);
    }
  norm(t, {2, 8192}, CARD_BFLOAT16, false, 4);
  norm(t, {2, 8196}, CARD_BFLOAT16, false, 4);
  norm(t, {33, 64}, CARD_BFLOAT16, false, 4);
}

}  // namespace checks
