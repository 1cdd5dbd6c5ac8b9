// What the checks share: random numbers, memory, the table of machine code.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "tiles.h"

extern const tiles tiles_amx;

static inline float uniform(void) { return (float)(random() % 20001 - 10000) / 5000; }

static inline uint16_t half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline void *memory(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
  if (!p) exit(1);
  return p;
}

static inline uint16_t *halves(size_t count) {
  uint16_t *p = memory(2 * count);
  for (size_t i = 0; i < count; i++) p[i] = half(uniform());
  return p;
}

// A matrix [rows, columns] of random NF4 codes, plain or nested.
typedef struct {
  uint8_t *codes, *scale_codes;
  float *scales, *nested, map[256];
} random_codes;

kernels_nf4 view(random_codes *r, size_t rows, size_t columns, int is_nested, int dtype);
void free_codes(random_codes *r);

// How many attentions differ from their imitation, of *checked.
int check_attention(int *checked);
// The same of products of blocks.
int check_blocks(int *checked);
// The same of products of few rows with dense weights.
int check_few_rows(int *checked);
