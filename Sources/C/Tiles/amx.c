// The table of x86 processors with AMX. They all have AVX-512, which packs and decodes.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tiles.h"
#pragma clang attribute push(                                                                              \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx512vbmi,amx-tile,amx-bf16,amx-int8"))), \
    apply_to = function)
#define TILES_AVX512 1
#define TABLE tiles_amx
#define NAME "amx"
#include "ops/instructions_amx.inc"
#include "ops/all.inc"
#pragma clang attribute pop
#endif
