// The imitation with AVX-512: what packs and decodes is that of the processors with tiles.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tiles.h"
#pragma clang attribute push(                                                                              \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx512vbmi"))), \
    apply_to = function)
#define TILES_AVX512 1
#define TABLE tiles_imitated_avx512
#define NAME "amx-imitated"
#define LANES 16
#include "ops/instructions_imitated.inc"
#include "ops/all.inc"
#pragma clang attribute pop
#endif
