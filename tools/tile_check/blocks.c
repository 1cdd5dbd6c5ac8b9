// Products of GGUF's blocks with rows in 8 bits, against the imitation and against the kernels: every format, rows and
// columns that are no whole tiles and groups.
#include <stdio.h>

#include "check.h"
#include "trap.h"

enum { FORMATS = 13, ROWS = TILES_BLOCKS_ROWS };

static const struct {
  size_t columns, bytes;  // of a block
} formats[FORMATS] = {{32, 18},  {32, 20},  {32, 22},  {32, 24},   {32, 34}, {256, 144}, {256, 176},
                      {256, 210}, {256, 84}, {256, 110}, {32, 18}, {256, 136}, {32, 17}};

static int agree(int format, size_t m, size_t rows, size_t blocks) {
  enum { AHEAD = 4096, FIRST = 2, MARGIN = 3 };  // what is prefetched beyond; the first row; what y's rows have beyond
  size_t columns = blocks * formats[format].columns, groups = kernels_groups(columns), stride = rows + MARGIN;
  size_t count = (FIRST + rows) * blocks * formats[format].bytes;
  uint8_t *bytes = memory(count + AHEAD);
  for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)random() & 0xbb;  // no half is infinite or NaN
  kernels_blocks w = {bytes, columns, 0, format};
  uint16_t *x = halves(m * columns);
  kernels_rounded rounded = {memory(m * groups * 256), memory(4 * m * groups * 8), memory(4 * m * groups * 16)};
  const kernels *table = kernels_whole_avx512();
  table->blocks_round(&rounded, (kernels_in){x, columns, KERNELS_BFLOAT16}, m, columns);
  float *y[3];
  for (int i = 0; i < 3; i++) memset(y[i] = memory(4 * m * stride), 0, 4 * m * stride);
  void *room = memory(tiles_imitated()->blocks_room(columns));
  tiles_amx.blocks_dot((kernels_out){y[0], stride, KERNELS_FLOAT32}, &rounded, m, &w, FIRST, rows, room);
  int same = !tiles_are_configured();
  tiles_imitated()->blocks_dot((kernels_out){y[1], stride, KERNELS_FLOAT32}, &rounded, m, &w, FIRST, rows, room);
  for (size_t i = 0; i < m; i++) {
    kernels_rounded row = {rounded.codes + i * groups * 256, rounded.scales + i * groups * 8,
                           rounded.sums + i * groups * 16};
    table->blocks_dot((kernels_out){y[2] + i * stride, stride, KERNELS_FLOAT32}, &row, 1, &w, FIRST, rows);
  }
  for (int i = 1; i < 3; i++) same = same && memcmp(y[0], y[i], 4 * m * stride) == 0;
  void *all[] = {bytes, x, rounded.codes, rounded.scales, rounded.sums, y[0], y[1], y[2], room};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
  return same;
}

int check_blocks(int *checked) {
  const size_t shapes[][2] = {{1, 16}, {8, 5}, {16, 33}, {11, 48}};
  int different = 0;
  *checked = 0;
  for (int format = 0; format < FORMATS; format++)
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
      ++*checked;
      if (agree(format, shapes[i][0], shapes[i][1], formats[format].columns == 32 ? 19 : 2)) continue;
      different++;
      printf("tiles: %zu rows with %zu of blocks of format %d differ\n", shapes[i][0], shapes[i][1], format);
    }
  return different;
}
