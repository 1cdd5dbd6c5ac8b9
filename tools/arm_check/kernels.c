// Runs the generic table of kernels, imitated tiles, the GGUF blocks and the watch over mapped files on fixed numbers, and writes every result
// to standard output: a line with a name and a count, and as many numbers in hexadecimal. check.sh runs it on two processors.
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels.h"
#include "mappings.h"
#include "pause.h"
#include "tiles.h"

enum { ROWS = 5, COLUMNS = 192, COUNT = ROWS * COLUMNS };

static uint32_t state = 1;
static float number(void) {  // in -2 ..< 2
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / (1 << 22) - 2;
}

static float *numbers(size_t count) {
  float *made = malloc(count * sizeof *made);
  for (size_t i = 0; i < count; i++) made[i] = number();
  return made;
}

static void show(const char *name, const float *values, size_t count) {
  printf("%s %zu", name, count);
  for (size_t i = 0; i < count; i++) printf(" %a", values[i]);
  printf("\n");
}

static void show_bytes(const char *name, const void *bytes, size_t count) {
  printf("%s %zu", name, count);
  for (size_t i = 0; i < count; i++) printf(" %d", ((const uint8_t *)bytes)[i]);
  printf("\n");
}

static kernels_out out_of(void *at, size_t stride, int type) { return (kernels_out){at, stride, type}; }
static kernels_in in_of(const void *at, size_t stride, int type) { return (kernels_in){at, stride, type}; }
static kernels_out out32(float *at) { return out_of(at, COLUMNS, KERNELS_FLOAT32); }
static kernels_in in32(const float *at) { return in_of(at, COLUMNS, KERNELS_FLOAT32); }

static void elementwise(const kernels *k) {
  float *x = numbers(COUNT), *y = numbers(COUNT);
  for (int type = KERNELS_BFLOAT16; type <= KERNELS_FLOAT16; type++) {
    uint16_t halves[COUNT];
    k->convert(out_of(halves, COLUMNS, type), in32(x), ROWS, COLUMNS);
    k->convert(out32(y), in_of(halves, COLUMNS, type), ROWS, COLUMNS);
    show(type == KERNELS_BFLOAT16 ? "exact:bfloat16" : "exact:float16", y, COUNT);
  }
  k->scale(out32(x), 0.3f, ROWS, COLUMNS);
  k->soft_cap(out32(x), 0.5f, ROWS, COLUMNS);
  show("soft_cap", x, COUNT);
  k->soft_cap_gradient(out32(y), in32(x), 0.5f, ROWS, COLUMNS);
  k->add(out32(y), in32(x), ROWS, COLUMNS);
  k->add_bias(out32(y), x, ROWS, COLUMNS);
  show("add", y, COUNT);
  float sums[COLUMNS] = {0};
  k->add_columns(sums, in32(y), ROWS, COLUMNS);
  show("add_columns", sums, COLUMNS);
  float total[] = {(float)k->sum_of_squares(y, COUNT), (float)k->has_non_finite(y, KERNELS_FLOAT32, COUNT)};
  y[COUNT - 1] = NAN;
  show("sum_of_squares", total, 2);
  total[0] = (float)k->has_non_finite(y, KERNELS_FLOAT32, COUNT);
  show("exact:has_non_finite", total, 1);
}

