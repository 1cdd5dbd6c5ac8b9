#include "silicon.h"

#include <stdint.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>

#include "tiles.h"
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "vectors.inc"

typedef struct {
  int (*is_there)(void);
  silicon_loop loop;
} unit;

#if defined(__x86_64__)
#include "tiles.inc"

static int has_sse2(void) { return 1; }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
static int has_avx512_bf16(void) { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }
static int has_avx512_int8(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
static int has_bf16_tiles(void) { return tiles_hardware() != NULL; }
static int has_int8_tiles(void) { return __builtin_cpu_supports("amx-int8") && has_bf16_tiles(); }

static const unit units[] = {
    {has_sse2, {"mulps, addps", SILICON_FLOAT32, SUMS * 2 * 4, multiply_sse}},
    {has_avx2, {"vfmadd ymm", SILICON_FLOAT32, SUMS * 2 * 8, multiply_avx2}},
    {has_avx512, {"vfmadd zmm", SILICON_FLOAT32, SUMS * 2 * 16, multiply_avx512}},
    {has_avx512_bf16, {"vdpbf16ps zmm", SILICON_BFLOAT16, SUMS * 2 * 32, multiply_bf16_avx512}},
    {has_bf16_tiles, {"tdpbf16ps", SILICON_BFLOAT16, 4 * 2 * 16 * 16 * 32, multiply_bf16_tiles}},
    {has_avx512_int8, {"vpdpbusd zmm", SILICON_INT8, SUMS * 2 * 64, multiply_int8_avx512}},
    {has_int8_tiles, {"tdpbssd", SILICON_INT8, 4 * 2 * 16 * 16 * 64, multiply_int8_tiles}},
};
#elif defined(__aarch64__)
static int is_always_there(void) { return 1; }

static const unit units[] = {{is_always_there, {"fmla v.4s", SILICON_FLOAT32, SUMS * 2 * 4, multiply_neon}}};
#else
static const unit units[] = {};
#endif

const silicon_loop *silicon_loop_at(size_t index) {
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (units[i].is_there() && index-- == 0) return &units[i].loop;
  }
  return NULL;
}

// MARK: - Memory

// As wide as any processor's registers: on narrower ones it becomes several.
typedef uint32_t line __attribute__((vector_size(64), aligned(64)));

// Both directions, compiled with `attributes`.
#define MEMORY(read, write, attributes)                                     \
  attributes static unsigned read(const line *lines, size_t count) {        \
    line sums[4] = {};                                                      \
    for (size_t i = 0; i < count; i += 4) {                                 \
      for (size_t j = 0; j < 4; j++) sums[j] ^= lines[i + j];               \
    }                                                                       \
    const line all = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];                 \
    unsigned result = 0;                                                    \
    for (int i = 0; i < 16; i++) result ^= all[i];                          \
    return result;                                                          \
  }                                                                         \
  attributes static void write(line *lines, size_t count, unsigned value) { \
    const line written = value - (line){};                                  \
    for (size_t i = 0; i < count; i++) lines[i] = written;                  \
    __asm__ volatile("" : : : "memory");                                    \
  }

MEMORY(read_any, write_any, __attribute__((noinline)))
#if defined(__x86_64__)
MEMORY(read_avx2, write_avx2, WITH("avx2"))
MEMORY(read_avx512, write_avx512, WITH("avx512f"))
#endif

struct silicon_memory {
  line *lines;
  size_t count;
};

silicon_memory *silicon_memory_make(size_t bytes) {
  silicon_memory *memory = malloc(sizeof *memory);
  if (!memory) return NULL;
  *memory = (silicon_memory){aligned_alloc(4096, bytes), bytes / sizeof(line)};
  if (memory->lines) return memory;
  free(memory);
  return NULL;
}

void silicon_memory_free(silicon_memory *memory) {
  free(memory->lines);
  free(memory);
}

unsigned silicon_memory_read(const silicon_memory *memory) {
#if defined(__x86_64__)
  if (has_avx512()) return read_avx512(memory->lines, memory->count);
  if (has_avx2()) return read_avx2(memory->lines, memory->count);
#endif
  return read_any(memory->lines, memory->count);
}

void silicon_memory_write(silicon_memory *memory) {
#if defined(__x86_64__)
  if (has_avx512()) return write_avx512(memory->lines, memory->count, 1);
  if (has_avx2()) return write_avx2(memory->lines, memory->count, 1);
#endif
  write_any(memory->lines, memory->count, 1);
}
