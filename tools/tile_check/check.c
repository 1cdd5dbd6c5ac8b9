// The machine code for processors with tiles against its imitation, bit for bit: with the instructions where there are
// any, else with `trap`. Products of every kind: tails, windows of dense and NF4 matrices, sums of two, added, rounded.
// Then attention, products of GGUF's blocks, and
// those of few rows.
#include <stdio.h>

#include "check.h"
#include "trap.h"

kernels_nf4 view(random_codes *r, size_t rows, size_t columns, int is_nested, int dtype) {
  size_t count = rows * columns, blocks = (count + 63) / 64;
  *r = (random_codes){memory(count / 2 + 1), memory(blocks), memory(4 * blocks), memory(4 * (blocks / 256 + 1)), {0}};
  for (size_t i = 0; i < count / 2 + 1; i++) r->codes[i] = (uint8_t)random();
  for (size_t i = 0; i < blocks; i++) {
    r->scale_codes[i] = (uint8_t)random();
    r->scales[i] = i % 9 == 5 ? uniform() * 0x1p-124f : 0.01f + uniform() * uniform();
  }
  for (size_t i = 0; i < blocks / 256 + 1; i++) r->nested[i] = 1 + uniform() / 4;
  for (int i = 0; i < 256; i++) r->map[i] = (float)(i - 127) / 128;
  kernels_nf4 w = {.codes = r->codes, .columns = columns, .dtype = dtype};
  if (!is_nested) w.absmax = r->scales;
  else w.absmax_codes = r->scale_codes, w.nested_absmax = r->nested, w.nested_map = r->map, w.nested_offset = 0.013f;
  return w;
}

void free_codes(random_codes *r) {
  void *all[] = {r->codes, r->scale_codes, r->scales, r->nested};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

typedef struct {
  size_t m, n, k;
  int transposed, accumulate, type, kind;  // kind 0: dense; 1 …: NF4, even ones nested, from 5 on no whole blocks
} wanted;

// Whether both give the same.
static int agree(wanted s) {
  enum { RANK = 19, MARGIN = 3 };
  size_t first_row = 3, first_column = 64, padding = s.kind >= 5 ? 13 : 63;
  size_t columns = (s.transposed ? s.k : s.n) + first_column + padding, rows = (s.transposed ? s.n : s.k) + first_row;
  if (s.kind < 5) columns = columns / 64 * 64;
  uint16_t *a = halves(s.m * (s.k + MARGIN)), *b = halves(rows * columns);
  uint16_t *h = halves(s.m * RANK), *thin = halves(s.n * RANK);
  random_codes codes;
  kernels_nf4 w = view(&codes, rows, columns, s.kind % 2 == 0, s.kind % 3);
  tiles_term terms[2] = {
      {.a = {a, s.k + MARGIN, KERNELS_BFLOAT16},
       .dense = {b + first_row * columns + first_column, columns, KERNELS_BFLOAT16},
       .nf4 = s.kind ? &w : NULL, .first_row = first_row, .first_column = first_column, .k = s.k,
       .transposed = s.transposed},
      {.a = {h, RANK, KERNELS_BFLOAT16}, .dense = {thin, RANK, KERNELS_BFLOAT16}, .k = RANK, .transposed = 1}};
  size_t stride = s.n + MARGIN, count = s.m * stride;
  float *y[2] = {memory(4 * count), memory(4 * count)};  // or bfloat16
  for (size_t i = 0; i < count; i++) {
    if (s.type == KERNELS_FLOAT32) y[0][i] = uniform();
    else ((uint16_t *)y[0])[i] = half(uniform());
  }
  size_t bytes = count * (s.type == KERNELS_FLOAT32 ? 4 : 2);
  memcpy(y[1], y[0], bytes);
  void *room = memory(tiles_room(s.m, s.n, s.k + RANK, 2));
  tiles_amx.product((kernels_out){y[0], stride, s.type}, terms, 2, s.accumulate, s.m, s.n, room);
  tiles_imitated()->product((kernels_out){y[1], stride, s.type}, terms, 2, s.accumulate, s.m, s.n, room);
  int same = memcmp(y[0], y[1], bytes) == 0 && !tiles_are_configured();
  void *all[] = {a, b, h, thin, y[0], y[1], room};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
  free_codes(&codes);
  return same;
}

int main(void) {
  if (!kernels_whole_avx512()) {
    puts("tiles: not checked, as the processor has no AVX-512");
    return 0;
  }
  int real = tiles_hardware() != NULL;
  if (!real) trap_tile_instructions();
  const size_t shapes[][3] = {{9, 16, 32}, {33, 48, 64}, {1, 1, 1},    {17, 31, 33},  {32, 32, 32},
                              {48, 64, 576}, {31, 15, 31}, {16, 64, 2100}, {33, 130, 2112}, {20, 620, 64}};
  int failed = 0, checked = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int choice = 0; choice < 56; choice++) {
      wanted s = {shapes[i][0], shapes[i][1], shapes[i][2], choice & 1, choice >> 1 & 1, choice >> 2 & 1, choice >> 3};
      checked++;
      if (agree(s)) continue;
      failed++;
      printf("tiles: [%zu, %zu, %zu] transposed %d, added %d, type %d, kind %d differs\n", s.m, s.n, s.k, s.transposed,
             s.accumulate, s.type, s.kind);
    }
  if (!real && trapped_products() == 0) failed++;
  const char *by = real ? "this processor's instructions" : "its machine code, instructions emulated";
  printf("tiles: %d of %d products as imitated, by %s\n", checked - failed, checked, by);
  long before = trapped_products();
  int different = check_attention(&checked);
  if (!real && trapped_products() == before) different++;
  printf("tiles: %d of %d attentions as imitated, by %s\n", checked - different, checked, by);
  before = trapped_products();
  int wrong = check_blocks(&checked);
  if (!real && trapped_products() == before) wrong++;
  printf("tiles: %d of %d products of blocks as imitated and as without tiles, by %s\n", checked - wrong, checked, by);
  before = trapped_products();
  int few = check_few_rows(&checked);
  if (!real && trapped_products() == before) few++;
  printf("tiles: %d of %d products of few rows as imitated, by %s\n", checked - few, checked, by);
  return failed != 0 || different != 0 || wrong != 0 || few != 0;
}