static void layers(const kernels *k) {
  float *x = numbers(COUNT), *dy = numbers(COUNT), *w = numbers(COLUMNS), *b = numbers(COLUMNS);
  float y[COUNT], dx[COUNT] = {0}, dw[COLUMNS] = {0}, mean[ROWS], reciprocal[ROWS];
  k->rms_norm(out32(y), reciprocal, in32(x), w, 1e-6f, ROWS, COLUMNS);
  show("rms_norm", y, COUNT);
  k->rms_norm_gradient(out32(dx), in32(dy), in32(x), reciprocal, w, ROWS, COLUMNS);
  show("rms_norm_gradient", dx, COUNT);
  k->layer_norm(out32(y), mean, reciprocal, in32(x), w, b, 1e-6f, ROWS, COLUMNS);
  show("layer_norm", y, COUNT);
  k->layer_norm_gradient(out32(dx), in32(dy), in32(x), mean, reciprocal, w, ROWS, COLUMNS);
  k->norm_weight_gradient(dw, in32(dy), in32(x), mean, reciprocal, ROWS, COLUMNS);
  show("layer_norm_gradient", dx, COUNT);
  show("norm_weight_gradient", dw, COLUMNS);
  for (int interleaved = 0; interleaved < 2; interleaved++) {
    float *cosine = numbers(ROWS * 16), *sine = numbers(ROWS * 16);
    k->rotate(out32(x), cosine, sine, 1, interleaved, ROWS, COLUMNS / 64, 64, 32);
    show("rotate", x, COUNT);
  }
  for (int activation = KERNELS_SILU; activation <= KERNELS_GELU_TANH; activation++) {
    float up[COUNT];
    k->activate(out32(y), in32(x), in32(dy), activation, ROWS, COLUMNS);
    show("activate", y, COUNT);
    k->activate_gradient(out32(dx), out32(up), in32(dy), in32(x), in32(y), activation, ROWS, COLUMNS);
    show("activate_gradient", dx, COUNT);
  }
  kernels_dropout bits = {.key = 7, .first_row = 3, .threshold = 6554, .factor = 1.1f};
  k->dropout(out32(y), in32(x), bits, ROWS, COLUMNS);
  k->add_dropped(out32(y), in32(x), bits, ROWS, COLUMNS);
  show("dropout", y, COUNT);
}

static void loss_and_optimizer(const kernels *k) {
  float *logits = numbers(COUNT), *value = numbers(COUNT), *m = numbers(COUNT), *v = numbers(COUNT);
  const int32_t labels[ROWS] = {0, 5, -1, COLUMNS - 1, 64};
  float weights[ROWS] = {1, 0.5f, 1, 2, 1}, losses[ROWS], gradient[COUNT];
  k->cross_entropy(losses, out32(gradient), in32(logits), labels, weights, ROWS, COLUMNS);
  show("cross_entropy", losses, ROWS);
  show("cross_entropy_gradient", gradient, COUNT);
  for (size_t i = 0; i < COUNT; i++) v[i] *= v[i];
  kernels_adamw numbers = {1, 0.999f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-3f, 0.3f, 1e-8f};
  k->adamw(value, gradient, m, v, COUNT, &numbers);
  show("adamw", value, COUNT);
}

