// The table of x86 processors with AVX2, FMA and F16C.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define VW 8
#define TABLE kernels_avx2
#define NAME "avx2"
#include "ops/all.inc"
#pragma clang attribute pop
#endif
