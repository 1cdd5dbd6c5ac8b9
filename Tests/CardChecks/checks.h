// What the checks share: matrices on both sides, random numbers, comparing.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "card.h"
#include "card_operations.h"

namespace checks {

// MARK: Numbers

double uniform();  // in [0, 1)
double normal();
// As the type holds it; what the card reads and writes is this number exactly.
double rounded(double x, int type);
size_t size_of(int type);
const char *name_of(int type);
inline const std::vector<int> types = {CARD_FLOAT32, CARD_BFLOAT16, CARD_FLOAT16};
// Half a unit of the type's last place, with room for float32 sums.
double unit(int type);

// MARK: Memory of the card

class Check;

class Buffer {
 public:
  Buffer(Check &check, size_t bytes, const void *contents = nullptr);
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  void read(void *to) const;
  void write(const void *from) const;
  template <class T>
  T *at() const {
    return (T *)pointer;
  }

 private:
  Check &check;
  size_t bytes;
  void *pointer = nullptr;
};

// Numbers of one plain type on the card.
template <class T>
struct Array {
  std::vector<T> values;
  Buffer buffer;

  Array(Check &check, const std::vector<T> &values) : values(values), buffer(check, values.size() * sizeof(T), values.data()) {}
  Array(Check &check, size_t count) : values(count), buffer(check, count * sizeof(T)) {}
  T *at() const { return buffer.at<T>(); }
  const std::vector<T> &read() {
    buffer.read(values.data());
    return values;
  }
};

// A matrix whose rows lie `margin` elements apart; what lies between must stay as it is.
struct Matrix {
  int64_t rows, columns, stride;
  int type;
  std::vector<double> values;  // [rows, columns], as the card has them
  Buffer buffer;

  // With normal numbers, or what `fill` says.
  Matrix(Check &check, int64_t rows, int64_t columns, int type, int64_t margin = 3,
         std::function<double(int64_t)> fill = nullptr);
  double operator()(int64_t row, int64_t column) const { return values[(size_t)(row * columns + column)]; }
  card_out out() const { return {buffer.at<void>(), stride, type}; }
  card_in in() const { return {buffer.at<void>(), stride, type}; }
  // The numbers that the card has now; records an error when something lies between the rows.
  std::vector<double> read();

 private:
  Check &check;
};

// MARK: Checking

class Check {
 public:
  Check(card *card, std::function<void(const char *, double)> report) : c(card), report(report) {}
  card *const c;
  int wrong = 0;

  // |found − expected| ≤ relative·|expected| + absolute, everywhere.
  void close(const std::string &name, const std::vector<double> &found, const std::vector<double> &expected,
             double relative, double absolute);
  void equal(const std::string &name, const std::vector<double> &found, const std::vector<double> &expected) {
    close(name, found, expected, 0, 1e-300);
  }
  void done(int error, const char *what);  // an error of the card is wrong

 private:
  std::function<void(const char *, double)> report;
};

template <class T>
std::vector<double> doubles(const std::vector<T> &x) {
  return std::vector<double>(x.begin(), x.end());
}

inline std::string named(const std::string &what, int64_t rows, int64_t columns, int type) {
  return what + " [" + std::to_string(rows) + ", " + std::to_string(columns) + "] " + name_of(type);
}

// Shapes below, at and above what a vector, a warp and a block hold.
struct Shape {
  int64_t rows, columns;
};
inline const std::vector<Shape> shapes = {{1, 1}, {3, 5}, {9, 32}, {4, 33}, {70, 64}, {2, 1030}, {3, 4100}};

// MARK: The checks, a file each

void elementwise(Check &);
void norms(Check &);
void layers(Check &);
void attention(Check &);
void attention_tiles(Check &);
void weights(Check &);
void training(Check &);
void products(Check &);

}  // namespace checks
