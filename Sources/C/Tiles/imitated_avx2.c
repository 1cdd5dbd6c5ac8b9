// The imitation with AVX2 and its fused multiply-add.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "tiles.h"
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define TABLE tiles_imitated_avx2
#define NAME "amx-imitated"
#define LANES 8
#include "ops/instructions_imitated.inc"
#include "ops/all.inc"
#pragma clang attribute pop
#endif
