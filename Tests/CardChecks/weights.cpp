#include <memory>

#include "checks.h"

namespace checks {

static const float book[16] = {
    -1,           -0.69619280099868774f, -0.52507305145263672f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.091050036251544952f, 0,
    0.07958029955625534f,  0.16093020141124725f,  0.24611230194568634f,   0.33791524171829224f,
    0.44070982933044434f,  0.56261700391769409f,  0.72295683622360229f,   1};

// An NF4 matrix on both sides; `nested` scales are quantised themselves.
struct NF4 {
  Array<uint8_t> codes, scale_codes;
  Array<float> absmax, nested, map;
  card_nf4 on_card;
  std::vector<double> values;

  NF4(Check &t, int64_t rows, int64_t columns, int type, bool is_nested)
      : codes(t, bytes((size_t)(rows * columns + 1) / 2)), scale_codes(t, bytes(blocks(rows * columns))),
        absmax(t, scales(blocks(rows * columns))), nested(t, scales((blocks(rows * columns) + 255) / 256)),
        map(t, scales(256)) {
    on_card = {codes.at(), absmax.at(), nullptr, nullptr, nullptr, columns, 0, type};
    if (is_nested) on_card = {codes.at(), nullptr, scale_codes.at(), nested.at(), map.at(), columns, 0.125f, type};
    for (size_t i = 0; i < (size_t)(rows * columns); i++) {
      size_t block = i / 64;
      volatile float product = map.values[scale_codes.values[block]] * nested.values[block / 256];  // rounded by itself
      float scale = is_nested ? product + 0.125f : absmax.values[block];
      int pair = codes.values[i / 2];
      values.push_back(rounded(book[i % 2 ? pair & 15 : pair >> 4] * scale, type));
    }
  }

 private:
  static size_t blocks(int64_t count) { return (size_t)(count + 63) / 64; }
  static std::vector<uint8_t> bytes(size_t count) {
    std::vector<uint8_t> x(count);
    for (uint8_t &y : x) y = (uint8_t)(256 * uniform());
    return x;
  }
  static std::vector<float> scales(size_t count) {
    std::vector<float> x(count);
    for (float &y : x) y = (float)uniform();
    return x;
  }
};

static void decode(Check &t, int64_t rows, int64_t columns, int type, int out_type, bool nested) {
  NF4 w(t, rows, columns, type, nested);
  struct {
    int64_t row, column, rows, columns;
  } parts[] = {{0, 0, rows, columns}, {rows / 2, columns / 3, rows - rows / 2, columns - columns / 3}};
  for (auto part : parts) {
    Matrix out(t, part.rows, part.columns, out_type);
    std::vector<double> expected;
    for (int64_t r = 0; r < part.rows; r++)
      for (int64_t c = 0; c < part.columns; c++)
        expected.push_back(rounded(w.values[(size_t)((part.row + r) * columns + part.column + c)], out_type));
    t.done(card_nf4_decode(t.c, out.out(), w.on_card, part.row, part.column, part.rows, part.columns), "nf4_decode");
    t.equal(named(nested ? "nf4_decode, nested" : "nf4_decode", part.rows, part.columns, out_type), out.read(), expected);
  }
}

// y = x·wᵀ + h·bᵀ for both kinds of weight; `rows` of x, which must not depend on each other. With a margin of 8
// they move in eights, NF4 weights are of the same type, and tensor cores may take those of bfloat16.
static void few_rows(Check &t, int64_t rows, int64_t outputs, int64_t columns, int64_t thin, int type, int out_type,
                     bool is_nf4, int64_t margin = 3) {
  NF4 packed(t, outputs, columns, margin == 8 ? type : (int)CARD_BFLOAT16, true);
  Matrix w(t, outputs, columns, type, margin, [&](int64_t i) { return is_nf4 ? packed.values[(size_t)i] : normal(); });
  Matrix x(t, rows, columns, type, margin), h(t, rows, std::max<int64_t>(thin, 1), type, margin);
  Matrix b(t, outputs, std::max<int64_t>(thin, 1), type, margin);
  Matrix y(t, rows, outputs, out_type), alone(t, 1, outputs, out_type);
  card_in low = thin > 0 ? h.in() : card_in{}, back = thin > 0 ? b.in() : card_in{};
  std::vector<double> expected;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t o = 0; o < outputs; o++) {
      double sum = 0;
      for (int64_t c = 0; c < columns; c++) sum += x(r, c) * w(o, c);
      for (int64_t c = 0; c < thin; c++) sum += h(r, c) * b(o, c);
      expected.push_back(sum);
    }
  auto multiply = [&](card_out to, card_in from, card_in of_low, int64_t count) {
    t.done(is_nf4 ? card_nf4_rows(t.c, to, from, packed.on_card, of_low, back, count, outputs, thin)
                  : card_dense_rows(t.c, to, from, w.in(), of_low, back, count, outputs, columns, thin),
           "rows");
  };
  multiply(y.out(), x.in(), low, rows);
  std::string name = named(is_nf4 ? "nf4_rows" : "dense_rows", rows, outputs, type);
  std::vector<double> found = y.read();
  t.close(name, found, expected, unit(out_type), 1e-5 * std::sqrt((double)columns));
  // The last row by itself has the same bits.
  card_in last = x.in(), last_low = low;
  last.at = (const char *)last.at + (size_t)((rows - 1) * x.stride) * size_of(type);
  if (thin > 0) last_low.at = (const char *)low.at + (size_t)((rows - 1) * h.stride) * size_of(type);
  multiply(alone.out(), last, last_low, 1);
  t.equal(name + ", a row by itself", alone.read(), std::vector<double>(found.end() - outputs, found.end()));
}

