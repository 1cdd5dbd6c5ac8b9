#include "checks.h"

namespace checks {

// A batch of products whose operands are column ranges of wider matrices, as attention's heads are.
static void batch(Check &t, int64_t m, int64_t n, int64_t k, int64_t count, int type, int out_type, bool ta, bool tb,
                  bool accumulate) {
  Matrix a(t, ta ? k : m, count * (ta ? m : k), type), b(t, tb ? n : k, count * (tb ? k : n), type);
  Matrix out(t, m, count * n, out_type);
  card_product p = {};
  p.out = out.out();
  p.a = a.in();
  p.b = b.in();
  p.m = m, p.n = n, p.k = k;
  p.transpose_a = ta, p.transpose_b = tb, p.accumulate = accumulate;
  p.scale = 0.5f;
  p.count = count;
  p.step_out = n;
  p.step_a = ta ? m : k;
  p.step_b = tb ? k : n;
  std::vector<double> expected = out.values;
  for (int64_t item = 0; item < count; item++)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t l = 0; l < k; l++)
          sum += (ta ? a(l, item * m + i) : a(i, item * k + l)) * (tb ? b(j, item * k + l) : b(l, item * n + j));
        double &to = expected[(size_t)(i * count * n + item * n + j)];
        to = 0.5 * sum + (accumulate ? to : 0);
      }
  t.done(t.c->multiply(t.c, &p), "multiply");
  std::string name = std::to_string(count) + " products" + (ta ? ", aᵀ" : "") + (tb ? ", bᵀ" : "") +
                     (accumulate ? ", added" : "") + " to " + name_of(out_type);
  t.close(named(name, m, n, type), out.read(), expected, unit(out_type), 1e-5 * std::sqrt((double)k));
}

void products(Check &t) {
  for (int type : types)
    for (int out_type : {(int)CARD_FLOAT32, type})
      for (bool ta : {false, true})
        for (bool tb : {false, true})
          for (bool accumulate : {false, true}) {
            batch(t, 5, 7, 3, 1, type, out_type, ta, tb, accumulate);
            batch(t, 33, 40, 64, 3, type, out_type, ta, tb, accumulate);
            batch(t, 1, 130, 257, 2, type, out_type, ta, tb, accumulate);
          }
}

}  // namespace checks
