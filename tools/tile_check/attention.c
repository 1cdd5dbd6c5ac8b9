// Attention forward and backward in blocks of queries: heads that are no whole tiles, windows, slopes and caps, rows
// after a cache.
#include <stdio.h>

#include "check.h"
#include "trap.h"

typedef struct {
  size_t keys, past, head_dim, value_dim;
  kernels_mask mask;
} attention;

enum { BF16 = KERNELS_BFLOAT16, COUNT = 5 };

static size_t whole(size_t n) { return (n + 15) / 16 * 16; }

// Of out, dq, log sums, dk and dv.
static void sizes(size_t bytes[COUNT], attention a) {
  size_t rows = a.keys - a.past;
  bytes[0] = 2 * rows * a.value_dim;
  bytes[1] = 2 * rows * a.head_dim;
  bytes[2] = 4 * rows;
  bytes[3] = 4 * a.keys * whole(a.head_dim);
  bytes[4] = 4 * a.keys * whole(a.value_dim);
}

static uint32_t *panel(const kernels_attention *table, int use, const uint16_t *x, size_t rows, size_t columns) {
  uint32_t *packed = memory(4 * table->panel_size(BF16, rows, columns));
  table->pack(packed, use, (kernels_in){x, columns, BF16}, rows, columns);
  return packed;
}

// inputs: q, keys, values, dout
static void compute(void *const outputs[COUNT], const kernels_attention *table, attention a,
                    uint16_t *const inputs[4]) {
  size_t d = a.head_dim, v = a.value_dim, rows = a.keys - a.past;
  uint32_t *panels[COUNT] = {panel(table, KERNELS_FOR_SCORES, inputs[1], a.keys, d),
                             panel(table, KERNELS_FOR_SUMS, inputs[2], a.keys, v),
                             panel(table, KERNELS_FOR_GRADIENT, inputs[1], a.keys, d),
                             panel(table, KERNELS_FOR_GRADIENT, inputs[2], a.keys, v),
                             panel(table, KERNELS_FOR_QUERIES, inputs[1], a.keys, d)};
  uint32_t *room = memory(4 * (table->forward_memory(BF16, d, v) + table->backward_memory(BF16, d, v)));
  uint16_t *out = outputs[0], *dq = outputs[1];
  float *log_sums = outputs[2];
  for (size_t r = 0; r < rows; r += KERNELS_ATTENTION_ROWS) {
    size_t own = rows - r < KERNELS_ATTENTION_ROWS ? rows - r : KERNELS_ATTENTION_ROWS;
    kernels_queries block = {.q = {inputs[0] + r * d, d, BF16}, .panels = {panels[0], panels[1], NULL}, .mask = a.mask,
                             .rows = own, .head_dim = d, .value_dim = v};
    block.mask.diagonal = (ptrdiff_t)(a.past + r);
    table->forward((kernels_out){out + r * v, v, BF16}, log_sums + r, &block, room);
    block.panels = (kernels_panels){panels[2], panels[3], panels[4]};
    table->backward((kernels_out){dq + r * d, d, BF16}, outputs[3], whole(d), outputs[4], whole(v),
                    (kernels_in){inputs[3] + r * v, v, BF16}, (kernels_in){out + r * v, v, BF16}, log_sums + r, &block,
                    room);
  }
  for (int i = 0; i < COUNT; i++) free(panels[i]);
  free(room);
}

static int agree(attention a) {
  size_t rows = a.keys - a.past, bytes[COUNT];
  uint16_t *inputs[4] = {halves(rows * a.head_dim), halves(a.keys * a.head_dim), halves(a.keys * a.value_dim),
                         halves(rows * a.value_dim)};
  void *outputs[2][COUNT];
  sizes(bytes, a);
  for (int t = 0; t < 2; t++) {
    for (int i = 0; i < COUNT; i++) memset(outputs[t][i] = memory(bytes[i]), 0, bytes[i]);
    compute(outputs[t], t == 0 ? &tiles_amx.attention : &tiles_imitated()->attention, a, inputs);
  }
  int same = !tiles_are_configured();
  for (int i = 0; i < COUNT; i++) {
    same = same && memcmp(outputs[0][i], outputs[1][i], bytes[i]) == 0;
    free(outputs[0][i]);
    free(outputs[1][i]);
  }
  for (int i = 0; i < 4; i++) free(inputs[i]);
  return same;
}

int check_attention(int *checked) {
  const attention all[] = {
      {130, 0, 64, 64, {.scale = 0.125f, .window = SIZE_MAX}},
      {300, 0, 80, 80, {.scale = 0.11f, .window = SIZE_MAX}},
      {260, 0, 128, 128, {.scale = 0.09f, .window = 100}},
      {1, 0, 8, 8, {.scale = 0.3f, .window = SIZE_MAX}},
      {200, 0, 20, 33, {.scale = 0.25f, .slope = 0.5f, .window = 50}},
      {210, 0, 48, 32, {.scale = 0.2f, .slope = 0.1f, .cap = 3, .window = SIZE_MAX}},
      {290, 280, 96, 96, {.scale = 0.1f, .window = SIZE_MAX}},
      {40, 0, 256, 256, {.scale = 0.06f, .window = 17}},
      {420, 0, 64, 32, {.scale = -0.5f, .window = 300}},
  };
  int different = 0;
  *checked = sizeof all / sizeof all[0];
  for (int i = 0; i < *checked; i++) {
    if (agree(all[i])) continue;
    different++;
    printf("tiles: attention of %zu keys after %zu, heads of %zu and %zu differs\n", all[i].keys, all[i].past,
           all[i].head_dim, all[i].value_dim);
  }
  return different;
}
