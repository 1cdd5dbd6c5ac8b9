#include "fibers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <utility>
#include <vector>

// MARK: - Switching stacks

// Saves the callee's registers on the stack, its address in *save, and goes on where `to` was saved.
extern "C" void emulator_switch(void **save, void *to);
#if defined(__x86_64__)
__asm__(
    ".text\n.globl emulator_switch\n.type emulator_switch,@function\nemulator_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n  ret\n"
    ".size emulator_switch,.-emulator_switch\n");
// A stack on which emulator_switch enters `entry`.
static void *prepare(unsigned char *top, void (*entry)()) {
  void **sp = (void **)((uintptr_t)top & ~(uintptr_t)15);
  *--sp = nullptr;  // so that at entry rsp ≡ 8 (mod 16), as after a call
  *--sp = (void *)entry;
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  return sp;
}
#elif defined(__aarch64__)
__asm__(
    ".text\n.globl emulator_switch\n.type emulator_switch,%function\nemulator_switch:\n"
    "  sub sp, sp, #160\n"
    "  stp x19, x20, [sp]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n  stp x25, x26, [sp, #48]\n"
    "  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n"
    "  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
    "  ldp x19, x20, [sp]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n  ldp x25, x26, [sp, #48]\n"
    "  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
    "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n  add sp, sp, #160\n  ret\n"
    ".size emulator_switch,.-emulator_switch\n");
// A stack on which emulator_switch enters `entry`.
static void *prepare(unsigned char *top, void (*entry)()) {
  unsigned char *sp = (unsigned char *)((uintptr_t)top & ~(uintptr_t)15) - 160;
  memset(sp, 0, 160);
  *(void **)(sp + 88) = (void *)entry;
  return sp;
}
#else
#error "the emulator knows x86-64 and arm64"
#endif

// MARK: - A block

namespace emulator {

thread_local Self self;

namespace {

constexpr size_t stack_bytes = 64 << 10;
constexpr size_t shared_bytes = 48 << 10;  // what every card gives a block
constexpr uint32_t thread_limit = 256;

struct Copy {
  void *to;
  const void *from;
  size_t bytes;
  uint32_t group;
};

struct Fiber {
  void *sp = nullptr;
  unsigned char *stack = nullptr;
  enum { fresh, ready, in_block, in_warp, done } state = fresh;
  std::vector<Copy> copies;  // asked for and not yet waited for
  uint32_t group = 0;        // that the next copy belongs to
};

struct Warp {
  uint32_t arrived = 0, turn = 0;
  unsigned char slots[2][32 * slot_bytes];
};

// What one thread of the processor needs to run blocks.
struct Runner {
  Fiber fibers[thread_limit];
  Warp warps[thread_limit / 32];
  std::vector<unsigned char *> stacks;
  unsigned char *pool = nullptr;
  uint32_t stacks_made = 0;
  alignas(64) unsigned char shared[shared_bytes];
  std::vector<std::pair<const void *, size_t>> shared_arrays;  // place, offset
  size_t shared_used = 0;
  void *scheduler = nullptr;
  uint32_t current = 0, threads = 0, alive = 0, in_block = 0;
  void (*call)(void (*)(), void *const *) = nullptr;
  void (*kernel)() = nullptr;
  void *const *arguments = nullptr;
  const char *name = "";

