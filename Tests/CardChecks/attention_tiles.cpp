#include "checks.h"

namespace checks {

namespace {

struct Heads {
  int64_t heads, group, head;
  int type = CARD_BFLOAT16;
  int64_t window = 1 << 30;
  bool alibi = false;
};

// A result in double precision, and what rounding the weight of each of its terms to the operands' type may change: a share of
// it, but of float16 below 2⁻¹⁴ a share of that.
struct Result {
  int64_t columns;
  int type;
  std::vector<double> values, terms;
  Result(int64_t rows, int64_t columns, int type)
      : columns(columns), type(type), values((size_t)(rows * columns)), terms(values.size()) {}
  void add(int64_t row, int64_t column, double weight, double x) {
    const double least = type == CARD_FLOAT16 ? 0x1p-14 : 0;
    values[(size_t)(row * columns + column)] += weight * x;
    terms[(size_t)(row * columns + column)] += std::max(std::fabs(weight), least) * std::fabs(x);
  }
  void check(Check &t, const std::string &name, Matrix &found) const {
    std::vector<double> a = found.read(), b = values;
    for (size_t i = 0; i < a.size(); i++) {
      double allowed = terms[i] + std::fabs(values[i]) + 1e-4;
      a[i] /= allowed;
      b[i] /= allowed;
    }
    t.close(name, a, b, 0, 1.05 * unit(type));
  }
};

// Sequences side by side, the first row of each and the end; q may begin later than k: `past` keys are before it.
struct Attention {
  Heads shape;
  std::vector<int64_t> starts;
  int64_t past;
  Matrix q, k, v, dout, slopes, log_sums, dots;
  Result out, dq, dk, dv;
  std::vector<double> sums;
  const float scale = 0.35f;

  Attention(Check &t, Heads s, std::vector<int64_t> starts, int64_t past)
      : shape(s), starts(starts), past(past), q(t, starts.back(), s.heads * s.head, s.type, 8),
        k(t, starts.back() + past, s.heads / s.group * s.head, s.type, 16),
        v(t, starts.back() + past, s.heads / s.group * s.head, s.type, 8),
        dout(t, starts.back(), s.heads * s.head, s.type, 0),
        slopes(t, 1, s.heads, CARD_FLOAT32, 0, [](int64_t) { return uniform() / 8; }),
        log_sums(t, s.heads, starts.back() + 2, CARD_FLOAT32, 0), dots(t, s.heads, starts.back() + 2, CARD_FLOAT32, 0),
        out(q.rows, q.columns, s.type), dq(q.rows, q.columns, s.type), dk(k.rows, k.columns, s.type),
        dv(k.rows, k.columns, s.type),
        sums(log_sums.values) {
    for (size_t i = 0; i + 1 < starts.size(); i++)
      for (int64_t row = starts[i]; row < starts[i + 1]; row++)
        for (int64_t head = 0; head < shape.heads; head++) compute(starts[i], row, head);
  }

  double dot(const Matrix &a, int64_t row, int64_t head_a, const Matrix &b, int64_t key, int64_t head_b) const {
    double sum = 0;
    for (int64_t c = 0; c < shape.head; c++) sum += a(row, head_a * shape.head + c) * b(key, head_b * shape.head + c);
    return sum;
  }

  void compute(int64_t start, int64_t row, int64_t head) {
    int64_t own = row + past, first = std::max(start, own - shape.window + 1), key_head = head / shape.group;
    std::vector<double> p;
    double largest = -INFINITY, sum = 0;
    for (int64_t j = first; j <= own; j++) {
      p.push_back(scale * dot(q, row, head, k, j, key_head) + (shape.alibi ? slopes(0, head) * (double)(j - own) : 0));
      largest = std::max(largest, p.back());
    }
    for (double &x : p) sum += x = std::exp(x - largest);
    sums[(size_t)(head * log_sums.columns + row)] = largest + std::log(sum);
    for (int64_t j = first; j <= own; j++) {
      double of_key = p[(size_t)(j - first)] / sum;
      double ds = of_key * (dot(dout, row, head, v, j, key_head) - dots(head, row)) * scale;
      for (int64_t c = 0; c < shape.head; c++) {
        int64_t own_column = head * shape.head + c, column = key_head * shape.head + c;
        out.add(row, own_column, of_key, v(j, column));
        dq.add(row, own_column, ds, k(j, column));
        dk.add(j, column, ds, q(row, own_column));
        dv.add(j, column, of_key, dout(row, own_column));
      }
    }
  }

