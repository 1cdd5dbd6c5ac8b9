// How the operations launch: grids by shape, arguments by their addresses.
#pragma once

#include "card_kernels.h"
#include "card_operations.h"

typedef struct {
  unsigned x, y, threads;
} card_grid;

enum { MOST_BLOCKS_Y = 65535, WARP = 32 };

static inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t blocks_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

// Threads for `count` pieces of work: at least a warp, whole warps, no more than there is work for.
static inline unsigned threads_for(int64_t count) {
  return count <= WARP ? WARP : (unsigned)at_most(blocks_of(count, WARP) * WARP, CARD_THREADS);
}

// Along the columns in pieces of `width`, and along the rows.
static inline card_grid over_matrix(int64_t rows, int64_t columns, int64_t width) {
  unsigned threads = threads_for(blocks_of(columns, width));
  return (card_grid){(unsigned)blocks_of(columns, width * threads), (unsigned)at_most(rows, MOST_BLOCKS_Y), threads};
}

// A block a row.
static inline card_grid over_rows(int64_t rows, int64_t columns) {
  return (card_grid){(unsigned)rows, 1, threads_for(blocks_of(columns, 4))};
}

// A vector of `count` in pieces of four, a few per thread where it is long.
static inline card_grid over_vector(int64_t count, int64_t most_blocks) {
  unsigned threads = threads_for(blocks_of(count, 4));
  return (card_grid){(unsigned)at_most(blocks_of(count, 4 * threads), most_blocks), 1, threads};
}

// Warps that each have an item.
static inline card_grid over_warps(int64_t items) {
  return (card_grid){(unsigned)blocks_of(items, CARD_THREADS / WARP), 1, CARD_THREADS};
}

#define ADDRESS_OF(x) (void *)&(x)
#define SIZE_OF(x) sizeof(x)
// Launches a kernel with up to fifteen arguments, which are variables.
#define LAUNCH(card, kernel, grid, ...)                                                                     \
  launch_with((card), CARD_KERNEL_##kernel, (grid), (void *const[]){EACH_OF(ADDRESS_OF, __VA_ARGS__)}, \
              (const size_t[]){EACH_OF(SIZE_OF, __VA_ARGS__)}, COUNT_OF(__VA_ARGS__))

#define COUNT_OF(...) (sizeof((const size_t[]){EACH_OF(SIZE_OF, __VA_ARGS__)}) / sizeof(size_t))

static inline int launch_with(card *card, int kernel, card_grid grid, void *const *addresses, const size_t *sizes,
                              size_t count) {
  if (grid.x == 0 || grid.y == 0) return CARD_DONE;
  return card->launch(card, kernel, grid.x, grid.y, grid.threads, (card_arguments){addresses, sizes, count});
}

// f(a), f(b), … for one to sixteen arguments.
#define EACH_OF(f, ...) PICK(__VA_ARGS__, E16, E15, E14, E13, E12, E11, E10, E9, E8, E7, E6, E5, E4, E3, E2, E1)(f, __VA_ARGS__)
#define PICK(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, name, ...) name
#define E1(f, a) f(a)
#define E2(f, a, ...) f(a), E1(f, __VA_ARGS__)
#define E3(f, a, ...) f(a), E2(f, __VA_ARGS__)
#define E4(f, a, ...) f(a), E3(f, __VA_ARGS__)
#define E5(f, a, ...) f(a), E4(f, __VA_ARGS__)
#define E6(f, a, ...) f(a), E5(f, __VA_ARGS__)
#define E7(f, a, ...) f(a), E6(f, __VA_ARGS__)
#define E8(f, a, ...) f(a), E7(f, __VA_ARGS__)
#define E9(f, a, ...) f(a), E8(f, __VA_ARGS__)
#define E10(f, a, ...) f(a), E9(f, __VA_ARGS__)
#define E11(f, a, ...) f(a), E10(f, __VA_ARGS__)
#define E12(f, a, ...) f(a), E11(f, __VA_ARGS__)
#define E13(f, a, ...) f(a), E12(f, __VA_ARGS__)
#define E14(f, a, ...) f(a), E13(f, __VA_ARGS__)
#define E15(f, a, ...) f(a), E14(f, __VA_ARGS__)
#define E16(f, a, ...) f(a), E15(f, __VA_ARGS__)