  Runner() {
    pool = (unsigned char *)mmap(nullptr, stack_bytes * thread_limit, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  ~Runner() { munmap(pool, stack_bytes * thread_limit); }

  unsigned char *take_stack() {
    if (stacks.empty()) return pool + stack_bytes * stacks_made++;
    unsigned char *stack = stacks.back();
    stacks.pop_back();
    return stack;
  }

  [[noreturn]] void fail(const char *what) {
    fprintf(stderr, "emulator: kernel %s, block (%u, %u), thread %u: %s\n", name, self.block_x, self.block_y, self.thread,
            what);
    abort();
  }

  void yield() { emulator_switch(&fibers[current].sp, scheduler); }

  void run_block(uint32_t x, uint32_t y, unsigned order);
  bool run_warp(uint32_t first, uint32_t turn);
};

thread_local Runner *runner = nullptr;

void enter() {
  Runner *r = runner;
  r->call(r->kernel, r->arguments);
  r->fibers[r->current].state = Fiber::done;
  r->yield();
  abort();
}

void Runner::run_block(uint32_t x, uint32_t y, unsigned order) {
  uint64_t random = order * 0x9e3779b97f4a7c15u + x + ((uint64_t)y << 32);
  for (uint32_t i = 0; i < threads; i++) fibers[i].state = Fiber::fresh;
  for (uint32_t i = 0; i < threads / 32; i++) warps[i].arrived = warps[i].turn = 0;
  shared_arrays.clear();
  shared_used = 0;
  alive = threads;
  in_block = 0;
  self.block_x = x;
  self.block_y = y;
  uint32_t count = threads / 32, waiting = 0;
  for (uint32_t n = 0; alive > 0; n++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    uint32_t warp = order == 0 ? n % count : order == 1 ? count - 1 - n % count : (uint32_t)(random >> 33) % count;
    uint32_t turn = order == 0 ? 0 : order == 1 ? 31 : (uint32_t)(random >> 50) & 31;
    if (run_warp(warp * 32, turn)) {
      waiting = 0;
    } else if (++waiting > 64 * count) {
      fail("waits for threads that have ended or wait elsewhere");
    }
  }
}

// Runs the warp of thread `first` until all of its lanes wait; lane i comes when its number is i ^ turn.
bool Runner::run_warp(uint32_t first, uint32_t turn) {
  bool any = false;
  for (bool progress = true; progress;) {
    progress = false;
    for (uint32_t n = 0; n < 32; n++) {
      uint32_t i = first + (n ^ turn);
      Fiber &fiber = fibers[i];
      if (fiber.state == Fiber::fresh) {
        fiber.copies.clear();
        fiber.group = 0;
        fiber.stack = take_stack();
        fiber.sp = prepare(fiber.stack + stack_bytes, enter);
      } else if (fiber.state != Fiber::ready) {
        continue;
      }
      progress = any = true;
      fiber.state = Fiber::ready;
      current = i;
      self.thread = i;
      emulator_switch(&scheduler, fiber.sp);
      if (fiber.state == Fiber::done) {
        stacks.push_back(fiber.stack);
        alive--;
      }
    }
  }
  return any;
}

}  // namespace

// MARK: - For kernels

// A barrier counts all threads: one that has ended never arrives, and the block then waits for ever, which `run_block` says.
void wait_block() {
  Runner *r = runner;
  if (++r->in_block == r->threads) {
    r->in_block = 0;
    for (uint32_t i = 0; i < r->threads; i++)
      if (r->fibers[i].state == Fiber::in_block) r->fibers[i].state = Fiber::ready;
    return;
  }
  r->fibers[r->current].state = Fiber::in_block;
  r->yield();
}

const unsigned char *exchange(const void *bytes, size_t count) {
  Runner *r = runner;
  uint32_t me = r->current;
  Warp &warp = r->warps[me / 32];
  // A lane comes to the exchange after the next only when all lanes have come to the next, so have read this one.
  unsigned char *slots = warp.slots[warp.turn & 1];
  memcpy(slots + me % 32 * slot_bytes, bytes, count);
  if (++warp.arrived == 32) {
    warp.arrived = 0;
    warp.turn++;
    for (uint32_t i = me / 32 * 32; i < me / 32 * 32 + 32; i++)
      if (r->fibers[i].state == Fiber::in_warp) r->fibers[i].state = Fiber::ready;
    return slots;
  }
  r->fibers[me].state = Fiber::in_warp;
  r->yield();
  return slots;
}

void copy_later(void *to, const void *from, size_t bytes) {
  Fiber &fiber = runner->fibers[runner->current];
  memset(to, 0xff, bytes);
  fiber.copies.push_back({to, from, bytes, fiber.group});
}

void end_copies() { runner->fibers[runner->current].group++; }

void wait_for_copies(uint32_t newer) {
  Fiber &fiber = runner->fibers[runner->current];
  std::vector<Copy> waiting;
  for (const Copy &copy : fiber.copies) {
    if (copy.group + newer >= fiber.group) {
      waiting.push_back(copy);
    } else if (copy.from) {
      memcpy(copy.to, copy.from, copy.bytes);
    } else {
      memset(copy.to, 0, copy.bytes);
    }
  }
  fiber.copies.swap(waiting);
}

void *shared(const void *place, size_t bytes) {
  Runner *r = runner;
  for (auto &array : r->shared_arrays)
    if (array.first == place) return r->shared + array.second;
  size_t offset = r->shared_used;
  r->shared_used = (offset + bytes + 63) & ~(size_t)63;
  if (r->shared_used > shared_bytes) r->fail("uses too much shared memory");
  memset(r->shared + offset, 0xff, r->shared_used - offset);
  r->shared_arrays.push_back({place, offset});
  return r->shared + offset;
}

// MARK: - For launches

void run(const Grid &grid, const char *name, void (*call)(void (*kernel)(), void *const *arguments), void (*kernel)(),
         void *const *arguments) {
  static thread_local Runner of_thread;
  runner = &of_thread;
  runner->threads = grid.threads;
  runner->call = call;
  runner->kernel = kernel;
  runner->arguments = arguments;
  runner->name = name;
  self.threads = grid.threads;
  self.grid_x = grid.blocks_x;
  self.grid_y = grid.blocks_y;
  for (uint32_t y = 0; y < grid.blocks_y; y++)
    for (uint32_t x = 0; x < grid.blocks_x; x++) runner->run_block(x, y, grid.order);
}

}  // namespace emulator