// Weights side by side give what each gives by itself, bit for bit.
static void side_by_side(Check &t, int64_t rows, std::vector<int64_t> outputs, int64_t columns, int type, bool is_nf4, int64_t margin) {
  Matrix x(t, rows, columns, type, margin);
  card_dense_parts dense = {};
  card_nf4_parts packed = {};
  std::vector<std::unique_ptr<Matrix>> wholes;
  std::vector<std::unique_ptr<NF4>> codes;
  int64_t all = 0;
  for (int64_t n : outputs) all += n;
  Matrix together(t, rows, all, CARD_FLOAT32);
  std::vector<double> expected((size_t)(rows * all));
  int64_t column = 0;
  for (size_t i = 0; i < outputs.size(); column += outputs[i], i++) {
    Matrix own(t, rows, outputs[i], CARD_FLOAT32);
    if (is_nf4) {
      codes.push_back(std::make_unique<NF4>(t, outputs[i], columns, type, true));
      packed.w[i] = codes[i]->on_card, packed.outputs[i] = outputs[i];
      t.done(card_nf4_rows(t.c, own.out(), x.in(), packed.w[i], card_in{}, card_in{}, rows, outputs[i], 0), "nf4_rows");
    } else {
      wholes.push_back(std::make_unique<Matrix>(t, outputs[i], columns, type, margin));
      dense.w[i] = wholes[i]->in(), dense.outputs[i] = outputs[i];
      t.done(card_dense_rows(t.c, own.out(), x.in(), dense.w[i], card_in{}, card_in{}, rows, outputs[i], columns, 0),
             "dense_rows");
    }
    std::vector<double> found = own.read();
    for (int64_t r = 0; r < rows; r++)
      for (int64_t o = 0; o < outputs[i]; o++) expected[(size_t)(r * all + column + o)] = found[(size_t)(r * outputs[i] + o)];
  }
  t.done(is_nf4 ? card_nf4_rows_of(t.c, together.out(), x.in(), &packed, rows)
                : card_dense_rows_of(t.c, together.out(), x.in(), &dense, rows, columns),
         "rows of several weights");
  t.equal(named(is_nf4 ? "nf4_rows side by side" : "dense_rows side by side", rows, all, type), together.read(), expected);
}

void weights(Check &t) {
  for (bool nested : {false, true})
    for (int type : types)
      for (int out_type : types) {
        decode(t, 5, 128, type, out_type, nested);
        decode(t, 7, 37, type, out_type, nested);
        decode(t, 40, 2176, type, out_type, nested);
      }
  for (int type : types)
    for (bool is_nf4 : {false, true})
      for (int out_type : {(int)CARD_FLOAT32, type}) {
        few_rows(t, 1, 5, 64, 0, type, out_type, is_nf4);
        few_rows(t, 8, 17, 320, 8, type, out_type, is_nf4);
        few_rows(t, 3, 6, 1352, 0, type, out_type, is_nf4);
        few_rows(t, 13, 9, 37, 3, type, out_type, is_nf4);
      }
  for (int type : {CARD_FLOAT32, CARD_FLOAT16})
    for (bool is_nf4 : {false, true}) {
      few_rows(t, 1, 9, 1352, 0, type, CARD_FLOAT32, is_nf4, 8);
      few_rows(t, 8, 17, 2120, 8, type, type, is_nf4, 8);
      few_rows(t, 13, 5, 1096, 72, type, CARD_FLOAT32, is_nf4, 8);
    }
  for (bool is_nf4 : {false, true})
    for (int out_type : {CARD_FLOAT32, CARD_BFLOAT16}) {
      few_rows(t, 1, 5, 64, 0, CARD_BFLOAT16, out_type, is_nf4, 8);
      few_rows(t, 7, 40, 1216, 16, CARD_BFLOAT16, out_type, is_nf4, 8);
      few_rows(t, 8, 17, 320, 72, CARD_BFLOAT16, out_type, is_nf4, 8);
      few_rows(t, 45, 24, 576, 8, CARD_BFLOAT16, out_type, is_nf4, 8);
    }
  few_rows(t, 3, 18, 1048, 24, CARD_BFLOAT16, CARD_BFLOAT16, false, 8);
  for (bool is_nf4 : {false, true}) {
    side_by_side(t, 1, {17, 16, 5}, 576, CARD_BFLOAT16, is_nf4, 8);
    side_by_side(t, 12, {32, 7}, 128, CARD_BFLOAT16, is_nf4, 8);
    side_by_side(t, 2, {9, 3, 20}, 192, CARD_FLOAT16, is_nf4, 8);
  }
}

}  // namespace checks
