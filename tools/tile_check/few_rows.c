// Products of one to sixteen rows with dense weights, against every imitation: strips and steps that are not whole.
#include <stdio.h>

#include "check.h"
#include "trap.h"

enum { MARGIN = 5 };  // what rows of x, w and y have beyond

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
    for (size_t missing = 0; missing < 20; missing += 19) {  // of the last step's columns
      shape s = shapes[i];
      s.columns -= missing;
      int same = dense_agrees(s);
      ++*checked;
      if (same) continue;
      different++;
      printf("tiles: %zu rows with [%zu, %zu] differ\n", s.m, s.rows, s.columns);
    }
  return different;
}
