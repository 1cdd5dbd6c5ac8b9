#include "checks.h"

#include "card_checks.h"

namespace checks {

// MARK: Numbers

static thread_local uint64_t state;  // checks may run on several cards at the same time, each with the same numbers
double uniform() {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) * 0x1p-53;
}
double normal() { return std::sqrt(-2 * std::log(uniform() + 1e-300)) * std::cos(6.283185307179586 * uniform()); }

// MARK: 16-bit numbers

static uint16_t narrow(double x, int type) {
  float single = (float)x;
  uint32_t bits;
  memcpy(&bits, &single, 4);
  if (x != x) return type == CARD_BFLOAT16 ? 0x7fc0 : 0x7e00;
  if (type == CARD_BFLOAT16) return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  // float16: the nearest multiple of its unit at this magnitude.
  if (x == 0) return bits >> 31 ? 0x8000 : 0;
  int exponent;
  std::frexp(single, &exponent);
  exponent = exponent < -13 ? -13 : exponent;
  double unit = std::ldexp(1, exponent - 11), units = std::nearbyint(std::fabs(single) / unit);
  if (units * unit >= 65520) return (uint16_t)((bits >> 31) << 15 | 0x7c00);
  uint32_t magnitude = (uint32_t)((exponent + 14 - 1) * 1024 + (int)units);
  return (uint16_t)((bits >> 31) << 15 | magnitude);
}

static double widen(uint16_t x, int type) {
  if (type == CARD_BFLOAT16) {
    uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, 4);
    return y;
  }
  int exponent = x >> 10 & 31, fraction = x & 1023;
  double magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(fraction, -24)
                                     : std::ldexp(1024 + fraction, exponent - 25);
  return x >> 15 ? -magnitude : magnitude;
}

double rounded(double x, int type) { return type == CARD_FLOAT32 ? (float)x : widen(narrow(x, type), type); }
size_t size_of(int type) { return type == CARD_FLOAT32 ? 4 : 2; }
const char *name_of(int type) { return type == CARD_FLOAT32 ? "float32" : type == CARD_BFLOAT16 ? "bfloat16" : "float16"; }
double unit(int type) { return type == CARD_FLOAT32 ? 4e-6 : type == CARD_BFLOAT16 ? 0x1.02p-8 : 0x1.1p-11; }

// MARK: Memory

Buffer::Buffer(Check &check, size_t bytes, const void *contents) : check(check), bytes(bytes) {
  check.done(check.c->allocate(check.c, &pointer, bytes), "allocate");
  if (contents) write(contents);
}
Buffer::~Buffer() {
  if (pointer) check.done(check.c->release(check.c, pointer), "release");
}
void Buffer::read(void *to) const { check.done(check.c->download(check.c, to, pointer, bytes), "download"); }
void Buffer::write(const void *from) const { check.done(check.c->upload(check.c, pointer, from, bytes), "upload"); }

static const double sentinel = -77;

Matrix::Matrix(Check &check, int64_t rows, int64_t columns, int type, int64_t margin, std::function<double(int64_t)> fill)
    : rows(rows), columns(columns), stride(columns + margin), type(type), values((size_t)(rows * columns)),
      buffer(check, (size_t)(rows * (columns + margin)) * size_of(type)), check(check) {
  std::vector<unsigned char> bytes((size_t)(rows * stride) * size_of(type));
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < stride; c++) {
      double x = c < columns ? (fill ? fill(r * columns + c) : normal()) : sentinel;
      size_t at = (size_t)(r * stride + c);
      if (type == CARD_FLOAT32) {
        float y = (float)x;
        memcpy(&bytes[at * 4], &y, 4);
      } else {
        uint16_t y = narrow(x, type);
        memcpy(&bytes[at * 2], &y, 2);
      }
      if (c < columns) values[(size_t)(r * columns + c)] = rounded(x, type);
    }
  buffer.write(bytes.data());
}

std::vector<double> Matrix::read() {
  std::vector<unsigned char> bytes((size_t)(rows * stride) * size_of(type));
  buffer.read(bytes.data());
  std::vector<double> now;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < stride; c++) {
      size_t at = (size_t)(r * stride + c);
      float single;
      uint16_t half;
      memcpy(&half, &bytes[type == CARD_FLOAT32 ? 0 : at * 2], 2);
      memcpy(&single, &bytes[type == CARD_FLOAT32 ? at * 4 : 0], 4 <= bytes.size() ? 4 : 2);
      double x = type == CARD_FLOAT32 ? single : widen(half, type);
      if (c < columns) {
        now.push_back(x);
      } else if (x != sentinel) {
        check.done(-1, "something was written between the rows");
      }
    }
  return now;
}

// MARK: Checking

void Check::close(const std::string &name, const std::vector<double> &found, const std::vector<double> &expected,
                  double relative, double absolute) {
  double worst = found.size() == expected.size() ? 0 : NAN;
  for (size_t i = 0; i < found.size() && i < expected.size(); i++) {
    if (found[i] == expected[i]) continue;
    double error = std::fabs(found[i] - expected[i]) / (relative * std::fabs(expected[i]) + absolute);
    if (!(error <= worst)) worst = error;
    if (error != error) break;
  }
  if (!(worst <= 1)) wrong++;
  report(name.c_str(), worst);
}

void Check::done(int error, const char *what) {
  if (error == 0) return;
  wrong++;
  report((std::string(what) + ": " + (error > 0 ? c->problem(c) : "")).c_str(), NAN);
}

}  // namespace checks

extern "C" int card_run_checks(card *card, void (*report)(void *context, const char *name, double worst), void *context) {
  checks::state = 42;
  checks::Check check(card, [=](const char *name, double worst) { report(context, name, worst); });
  checks::elementwise(check);
  checks::norms(check);
  checks::layers(check);
  checks::weights(check);
  checks::products(check);
  checks::attention(check);
  checks::attention_tiles(check);
  checks::training(check);
  return check.wrong;
}
