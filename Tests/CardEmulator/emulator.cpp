#include "card_emulator.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <vector>

#include "card_kernels.h"
#include "emulated_language.h"
#include "kernels.h"

namespace {

using emulator::tagged;
using emulator::untagged;

struct Block {
  size_t bytes, mapped;
  void *base;
};

struct Emulated : card {
  unsigned order = 0;
  size_t limit = 0, used = 0;
  long launches = 0, uploads = 0;
  bool lost = false;
  std::map<uintptr_t, Block> blocks;  // by address on the card
  std::mutex lock;
};

Emulated &of(card *card) { return *static_cast<Emulated *>(card); }

thread_local const char *last_problem = "";

int failed(int error, const char *what) {
  last_problem = what;
  return error;
}
enum { INVALID = 1, LOST = 999 };

// MARK: - Memory

size_t page() { return (size_t)sysconf(_SC_PAGESIZE); }

int allocate(card *card, void **pointer, size_t bytes) {
  Emulated &self = of(card);
  std::lock_guard<std::mutex> guard(self.lock);
  if (self.lost) return failed(LOST, "the card is lost");
  if (bytes > self.limit - self.used) return failed(CARD_OUT_OF_MEMORY, "out of memory");
  size_t used = (bytes + page() - 1) / page() * page(), mapped = used + page();
  unsigned char *base =
      (unsigned char *)mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return failed(CARD_OUT_OF_MEMORY, "out of memory");
  mprotect(base + used, page(), PROT_NONE);
  // Its end, to 16 bytes, at the guard page; filled with NaN.
  unsigned char *start = base + used - (bytes + 15) / 16 * 16;
  memset(start, 0xff, (bytes + 15) / 16 * 16);
  *pointer = tagged(start);
  self.blocks[(uintptr_t)*pointer] = {bytes, mapped, base};
  self.used += bytes;
  return CARD_DONE;
}

int release(card *card, void *pointer) {
  Emulated &self = of(card);
  std::lock_guard<std::mutex> guard(self.lock);
  auto found = self.blocks.find((uintptr_t)pointer);
  if (found == self.blocks.end()) return failed(INVALID, "released what was not allocated");
  self.used -= found->second.bytes;
  munmap(found->second.base, found->second.mapped);
  self.blocks.erase(found);
  return CARD_DONE;
}

// Whether these bytes lie within one block.
bool holds(Emulated &self, const void *pointer, size_t bytes) {
  std::lock_guard<std::mutex> guard(self.lock);
  auto after = self.blocks.upper_bound((uintptr_t)pointer);
  if (after == self.blocks.begin()) return false;
  auto block = std::prev(after);
  return (uintptr_t)pointer + bytes <= block->first + block->second.bytes;
}

int check(card *card, const void *pointer, size_t bytes, const char *what) {
  if (of(card).lost) return failed(LOST, "the card is lost");
  return bytes == 0 || holds(of(card), pointer, bytes) ? CARD_DONE : failed(INVALID, what);
}

int upload(card *card, void *to, const void *from, size_t bytes) {
  if (int error = check(card, to, bytes, "a copy to what is no memory of the card")) return error;
  of(card).uploads++;
  if (bytes > 0) memcpy(untagged(to), from, bytes);
  return CARD_DONE;
}

int download(card *card, void *to, const void *from, size_t bytes) {
  if (int error = check(card, from, bytes, "a copy from what is no memory of the card")) return error;
  if (bytes > 0) memcpy(to, untagged(from), bytes);
  return CARD_DONE;
}

int copy(card *card, void *to, const void *from, size_t bytes) {
  if (int error = check(card, from, bytes, "a copy from what is no memory of the card")) return error;
  if (int error = check(card, to, bytes, "a copy to what is no memory of the card")) return error;
  memcpy(untagged(to), untagged(from), bytes);
  return CARD_DONE;
}

int fill(card *card, void *at, uint8_t byte, size_t bytes) {
  if (int error = check(card, at, bytes, "fills what is no memory of the card")) return error;
  memset(untagged(at), byte, bytes);
  return CARD_DONE;
}

int memory(card *card, size_t *free, size_t *total) {
  if (of(card).lost) return failed(LOST, "the card is lost");
  *free = of(card).limit - of(card).used;
  *total = of(card).limit;
  return CARD_DONE;
}

// MARK: - Launches

int launch(card *card, int number, unsigned blocks_x, unsigned blocks_y, unsigned threads, card_arguments arguments) {
  if (of(card).lost) return failed(LOST, "the card is lost");
  if (number < 0 || number >= CARD_KERNEL_COUNT) return failed(INVALID, "no such kernel");
  if (threads == 0 || threads > CARD_THREADS || threads % 32 != 0) return failed(INVALID, "a bad number of threads");
  if (blocks_x == 0 || blocks_y == 0 || blocks_x > 0x7fffffff || blocks_y > 65535) return failed(INVALID, "a bad grid");
  of(card).launches++;
  const emulator::Kernel &kernel = emulator::kernels[number];
  if (kernel.parameters != arguments.count) return failed(INVALID, kernel.name);
  for (size_t i = 0; i < arguments.count; i++)
    if (kernel.sizes[i] != arguments.sizes[i]) return failed(INVALID, kernel.name);
  emulator::run({blocks_x, blocks_y, threads, of(card).order}, kernel.name, kernel.call, kernel.function,
                arguments.addresses);
  return CARD_DONE;
}

// MARK: - Products

float load(const void *p, int64_t i, int type) {
  if (type == CARD_FLOAT32) return ((const float *)p)[i];
  uint16_t half = ((const uint16_t *)p)[i];
  return type == CARD_FLOAT16 ? widen_float16(half) : bits_float((uint32_t)half << 16);
}
void store(void *p, int64_t i, int type, float value) {
  if (type == CARD_FLOAT32) {
    ((float *)p)[i] = value;
  } else if (type == CARD_FLOAT16) {
    ((uint16_t *)p)[i] = narrow_float16(value);
  } else {
    uint32_t bits = float_bits(value);
    ((uint16_t *)p)[i] = value != value ? 0x7fc0 : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}

int64_t size_of(int type) { return type == CARD_FLOAT32 ? 4 : 2; }

// Whether `count` matrices [rows, columns] lie within one block.
bool lies(card *card, const void *at, int64_t stride, int type, int64_t rows, int64_t columns, int64_t count, int64_t step) {
  if (stride < columns && rows > 1) return false;
  int64_t last = (count - 1) * step + (rows - 1) * stride + columns;
  return holds(of(card), at, (size_t)(last * size_of(type)));
}

int multiply(card *card, const card_product *product) {
  card_product p = *product;
  of(card).launches++;
  if (of(card).lost) return failed(LOST, "the card is lost");
  if (p.m <= 0 || p.n <= 0 || p.k <= 0 || p.count <= 0) return failed(INVALID, "an empty product");
  if (p.a.type != p.b.type || (p.out.type != p.a.type && p.out.type != CARD_FLOAT32))
    return failed(INVALID, "a product of types that cuBLAS does not know");
  if (p.a.type == CARD_BFLOAT16 && !card->has_bfloat16) return failed(INVALID, "a product of bfloat16 on a card without it");
  if (!lies(card, p.out.at, p.out.stride, p.out.type, p.m, p.n, p.count, p.step_out) ||
      !lies(card, p.a.at, p.a.stride, p.a.type, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.count, p.step_a) ||
      !lies(card, p.b.at, p.b.stride, p.b.type, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.count, p.step_b))
    return failed(INVALID, "a product whose operands are no memory of the card");
  void *out = untagged(p.out.at);
  const void *a = untagged(p.a.at), *b = untagged(p.b.at);
  std::vector<double> sums((size_t)p.n);
  for (int64_t item = 0; item < p.count; item++)
    for (int64_t i = 0; i < p.m; i++) {
      for (double &sum : sums) sum = 0;
      for (int64_t k = 0; k < p.k; k++) {
        double left = load(a, item * p.step_a + (p.transpose_a ? k * p.a.stride + i : i * p.a.stride + k), p.a.type);
        for (int64_t j = 0; j < p.n; j++)
          sums[(size_t)j] +=
              left * load(b, item * p.step_b + (p.transpose_b ? j * p.b.stride + k : k * p.b.stride + j), p.b.type);
      }
      for (int64_t j = 0; j < p.n; j++) {
        int64_t at = item * p.step_out + i * p.out.stride + j;
        double value = p.scale * sums[(size_t)j];
        if (p.accumulate) value += load(out, at, p.out.type);
        store(out, at, p.out.type, (float)value);
      }
    }
  return CARD_DONE;
}

// MARK: - The rest of the table

int synchronise(card *card) { return of(card).lost ? failed(LOST, "the card is lost") : CARD_DONE; }

double milliseconds(card *, void (*body)(void *), void *context) {
  timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  body(context);
  clock_gettime(CLOCK_MONOTONIC, &b);
  return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) * 1e-6;
}

const char *problem(card *) { return last_problem; }

}  // namespace

extern "C" card *card_emulate(unsigned order, size_t memory_bytes) {
  Emulated *self = new Emulated;
  *static_cast<card *>(self) = {"an emulated card", 1,    1,      allocate, release,     upload, download,     copy,
                                fill,               launch, multiply, synchronise, memory, milliseconds, problem};
  self->order = order;
  self->limit = memory_bytes;
  return self;
}

extern "C" void card_emulator_lose(card *card) { of(card).lost = true; }
extern "C" void card_emulator_without_bfloat16(card *card) { card->has_bfloat16 = card->has_tiles = 0; }
extern "C" size_t card_emulator_used(card *card) { return of(card).used; }
extern "C" card_emulator_counts card_emulator_counted(card *card) { return {of(card).launches, of(card).uploads}; }
extern "C" void card_emulator_end(card *card) {
  for (auto &block : of(card).blocks) munmap(block.second.base, block.second.mapped);
  delete &of(card);
}
