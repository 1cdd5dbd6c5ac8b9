// What the processor's units can do at most: loops of their own instructions on registers, and reading and writing
// memory in order. Nothing here computes anything that is needed; it is measured against.
#pragma once

#include <stddef.h>

#pragma clang assume_nonnull begin

enum silicon_type { SILICON_FLOAT32 = 0, SILICON_BFLOAT16 = 1, SILICON_INT8 = 2 };

// A loop that keeps one of the processor's units busy.
typedef struct {
  const char *name;  // the instruction, as its maker writes it
  int type;          // of the operands, by `silicon_type`
  double operations;  // multiplications and additions of a round
  void (*run)(size_t rounds);
} silicon_loop;

// The loops that this processor can run; null beyond the last.
const silicon_loop *_Nullable silicon_loop_at(size_t index);

// A piece of memory to go over, `bytes` long, a multiple of 4,096; null where there is no room.
typedef struct silicon_memory silicon_memory;
silicon_memory *_Nullable silicon_memory_make(size_t bytes);
void silicon_memory_free(silicon_memory *memory);
// Reads it once in order; returns something of it.
unsigned silicon_memory_read(const silicon_memory *memory);
// Writes it once in order.
void silicon_memory_write(silicon_memory *memory);

#pragma clang assume_nonnull end
