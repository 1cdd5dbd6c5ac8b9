// Products of one to sixteen rows with NF4 weights, 8-bit codes and dense weights, against every imitation: strips that are not whole,
// columns that are no whole number of strips' scales, numbers that are no numbers.
#include <stdio.h>

#include "check.h"
#include "trap.h"

enum { FIRST = 3, MARGIN = 5, AHEAD = 4096 };  // the first row; what rows of x and y have beyond; what is prefetched

typedef struct {
  size_t m, rows, columns;
} shape;

// y[m, rows] of one table, and between its rows what was there.
static float *outputs(shape s) {
  float *y = memory(4 * s.m * (s.rows + MARGIN));
  for (size_t i = 0; i < s.m * (s.rows + MARGIN); i++) y[i] = -77;
  return y;
}

static int same_numbers(const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (memcmp(a + i, b + i, 4) != 0 && (a[i] == a[i] || b[i] == b[i])) return 0;
  return 1;
}

static float *nf4_product(const tiles *table, shape s, const uint16_t *x, const kernels_nf4 *w) {
  float *y = outputs(s);
  void *packed = memory(tiles_packed(s.m, s.columns)), *room = memory(table->nf4_room(s.columns));
  table->nf4_pack(packed, (kernels_in){x, s.columns + MARGIN, KERNELS_BFLOAT16}, s.m, s.columns);
  table->nf4_dot((kernels_out){y, s.rows + MARGIN, KERNELS_FLOAT32}, packed, s.m, w, FIRST, s.rows, room);
  free(packed);
  free(room);
  return y;
}

static float *int8_product(const tiles *table, shape s, const uint16_t *x, const int8_t *codes, const uint16_t *scales) {
  float *y = outputs(s);
  void *packed = memory(tiles_packed(s.m, s.columns)), *room = memory(table->int8_room(s.columns));
  table->int8_pack(packed, (kernels_in){x, s.columns + MARGIN, KERNELS_BFLOAT16}, s.m, s.columns);
  table->int8_dot((kernels_out){y, s.rows + MARGIN, KERNELS_FLOAT32}, packed, s.m, codes + FIRST * s.columns,
                  scales + FIRST * s.columns / 32, s.rows, s.columns, room);
  free(packed);
  free(room);
  return y;
}

static float *dense_product(const tiles *table, shape s, const uint16_t *x, const uint16_t *w) {
  float *y = outputs(s);
  void *packed = memory(tiles_packed(s.m, s.columns)), *room = memory(table->dense_room());
  table->dense_pack(packed, (kernels_in){x, s.columns + MARGIN, KERNELS_BFLOAT16}, s.m, s.columns);
  table->dense_dot((kernels_out){y, s.rows + MARGIN, KERNELS_FLOAT32}, packed, s.m,
                   (kernels_in){w, s.columns + MARGIN, KERNELS_BFLOAT16}, s.rows, s.columns, room);
  free(packed);
  free(room);
  return y;
}

// Compares with each imitation and frees all.
static int all_agree(float *made, float *const imitated[3], size_t count) {
  int same = !tiles_are_configured();
  for (size_t i = 0; i < 3 && imitated[i]; i++) {
    same = same && same_numbers(made, imitated[i], count);
    free(imitated[i]);
  }
  free(made);
  return same;
}

static int nf4_agrees(shape s, int is_nested) {
  random_codes codes;
  kernels_nf4 w = view(&codes, FIRST + s.rows, s.columns, is_nested, KERNELS_BFLOAT16);
  uint16_t *x = halves(s.m * (s.columns + MARGIN));
  float *imitated[3] = {NULL, NULL, NULL};
  for (size_t i = 0; i < 3 && tiles_imitation(i); i++) imitated[i] = nf4_product(tiles_imitation(i), s, x, &w);
  int same = all_agree(nf4_product(&tiles_amx, s, x, &w), imitated, s.m * (s.rows + MARGIN));
  free(x);
  free_codes(&codes);
  return same;
}

static int int8_agrees(shape s, int is_hard) {
  size_t count = (FIRST + s.rows) * s.columns;
  int8_t *codes = memory(count + AHEAD);
  uint16_t *scales = halves(count / 32), *x = halves(s.m * (s.columns + MARGIN));
  for (size_t i = 0; i < count; i++) codes[i] = (int8_t)(random() % 255 - 127);
  if (is_hard) x[s.columns / 2] = 0x7fc0, x[1] = 0x7f7f, scales[(FIRST + 1) * s.columns / 32] = 0x7fc0;
  float *imitated[3] = {NULL, NULL, NULL};
  for (size_t i = 0; i < 3 && tiles_imitation(i); i++)
    imitated[i] = int8_product(tiles_imitation(i), s, x, codes, scales);
  int same = all_agree(int8_product(&tiles_amx, s, x, codes, scales), imitated, s.m * (s.rows + MARGIN));
  free(codes);
  free(scales);
  free(x);
  return same;
}

// As product gives them, too.
static int dense_agrees(shape s) {
  uint16_t *w = halves((s.rows + TILES_FEW_ROWS) * (s.columns + MARGIN)), *x = halves(s.m * (s.columns + MARGIN));
  float *imitated[3] = {NULL, NULL, NULL}, *y = outputs(s), *made = dense_product(&tiles_amx, s, x, w);
  tiles_term term = {.a = {x, s.columns + MARGIN, KERNELS_BFLOAT16}, .dense = {w, s.columns + MARGIN, KERNELS_BFLOAT16},
                     .k = s.columns, .transposed = 1};
  void *room = memory(tiles_room(s.m, s.rows, s.columns, 1));
  tiles_imitated()->product((kernels_out){y, s.rows + MARGIN, KERNELS_FLOAT32}, &term, 1, 0, s.m, s.rows, room);
  int same = same_numbers(made, y, s.m * (s.rows + MARGIN));
  for (size_t i = 0; i < 3 && tiles_imitation(i); i++) imitated[i] = dense_product(tiles_imitation(i), s, x, w);
  same = all_agree(made, imitated, s.m * (s.rows + MARGIN)) && same;
  void *all[] = {w, x, y, room};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
  return same;
}

int check_few_rows(int *checked) {
  const shape shapes[] = {{1, 16, 64}, {1, 37, 640}, {2, 5, 128}, {4, 33, 576}, {5, 64, 192}, {8, 20, 1088}, {13, 17, 64}, {16, 48, 576}};
  int different = 0;
  *checked = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int choice = 0; choice < 6; choice++) {
      shape s = shapes[i];
      if (choice >= 2) s.columns += 32;  // an odd number of scales
      if (choice == 5) s.columns -= 19;  // no whole steps
      int same = choice >= 4 ? dense_agrees(s) : choice >= 2 ? int8_agrees(s, choice % 2) : nf4_agrees(s, choice);
      ++*checked;
      if (same) continue;
      different++;
      printf("tiles: %zu rows with [%zu, %zu] differ, choice %d\n", s.m, s.rows, s.columns, choice);
    }
  return different;
}
