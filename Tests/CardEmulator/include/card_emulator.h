// A card that is not there: the kernels' own source, compiled as C++ and run on the processor.
//
// A thread of a block is a fiber, and a warp runs as far as it can before the next one does, which is the least fair order.
// What that finds and a real card may hide: a barrier or shuffle that not all threads reach, shared memory that is read
// before it is written (it starts as NaN), results that depend on the order of threads, an access beyond a buffer's end (a
// guard page), the processor reading the card's memory (its addresses are none of the processor's), an argument of the
// wrong size.
#pragma once

#include "card.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// A new emulated card. `order` is the order in which threads run between barriers: 0 forward, 1 backward, else a random one
// of this seed. `memory` is how many bytes it has.
card *card_emulate(unsigned order, size_t memory);
// From now on every function of this card fails, as those of a card that has fallen off its bus.
void card_emulator_lose(card *card);
// From now on it is as a card before bfloat16 (Volta, Turing), whose products refuse that type; before it is used.
void card_emulator_without_bfloat16(card *card);
// Bytes that are allocated on it.
size_t card_emulator_used(card *card);
// What it has been asked for so far: kernels and products, and copies to it.
typedef struct {
  long launches, uploads;
} card_emulator_counts;
card_emulator_counts card_emulator_counted(card *card);
// Gives the card up, with all its memory.
void card_emulator_end(card *card);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
