// A card: memory of its own, copies, launches of kernels and matrix products, as a table of functions.
//
// There are two: an NVIDIA card through its driver and cuBLAS, both found at run time (cuda.c), and for tests an emulator
// that runs the kernels' own source on the processor (Tests/CardEmulator). What is done with a card is in
// card_operations.h; nothing there or above knows which of the two it is.
//
// All work of a card is done in the order in which it was asked for. Only `download` and `synchronise` wait for it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// Equal to DType's raw values.
enum card_dtype { CARD_FLOAT32 = 0, CARD_BFLOAT16 = 1, CARD_FLOAT16 = 2 };

// A row-major matrix on the card: its first element, the elements from one row's start to the next one's, and its type.
typedef struct {
  void *_Nullable at;  // null where the operation says that it may be left out
  int64_t stride;
  int32_t type;  // card_dtype
} card_out;
typedef struct {
  const void *_Nullable at;
  int64_t stride;
  int32_t type;
} card_in;

// out = scale·op(a)·op(b) + (accumulate ? out : 0), sums in float32: out [m, n], op(a) [m, k], op(b) [k, n]. a and b have
// one type; out has theirs or float32. `count` such products, whose matrices lie so many elements apart.
typedef struct {
  card_out out;
  card_in a, b;
  int64_t m, n, k;
  int transpose_a, transpose_b, accumulate;
  float scale;
  int64_t count, step_out, step_a, step_b;
} card_product;

// What a function of the table returns, beside other numbers of the driver's own.
enum card_result { CARD_DONE = 0, CARD_OUT_OF_MEMORY = 2 };

// The arguments of a launch: the address of each, and how large it is, which the emulator checks.
typedef struct {
  void *_Nonnull const *_Nonnull addresses;
  const size_t *_Nonnull sizes;
  size_t count;
} card_arguments;

// Functions return CARD_DONE, or an error that `problem` explains to the thread that met it.
typedef struct card card;
struct card {
  const char *name;     // of the model, as its maker calls it
  int has_bfloat16;     // whether products of bfloat16 have a rate of their own
  int has_tiles;        // whether it has CARD_TILE_KERNELS
  int (*_Nonnull allocate)(card *card, void *_Nullable *_Nonnull pointer, size_t bytes);
  int (*_Nonnull release)(card *card, void *pointer);
  // From the processor's memory; the bytes may be gone when it returns.
  int (*_Nonnull upload)(card *card, void *to, const void *from, size_t bytes);
  // To the processor's memory, after all work before it.
  int (*_Nonnull download)(card *card, void *to, const void *from, size_t bytes);
  // Within the card's memory; the two do not overlap.
  int (*_Nonnull copy)(card *card, void *to, const void *from, size_t bytes);
  int (*_Nonnull fill)(card *card, void *at, uint8_t byte, size_t bytes);
  // `kernel` by card_kernel; threads are a multiple of 32 and at most CARD_THREADS.
  int (*_Nonnull launch)(card *card, int kernel, unsigned blocks_x, unsigned blocks_y, unsigned threads, card_arguments arguments);
  int (*_Nonnull multiply)(card *card, const card_product *product);
  int (*_Nonnull synchronise)(card *card);
  // Bytes of the card's memory: free, and in all.
  int (*_Nonnull memory)(card *card, size_t *free, size_t *total);
  // Milliseconds of the card's own clock between the work before `body` and after it; below 0: it cannot tell.
  double (*_Nonnull milliseconds)(card *card, void (*body)(void *_Nullable), void *_Nullable context);
  const char *_Nonnull (*_Nonnull problem)(card *card);
};

enum { CARD_THREADS = 256 };

// Why there is no card.
enum card_absence {
  CARD_FOUND = 0,
  CARD_NO_DRIVER,   // no libcuda.so.1
  CARD_OLD_DRIVER,  // it lacks a function, or does not know our PTX
  CARD_NONE,        // the driver finds no card
  CARD_OLD_CARD,    // it is from before Volta
  CARD_NO_CUBLAS,
  CARD_OLD_CUBLAS,
  CARD_FAILED
};

// Opens one of the machine's NVIDIA cards: number `place` of those that this process may see, from the first again where there are
// fewer.
//
// `driver` and `cublas` name shared libraries to open instead of the system's; null: libcuda.so.1, and the newest cuBLAS.
// `detail` gets what the driver said, a text that is never freed.
enum card_absence card_open_cuda(unsigned place, const char *_Nullable driver, const char *_Nullable cublas,
                                 card *_Nullable *_Nonnull opened, const char *_Nullable *_Nonnull detail);

// A card that holds and computes nothing, however much it is asked for: its memory's numbers are all 0.
card *card_counting(int has_bfloat16, int has_tiles);
void card_counting_end(card *card);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
