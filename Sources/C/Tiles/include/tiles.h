// Products on a processor's matrix tiles (AMX): eight registers of 16 rows of 64 bytes, and instructions that add the
// product of two of them to a third: of bfloat16 to float32, of bytes to 32-bit integers.
//
// The same source is compiled for the instructions and for an imitation of them in C, which gives the same bits on any
// processor. Like the kernels, no function allocates, starts threads or keeps state.
#pragma once

#include <stddef.h>

#include "kernels.h"

#pragma clang assume_nonnull begin

// One of the products that a block sums: a[rows, k] · b, both bfloat16. b is [k, columns], or [columns, k] where it is
// `transposed`; it is dense, or a window of NF4 weights that is decoded on the way.
typedef struct {
  kernels_in a;
  kernels_in dense;                  // b's first element; not read where there are codes
  const kernels_nf4 *_Nullable nf4;  // or null
  size_t first_row, first_column;    // where b begins in `nf4`
  size_t k;                          // at least 1
  int transposed;
} tiles_term;

typedef struct tiles {
  const char *name;
  // y[rows, columns] c = Σ a·b over the terms, or += with `accumulate`; rows ≤ TILES_ROWS. y overlaps no operand.
  //
  // Each 32 of a term's k are summed by themselves: their even and their odd elements in one chain of fused
  // multiply-adds each, then the two; this is added to y's sum. Denormals are taken for 0 throughout. So a row's
  // result depends neither on the other rows nor on how a product is cut into blocks.
  void (*product)(kernels_out y, const tiles_term *terms, size_t count, int accumulate, size_t rows, size_t columns,
                  void *room);
  // y[m, rows] float32 = x[m, columns] · blocks[first_row ..< first_row + rows, :]ᵀ, m ≤ TILES_BLOCKS_ROWS: the bits of the kernels'
  // `blocks_dot`. blocks_room: bytes of `room`, 64-byte aligned, for so many columns.
  void (*blocks_dot)(kernels_out y, const kernels_rounded *x, size_t m, const kernels_blocks *blocks, size_t first_row,
                     size_t rows, void *room);
  size_t (*blocks_room)(size_t columns);
  // y[m, rows] float32 = x[m, columns]·w[rows, columns]ᵀ, m ≤ TILES_FEW_ROWS, w bfloat16: the bits of `product`. dense_pack: x as
  // it is read, bfloat16 before, to tiles_packed(m, columns) bytes. dense_room: bytes of `room`. Both 64-byte aligned.
  void (*dense_dot)(kernels_out y, const void *x, size_t m, kernels_in w, size_t rows, size_t columns, void *room);
  void (*dense_pack)(void *out, kernels_in x, size_t m, size_t columns);
  size_t (*dense_room)(void);
  // out[columns, rows] = x[rows, columns]ᵀ, both bfloat16
  void (*transpose)(kernels_out out, kernels_in x, size_t rows, size_t columns);
  // out[columns, rows] (+)= x[rows, columns]ᵀ, both float32
  void (*add_transposed)(kernels_out out, kernels_in x, int accumulate, size_t rows, size_t columns);
  // Of bfloat16. Probabilities are right to 3·10⁻⁶ of themselves before they are rounded.
  kernels_attention attention;
} tiles;

enum { TILES_ROWS = 1024, TILES_BLOCKS_ROWS = 16, TILES_FEW_ROWS = 16 };

// Bytes of x [m ≤ TILES_FEW_ROWS, columns] as dense_pack writes it.
size_t tiles_packed(size_t m, size_t columns);

// Bytes of `room`, 64-byte aligned, for a product of this size, k being the sum over its terms.
size_t tiles_room(size_t rows, size_t columns, size_t k, size_t terms);

// MARK: - Choice

// With the processor's instructions; null where it has none or the system does not permit them. The first call asks for
// the permission, which holds for the whole process: call it before tiles are used on any thread.
const tiles *_Nullable tiles_hardware(void);
// With the imitation: slow, for tests.
const tiles *tiles_imitated(void);
// All imitations that this processor can run, null beyond the last: for tests, which compare them.
const tiles *_Nullable tiles_imitation(size_t index);
// What tiles_use has given to the calling thread; it counts where kernels_use has given it a table.
const tiles *_Nullable tiles_of_thread(void);
void tiles_use(const tiles *_Nullable table);

#pragma clang assume_nonnull end
