// Blocks of threads on one thread of the processor.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace emulator {

// The running fiber's place in its grid.
struct Self {
  uint32_t thread, block_x, block_y, threads, grid_x, grid_y;
};
extern thread_local Self self;

// MARK: For kernels

// Waits for all threads of the block.
void wait_block();
// Gives the lane's bytes, slot_bytes at most, and gets those of all 32 lanes of its warp, slot_bytes apart.
constexpr size_t slot_bytes = 32;
const unsigned char *exchange(const void *bytes, size_t count);
// Copies some time before the wait for it returns; until then the bytes are NaN. From null, zeros.
void copy_later(void *to, const void *from, size_t bytes);
void end_copies();
void wait_for_copies(uint32_t newer);
// The block's array that belongs to this place in the source.
void *shared(const void *place, size_t bytes);

// MARK: For launches

struct Grid {
  uint32_t blocks_x, blocks_y, threads;
  unsigned order;  // as card_emulate's
};
// Runs call(kernel, arguments) as every thread of the grid.
void run(const Grid &grid, const char *name, void (*call)(void (*kernel)(), void *const *arguments), void (*kernel)(),
         void *const *arguments);

// MARK: Addresses of the card

// A card's addresses have this bit set: those of no process have, so only what knows of it can follow them.
constexpr uintptr_t tag = (uintptr_t)1 << 55;
inline void *tagged(void *p) { return p ? (void *)((uintptr_t)p ^ tag) : p; }
template <class T>
T *untagged(T *p) {
  return p ? (T *)((uintptr_t)p ^ tag) : p;
}

}  // namespace emulator
