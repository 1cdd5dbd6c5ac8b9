// Single-threaded matrix products by oneDNN, for threads of our own.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ONEDNN_FLOAT32 = 0, ONEDNN_BFLOAT16 = 1 } onednn_type;

// out[m, n] = scale · op(a)[m, k] · op(b)[k, n], or += with `accumulate`; row-major, `ld…` is the distance between
// stored rows in elements. op is the transpose where `transpose_…` is set. Runs on the calling thread alone.
typedef struct {
    void *out;
    const void *a;
    const void *b;
    int64_t m, n, k;                 // all at least 1
    int64_t ld_out, ld_a, ld_b;      // at least the stored row's length
    onednn_type out_type, in_type;   // a and b are of one type
    bool transpose_a, transpose_b, accumulate;
    float scale;
} onednn_product;

// NULL, or what went wrong (a static string).
const char *onednn_multiply(const onednn_product *product);

// Whether the processor multiplies bfloat16 natively (AVX-512 BF16 or AMX).
bool onednn_has_bfloat16(void);

// Whether a row of a by a transposed b gets the same bits in a product of any 16 to 256 rows. Known of 2.6 with AVX-512, where
// it was tried; with AVX2 alone a row's place decides about the order of its sum.
bool onednn_rows_are_alike(onednn_type type);

// As in "2.6.3", of the library that runs.
const char *onednn_version(void);

#ifdef __cplusplus
}
#endif