static void weights(const kernels *k) {
  float *w = numbers(COUNT), *x = numbers(3 * COLUMNS), y[3 * ROWS], decoded[COUNT], absmax[COUNT / 64];
  uint8_t codes[COUNT / 2];
  k->nf4_quantize(codes, absmax, w, KERNELS_FLOAT32, COUNT);
  show_bytes("exact:nf4_codes", codes, sizeof codes);
  kernels_nf4 nf4 = {.codes = codes, .absmax = absmax, .columns = COLUMNS, .dtype = KERNELS_FLOAT32};
  k->nf4_decode(out32(decoded), &nf4, 0, 0, ROWS, COLUMNS);
  show("exact:nf4_decode", decoded, COUNT);
  k->nf4_gemv(out_of(y, ROWS, KERNELS_FLOAT32), in32(x), 3, &nf4, 0, ROWS);
  show("nf4_gemv", y, 3 * ROWS);
  uint16_t halves[3 * COLUMNS];
  int16_t whole_numbers[3 * COLUMNS];
  float whole_scales[3 * COLUMNS / 32];
  kernels_whole whole = {whole_numbers, whole_scales};
  k->convert(out_of(halves, COLUMNS, KERNELS_BFLOAT16), in32(x), 3, COLUMNS);
  k->nf4_whole_rows(&whole, in_of(halves, COLUMNS, KERNELS_BFLOAT16), 3, COLUMNS);
  k->nf4_dot(out_of(y, ROWS, KERNELS_FLOAT32), &whole, 3, &nf4, 0, ROWS);
  show("exact:nf4_dot", y, 3 * ROWS);
  k->dense_gemv(out_of(y, ROWS, KERNELS_FLOAT32), in32(x), 3, in32(w), ROWS, COLUMNS, 1);
  show("dense_gemv", y, 3 * ROWS);
  int8_t bytes[COUNT];
  uint16_t scales[COUNT / 32];
  k->int8_quantize(bytes, scales, w, KERNELS_FLOAT32, COUNT / 32);
  show_bytes("exact:int8_codes", bytes, sizeof bytes);
  k->int8_gemv(out_of(y, ROWS, KERNELS_FLOAT32), in32(x), 3, bytes, scales, ROWS, COLUMNS);
  show("int8_gemv", y, 3 * ROWS);
  k->int8_whole_rows(&whole, in_of(halves, COLUMNS, KERNELS_BFLOAT16), 3, COLUMNS);
  k->int8_dot(out_of(y, ROWS, KERNELS_FLOAT32), &whole, 3, bytes, scales, ROWS, COLUMNS);
  show("exact:int8_dot", y, 3 * ROWS);
  // Bytes as a file might have them; scales are halves, kept small.
  static const size_t block_bytes[] = {18, 20, 22, 24, 34, 144, 176, 210, 84, 110, 18, 136};
  static const size_t elements[] = {32, 32, 32, 32, 32, 256, 256, 256, 256, 256, 32, 256};
  for (int format = 0; format < 12; format++) {
    uint8_t row[8 * 34];
    float values[256], dot[3];
    size_t bytes = 256 / elements[format] * block_bytes[format];
    for (size_t i = 0; i < bytes; i++) row[i] = (uint8_t)(number() * 24 + 48);
    kernels_blocks blocks = {.at = row, .columns = 256, .format = format};
    k->blocks_decode(out_of(values, 256, KERNELS_FLOAT32), &blocks, 0, 0, 1, 256);
    show("exact:blocks", values, 256);
    float scales[3 * 8], sums[3 * 16];
    int8_t rounded[3 * 256];
    kernels_rounded rows = {rounded, scales, sums};
    k->blocks_round(&rows, in_of(w, 256, KERNELS_FLOAT32), 2, 256);
    show_bytes("exact:blocks_round", (uint8_t *)rounded, 2 * 256);
    k->blocks_dot(out_of(dot, 1, KERNELS_FLOAT32), &rows, 2, &blocks, 0, 1);
    show("blocks_dot", dot, 2);
  }
  uint8_t encoded[6 * 34];
  kernels_encode_blocks(0, encoded, w, NULL, 1, 6 * 32);
  show_bytes("exact:q4_0", encoded, 6 * 18);
  kernels_encode_blocks(4, encoded, w, NULL, 1, 6 * 32);
  show_bytes("exact:q8_0", encoded, 6 * 34);
}

// Keys or values [ROWS, 64] as a panel.
static uint32_t *panel(const kernels *k, int use, const float *x) {
  uint32_t *packed = aligned_alloc(64, (k->attention.panel_size(KERNELS_FLOAT32, ROWS, 64) * 4 + 63) / 64 * 64);
  k->attention.pack(packed, use, in_of(x, 64, KERNELS_FLOAT32), ROWS, 64);
  return packed;
}

