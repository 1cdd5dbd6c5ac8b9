// The table of x86 processors with AVX-512 and its byte, bfloat16 and integer product parts.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(                                                                              \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx512vbmi"))), \
    apply_to = function)
#define VW 16
#define HAS_BF16 1
#define TABLE kernels_avx512
#define NAME "avx512"
#include "ops/all.inc"
#pragma clang attribute pop
#endif
