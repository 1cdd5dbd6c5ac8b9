// What writing one token costs a card: each operation of a block by itself, and all of them block after block.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "card_operations.h"
#include "speed.h"

namespace {

struct Shape {
  const char *name;
  int64_t hidden, mlp, heads, key_heads, head, layers;
  int64_t queries() const { return heads * head; }
  int64_t keys() const { return key_heads * head; }
};

card_in in(card_out x, int64_t column = 0) { return {(char *)x.at + column * 2, x.stride, x.type}; }

struct Memory : CardRoom {
  card_out half(int64_t rows, int64_t columns) { return {room(rows * columns * 2), columns, CARD_BFLOAT16}; }
  card_nf4 nf4(int64_t outputs, int64_t columns) {
    int64_t blocks = outputs * columns / 64;
    return {(uint8_t *)room(blocks * 32), nullptr, (uint8_t *)room(blocks), (float *)room(blocks / 256 * 4 + 4),
            (float *)room(1024), columns, 0.1f, CARD_BFLOAT16};
  }
};

struct Layer {
  card_nf4 q, k, v, o, gate, up, down;

  Layer(Memory &m, const Shape &s)
      : q(m.nf4(s.queries(), s.hidden)), k(m.nf4(s.keys(), s.hidden)), v(m.nf4(s.keys(), s.hidden)),
        o(m.nf4(s.hidden, s.queries())), gate(m.nf4(s.mlp, s.hidden)), up(m.nf4(s.mlp, s.hidden)),
        down(m.nf4(s.hidden, s.mlp)) {}
};

// Rows that each continue a sequence of `past` tokens by one, and what their blocks do.
class Token {
 public:
  Token(Memory &m, const Shape &s, int64_t rows, int64_t past)
      : memory(m), c(m.c), s(s), rows(rows), past(past), stream{m.room(rows * s.hidden * 4), s.hidden, CARD_FLOAT32},
        normed(m.half(rows, s.hidden)), qkv(m.half(rows, s.queries() + 2 * s.keys())), attended(m.half(rows, s.queries())),
        added(m.half(rows, s.hidden)), gate_up(m.half(rows, 2 * s.mlp)), active(m.half(rows, s.mlp)),
        weight((float *)m.room(s.hidden * 4)), reciprocal((float *)m.room(rows * 4)),
        angles((float *)m.room(rows * s.head * 4)) {
    // As many different weights as the card's cache has no room for.
    for (int64_t i = 0; i < (s.hidden > 4000 ? 4 : s.layers); i++) layers.emplace_back(m, s);
    for (int64_t i = 0; i < rows; i++) {
      auto own = [&] { return (uint64_t)m.room((past + 1) * s.keys() * 2); };
      cached.few[i] = {own(), own(), s.keys(), s.keys(), 0, past + 1};
    }
  }

  void measure() {
    printf("%s, %lld rows after %lld tokens, microseconds:\n", s.name, (long long)rows, (long long)past);
    double sum = 0;
    auto all_steps = steps();
    for (auto &step : all_steps) {
      double one = microseconds(40, [&] { run(step), layer++; });
      sum += one;
      printf("  %-24s %7.2f\n", step.name, one);
    }
    auto block = [&] {
      for (auto &step : all_steps) run(step);
      layer++;
    };
    double all = microseconds((int)s.layers, block);
    c->synchronise(c);
    auto before = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < s.layers; i++) block();
    std::chrono::duration<double, std::micro> issuing = std::chrono::steady_clock::now() - before;
    printf("  %-24s %7.2f, one after another in a block %7.2f (%.2f to issue): %.0f tokens/s without the head\n", "together",
           sum, all, issuing.count() / (double)s.layers, 1e6 * (double)rows / (all * (double)s.layers));
  }

 private:
  struct Step {
    const char *name;
    std::function<int()> body;
  };

  Memory &memory;
  card *c;
  Shape s;
  int64_t rows, past;
  card_out stream, normed, qkv, attended, added, gate_up, active;
  float *weight, *reciprocal, *angles;
  card_cached_rows cached = {};
  std::vector<Layer> layers;
  size_t layer = 0;

  void run(const Step &step) {
    if (step.body() != 0) memory.failures++;
  }

  const Layer &own() const { return layers[layer % layers.size()]; }

  // A block's operations as the program asks for them.
  std::vector<Step> steps() {
    Step norm = {"rms_norm", [this] { return card_rms_norm(c, normed, reciprocal, in(stream), weight, 1e-5f, rows, s.hidden); }};
    Step add = {"add", [this] { return card_add(c, stream, in(added), rows, s.hidden); }};
    return {
        norm,
        {"queries, keys, values",
         [this] { return multiply(qkv, {{own().q, own().k, own().v}, {s.queries(), s.keys(), s.keys()}}); }},
        {"rotate", [this] { return card_rotate(c, qkv, angles, angles, 1, 0, rows, s.heads + s.key_heads, s.head, s.head); }},
        {"attention_cached",
         [this] {
           return card_attention_cached(c, attended, nullptr, 0, in(qkv), &cached, in(qkv, s.queries()),
                                        in(qkv, s.queries() + s.keys()), nullptr, nullptr, 0.1f, 0, rows, s.heads,
                                        s.heads / s.key_heads, s.head, s.head);
         }},
        {"output", [this] { return card_nf4_rows(c, added, in(attended), own().o, card_in{}, card_in{}, rows, s.hidden, 0); }},
        add,
        norm,
        {"gate and up", [this] { return multiply(gate_up, {{own().gate, own().up, own().up}, {s.mlp, s.mlp, 0}}); }},
        {"activate", [this] { return card_activate(c, active, in(gate_up), in(gate_up, s.mlp), 0, rows, s.mlp); }},
        {"down", [this] { return card_nf4_rows(c, added, in(active), own().down, card_in{}, card_in{}, rows, s.hidden, 0); }},
        add,
    };
  }

  int multiply(card_out y, const card_nf4_parts &parts) { return card_nf4_rows_of(c, y, in(normed), &parts, rows); }

  // Of one of `runs`, the best of three times.
  double microseconds(int runs, const std::function<void()> &body) {
    std::function<void()> all = [&] {
      for (int i = 0; i < runs; i++) body();
    };
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
      c->synchronise(c);
      best = std::min(best, c->milliseconds(c, [](void *all) { (*(std::function<void()> *)all)(); }, &all));
    }
    return best * 1e3 / runs;
  }
};

}  // namespace

int measure_token(card *c) {
  const Shape ziya = {"Ziya-LLaMA-13B", 5120, 13824, 40, 40, 128, 40}, smollm = {"SmolLM2-135M", 576, 1536, 9, 3, 64, 30};
  Memory memory{{c}};
  for (const Shape &shape : {ziya, smollm})
    for (int64_t rows : {1, 8}) Token(memory, shape, rows, 160).measure();
  Token(memory, smollm, 1, 1000).measure();
  printf("%s, %d failures\n", c->name, memory.failures);
  return memory.failures;
}