static void attention(const kernels *k) {
  enum { D = 64, PADDED = (ROWS + 15) / 16 * 16, T = KERNELS_FLOAT32 };
  float *q = numbers(ROWS * D), *keys = numbers(ROWS * D), *values = numbers(ROWS * D), *dout = numbers(ROWS * D);
  float out[ROWS * D], log_sums[ROWS], dq[ROWS * D], dk[PADDED * D] = {0}, dv[PADDED * D] = {0};
  size_t units = k->attention.forward_memory(T, D, D) + k->attention.backward_memory(T, D, D);
  uint32_t *memory = aligned_alloc(64, (units * 4 + 63) / 64 * 64);
  kernels_queries block = {.q = in_of(q, D, T),
                           .panels = {.keys = panel(k, KERNELS_FOR_SCORES, keys),
                                      .values = panel(k, KERNELS_FOR_SUMS, values)},
                           .mask = {.scale = 0.125f, .slope = 0.1f, .cap = 3, .window = ROWS / 2},
                           .rows = ROWS, .head_dim = D, .value_dim = D};
  k->attention.forward(out_of(out, D, T), log_sums, &block, memory);
  show("attention_forward", out, ROWS * D);
  show("log_sums", log_sums, ROWS);
  block.panels.keys = panel(k, KERNELS_FOR_GRADIENT, keys);
  block.panels.values = panel(k, KERNELS_FOR_GRADIENT, values);
  block.panels.key_pairs = panel(k, KERNELS_FOR_QUERIES, keys);
  k->attention.backward(out_of(dq, D, T), dk, D, dv, D, in_of(dout, D, T), in_of(out, D, T), log_sums, &block, memory);
  show("attention_dq", dq, ROWS * D);
  show("attention_dk", dk, ROWS * D);
  show("attention_dv", dv, ROWS * D);
  float heads[3 * ROWS];
  float *left = numbers(COUNT), *right = numbers(COUNT);
  k->row_dots(heads, ROWS, in32(left), in32(right), ROWS, 3, 64);
  show("row_dots", heads, 3 * ROWS);
  float row[3 * 64];
  k->attention_row(out_of(row, 64, KERNELS_FLOAT32), NULL, 0, in_of(q, 64, KERNELS_FLOAT32), in_of(keys, 64, KERNELS_FLOAT32),
                   in_of(values, 64, KERNELS_FLOAT32), 3, 64, 64, ROWS, 0.125f, 0, NULL);
  show("attention_row", row, 3 * 64);
}

// Products of tiles on NF4 and dense weights, whose sums are defined to the bit.
static void tile_products(const kernels *k) {
  enum { M = 19, N = ROWS, BF16 = KERNELS_BFLOAT16 };
  float *w = numbers(COUNT), *x = numbers(M * COLUMNS), y[M * COLUMNS];
  uint8_t codes[COUNT / 2];
  float absmax[COUNT / 64];
  uint16_t a[M * COLUMNS], b[COUNT];
  k->nf4_quantize(codes, absmax, w, KERNELS_FLOAT32, COUNT);
  k->convert(out_of(a, COLUMNS, BF16), in32(x), M, COLUMNS);
  k->convert(out_of(b, COLUMNS, BF16), in32(w), ROWS, COLUMNS);
  kernels_nf4 nf4 = {.codes = codes, .absmax = absmax, .columns = COLUMNS, .dtype = KERNELS_FLOAT32};
  void *room = malloc(tiles_room(M, COLUMNS, 2 * COLUMNS, 2));
  tiles_term forward[2] = {{.a = in_of(a, COLUMNS, BF16), .nf4 = &nf4, .k = COLUMNS, .transposed = 1},
                           {.a = in_of(a, COLUMNS, BF16), .dense = in_of(b, COLUMNS, BF16), .k = 33, .transposed = 1}};
  tiles_imitation(0)->product(out_of(y, N, KERNELS_FLOAT32), forward, 2, 0, M, N, room);
  show("exact:tiles", y, M * N);
  tiles_term backward = {.a = in_of(a, COLUMNS, BF16), .nf4 = &nf4, .k = ROWS};
  tiles_imitation(0)->product(out_of(y, COLUMNS, KERNELS_FLOAT32), &backward, 1, 0, M, COLUMNS, room);
  show("exact:tiles_backward", y, M * COLUMNS);
}

// A mapped file that gets shorter: its lost bytes are zeros, and its name is known.
static void mapped_file(void) {
  char path[] = "/tmp/firefly-arm-XXXXXX";
  int file = mkstemp(path);
  long page = sysconf(_SC_PAGESIZE);
  if (file < 0 || ftruncate(file, 2 * page) != 0) abort();
  uint8_t *bytes = mmap(NULL, (size_t)(2 * page), PROT_READ, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) abort();
  mappings_add(bytes, (size_t)(2 * page), path);
  mappings_watch();
  if (ftruncate(file, 0) != 0) abort();
  volatile uint8_t read = bytes[page];
  const char *lost = mappings_lost();
  printf("exact:lost_file 2 %d %d\n", (int)read, lost != NULL && strcmp(lost, path) == 0);
  unlink(path);
}

int main(void) {
  const kernels *k = kernels_table(0);
  elementwise(k);
  layers(k);
  loss_and_optimizer(k);
  weights(k);
  attention(k);
  tile_products(k);
  mapped_file();
  processor_pause();
  return 0;
}