  std::vector<card_query_tile> query_tiles() const {
    std::vector<card_query_tile> tiles;
    for (size_t i = 0; i + 1 < starts.size(); i++)
      for (int64_t row = starts[i]; row < starts[i + 1]; row += CARD_TILE_ROWS) {
        int64_t rows = std::min<int64_t>(CARD_TILE_ROWS, starts[i + 1] - row);
        int64_t key = std::max(starts[i], row + past - shape.window + 1), last = row + past + rows;
        tiles.push_back({(int32_t)row, (int32_t)rows, (int32_t)key, (int32_t)(last - key), (int32_t)(row + past - key)});
      }
    return tiles;
  }

  std::vector<card_key_tile> key_tiles() const {
    std::vector<card_key_tile> tiles;
    for (size_t i = 0; i + 1 < starts.size(); i++)
      for (int64_t row = starts[i]; row < starts[i + 1]; row += CARD_TILE_ROWS) {
        int64_t rows = std::min<int64_t>(CARD_TILE_ROWS, starts[i + 1] - row);
        tiles.push_back({(int32_t)row, (int32_t)rows, (int32_t)std::min(starts[i + 1], row + rows - 1 + shape.window)});
      }
    return tiles;
  }
};

}  // namespace

static void attend(Check &t, Heads shape, std::vector<int64_t> starts, int64_t past, int out_type) {
  Attention a(t, shape, starts, past);
  Matrix out(t, a.q.rows, a.q.columns, out_type, 8), sums(t, a.log_sums.rows, a.log_sums.columns, CARD_FLOAT32, 0);
  std::vector<double> expected_sums = sums.values;
  for (int64_t h = 0; h < shape.heads; h++)
    for (int64_t r = 0; r < a.q.rows; r++) {
      size_t i = (size_t)(h * sums.columns + r);
      expected_sums[i] = a.sums[i];
    }
  card_tile_heads of = {shape.alibi ? a.slopes.buffer.at<float>() : nullptr, sums.stride, (int32_t)shape.head,
                        (int32_t)shape.group, (int32_t)shape.window, a.scale};
  Array<card_query_tile> tiles(t, a.query_tiles());
  float *to = sums.buffer.at<float>();
  t.done(card_attend_tiles(t.c, out.out(), to, a.q.in(), a.k.in(), a.v.in(), tiles.at(), of, (int64_t)tiles.values.size(),
                           shape.heads),
         "attend");
  std::string name = std::string("attention in tiles of ") + name_of(shape.type) + ", heads " + std::to_string(shape.heads) + " / " + std::to_string(shape.group) + " of " +
                     std::to_string(shape.head) + ", rows " + std::to_string(a.q.rows) +
                     (past > 0 ? " after " + std::to_string(past) : "") + (shape.alibi ? ", ALiBi" : "") +
                     (shape.window < 1 << 30 ? ", window " + std::to_string(shape.window) : "");
  a.out.check(t, name, out);
  t.close(name + ", log sums", sums.read(), expected_sums, 1e-5, 1e-5);
  if (past > 0) return;

  Matrix dq(t, a.q.rows, a.q.columns, out_type, 8), dk(t, a.k.rows, a.k.columns, out_type, 8);
  Matrix dv(t, a.v.rows, a.v.columns, out_type, 8);
  float *dots = a.dots.buffer.at<float>();
  t.done(card_attend_tiles_queries(t.c, dq.out(), a.dout.in(), to, dots, a.q.in(), a.k.in(), a.v.in(), tiles.at(), of,
                                   (int64_t)tiles.values.size(), shape.heads),
         "attend_queries");
  Array<card_key_tile> key_tiles(t, a.key_tiles());
  t.done(card_attend_tiles_keys(t.c, dk.out(), dv.out(), a.dout.in(), to, dots, a.q.in(), a.k.in(), a.v.in(),
                                key_tiles.at(), of, (int64_t)key_tiles.values.size(), shape.heads / shape.group),
         "attend_keys");
  a.dq.check(t, name + ", dq", dq);
  a.dk.check(t, name + ", dk", dk);
  a.dv.check(t, name + ", dv", dv);
}

void attention_tiles(Check &t) {
  if (!t.c->has_tiles) return;
  for (int type : {CARD_BFLOAT16, CARD_FLOAT16}) {
    attend(t, {2, 1, 64, type}, {0, 1, 17, 17, 147}, 0, type);
    attend(t, {4, 2, 128, type}, {0, 70, 140}, 0, type);
    attend(t, {3, 3, 8, type}, {0, 100}, 0, CARD_FLOAT32);
    attend(t, {2, 1, 80, type, 20}, {0, 90, 100}, 0, type);
    attend(t, {2, 1, 40, type, 70, true}, {0, 150}, 0, type);
    attend(t, {2, 2, 64, type, 1 << 30, true}, {0, 33}, 0, CARD_FLOAT32);
    attend(t, {2, 1, 96, type}, {0, 70}, 45, type);
    attend(t, {2, 1, 64, type, 30}, {0, 20}, 200, type);
  }
}

}  // namespace checks
