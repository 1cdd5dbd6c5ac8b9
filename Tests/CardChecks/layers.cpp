#include "checks.h"

namespace checks {

// MARK: Rotary positions

static void rotary(Check &t, int type, int64_t heads, int64_t head, int64_t rotary, bool interleaved) {
  const int64_t rows = 5;
  Matrix x(t, rows, heads * head, type), angles(t, rows, rotary / 2, CARD_FLOAT32, 0);
  Matrix cosine(t, rows, rotary / 2, CARD_FLOAT32, 0, [&](int64_t i) { return std::cos(angles.values[(size_t)i]); });
  Matrix sine(t, rows, rotary / 2, CARD_FLOAT32, 0, [&](int64_t i) { return std::sin(angles.values[(size_t)i]); });
  std::vector<double> expected = x.values;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t h = 0; h < heads; h++)
      for (int64_t i = 0; i < rotary / 2; i++) {
        int64_t low = h * head + (interleaved ? 2 * i : i), high = interleaved ? low + 1 : low + rotary / 2;
        double a = x(r, low), b = x(r, high), c = cosine(r, i), s = -sine(r, i);  // the inverse
        expected[(size_t)(r * heads * head + low)] = a * c - b * s;
        expected[(size_t)(r * heads * head + high)] = b * c + a * s;
      }
  t.done(card_rotate(t.c, x.out(), cosine.buffer.at<float>(), sine.buffer.at<float>(), -1, interleaved, rows, heads, head,
                     rotary),
         "rotate");
  t.close(named(interleaved ? "rotate neighbours" : "rotate halves", heads, head, type), x.read(), expected, unit(type), 1e-6);
}

// MARK: Activations

struct Activated {
  double value, slope;
};

static Activated activation(int kind, double x) {
  if (kind == 0) {
    double s = 1 / (1 + std::exp(-x));
    return {x * s, s * (1 + x * (1 - s))};
  }
  if (kind == 1) {
    double phi = 0.5 * std::erfc(-x / std::sqrt(2)), density = std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    return {x * phi, phi + x * density};
  }
  if (kind == 3) {
    double z = std::min(x, 7.0), s = 1 / (1 + std::exp(-1.702 * z));
    return {z * s, x > 7 ? 0 : s * (1 + 1.702 * z * (1 - s))};
  }
  double u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x), tanh = std::tanh(u);
  double turn = std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
  return {0.5 * x * (1 + tanh), 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * turn};
}

// What f(x) is multiplied by, and its slope.
static Activated gate(int kind, double up) {
  if (kind != 3) return {up, 1};
  return {std::min(std::max(up, -7.0), 7.0) + 1, std::abs(up) > 7 ? 0.0 : 1.0};
}

static void activations(Check &t, Shape s, int type, int kind, bool gated) {
  // Far out the activations are lines; but the products of both stay within float16.
  auto spread = [](double far) { return [far](int64_t i) { return (i % 7 == 0 ? far : 3) * normal(); }; };
  Matrix x(t, s.rows, s.columns, type, 3, spread(90)), up(t, s.rows, s.columns, type, 3, spread(20));
  Matrix y(t, s.rows, s.columns, type);
  Matrix dy(t, s.rows, s.columns, CARD_FLOAT32), dx(t, s.rows, s.columns, type), d_up(t, s.rows, s.columns, type);
  std::vector<double> want_y, want_dx, want_up;
  for (size_t i = 0; i < x.values.size(); i++) {
    Activated f = activation(kind, x.values[i]);
    Activated u = gated ? gate(kind, up.values[i]) : Activated{1, 0};
    want_y.push_back(f.value * u.value);
    want_dx.push_back(dy.values[i] * u.value * f.slope);
    want_up.push_back(dy.values[i] * f.value * u.slope);
  }
  card_in of_up = gated ? up.in() : card_in{};
  t.done(card_activate(t.c, y.out(), x.in(), of_up, kind, s.rows, s.columns), "activate");
  t.done(card_activate_gradient(t.c, dx.out(), gated ? d_up.out() : card_out{}, dy.in(), x.in(), of_up, kind, s.rows,
                                s.columns),
         "activate_gradient");
  std::string name = std::string(kind == 0 ? "silu" : kind == 1 ? "gelu" : kind == 2 ? "gelu by tanh" : "clamped") + (gated ? ", gated" : "");
  t.close(named(name, s.rows, s.columns, type), y.read(), want_y, unit(type), 2e-6);
  t.close(named(name + ", gradient", s.rows, s.columns, type), dx.read(), want_dx, unit(type), 1e-5);
  if (gated) t.close(named(name + ", gradient of up", s.rows, s.columns, type), d_up.read(), want_up, unit(type), 5e-6);
}

// MARK: Dropout

static bool kept(uint64_t key, uint64_t row, int64_t column, uint32_t threshold) {
  uint64_t z = key + (row + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  uint32_t x = (uint32_t)(column / 2) * 0x9e3779b9u + (uint32_t)z;
  x ^= x >> 16;
  x = x * 0x7feb352du ^ (uint32_t)(z >> 32);
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return (column % 2 ? x >> 16 : x & 0xffff) >= threshold;
}

static void dropout(Check &t, Shape s, int type) {
  const uint64_t key = 0x0123456789abcdef, first = 1ull << 40;
  const uint32_t threshold = 19661;
  const float factor = 1 / 0.7f;
  Matrix x(t, s.rows, s.columns, type), y(t, s.rows, s.columns, type), dx(t, s.rows, s.columns, CARD_FLOAT32);
  std::vector<double> want_y, want_dx;
  for (int64_t r = 0; r < s.rows; r++)
    for (int64_t c = 0; c < s.columns; c++) {
      double value = kept(key, first + (uint64_t)r, c, threshold) ? (float)(x(r, c) * factor) : 0;
      want_y.push_back(rounded(value, type));
      want_dx.push_back((float)(dx(r, c) + value));
    }
  t.done(card_dropout(t.c, y.out(), x.in(), key, first, threshold, factor, s.rows, s.columns), "dropout");
  t.done(card_add_dropped(t.c, dx.out(), x.in(), key, first, threshold, factor, s.rows, s.columns), "add_dropped");
  t.equal(named("dropout", s.rows, s.columns, type), y.read(), want_y);
  t.equal(named("add_dropped", s.rows, s.columns, type), dx.read(), want_dx);
}

void layers(Check &t) {
  for (int type : types)
    for (bool interleaved : {false, true}) {
      rotary(t, type, 3, 16, 16, interleaved);
      rotary(t, type, 40, 18, 10, interleaved);
      rotary(t, type, 2, 6, 0, interleaved);
    }
  for (Shape s : shapes)
    for (int type : types) {
      for (int kind : {0, 1, 2, 3})
        for (bool gated : {false, true}) activations(t, s, type, kind, gated);
      dropout(t, s, type);
    }
}

}  // namespace checks
