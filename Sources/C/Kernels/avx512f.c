// Attention on x86 processors whose AVX-512 lacks what the table of avx512.c needs, as Xeons of 2017 to 2019: sums of
// float32 in vectors of 16.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels.h"
#pragma clang fp contract(off)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq"))), \
                             apply_to = function)
#define VW 16
#include "ops/simd.inc"
#include "ops/dots.inc"
#include "ops/attention_tiles.inc"
#include "ops/attention_forward.inc"
#include "ops/attention_backward.inc"

const kernels_attention attention_avx512f = ATTENTION_FUNCTIONS;
#pragma clang attribute pop
#endif
