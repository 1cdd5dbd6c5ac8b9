// Which tables this processor can run, the permission to use tiles, and the calling thread's choice.
#define _DEFAULT_SOURCE  // syscall()

#include "tiles.h"

#include "sizes.h"

extern const tiles tiles_imitated_generic;

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const tiles tiles_amx, tiles_imitated_avx2, tiles_imitated_avx512;

// From <asm/prctl.h> and the kernel's "xstate" document, which older headers lack.
enum { REQUEST_STATE_PERMISSION = 0x1023, TILE_CONFIGURATION = 17, TILE_DATA = 18 };

// The processor has tiles with products of bfloat16 and of bytes, as all that have tiles do, and the system saves them.
static int has_tiles(void) {
  unsigned a, b, c, d, low, high;
  if (!kernels_whole_avx512()) return 0;  // panels are decoded with AVX-512
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0;  // OSXSAVE: XGETBV may be asked
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  unsigned both = 1u << TILE_CONFIGURATION | 1u << TILE_DATA;
  if ((low & both) != both) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  return (d >> 22 & 1) && (d >> 24 & 1) && (d >> 25 & 1);  // AMX-BF16, AMX-TILE, AMX-INT8
}

// Without the permission a tile instruction is SIGILL.
const tiles *tiles_hardware(void) {
  static atomic_int known;  // 0: not asked yet, 1: no, 2: yes
  int answer = atomic_load(&known);
  if (answer == 0) {
    answer = has_tiles() && syscall(SYS_arch_prctl, REQUEST_STATE_PERMISSION, TILE_DATA) == 0 ? 2 : 1;
    atomic_store(&known, answer);
  }
  return answer == 2 ? &tiles_amx : NULL;
}
#else
const tiles *tiles_hardware(void) { return NULL; }
#endif

const tiles *tiles_imitation(size_t index) {
  if (index == 0) return &tiles_imitated_generic;
#if defined(__x86_64__)
  if (index == 1 && kernels_table(1)) return &tiles_imitated_avx2;
  if (index == 2 && kernels_whole_avx512()) return &tiles_imitated_avx512;
#endif
  return NULL;
}

const tiles *tiles_imitated(void) {
  size_t best = 0;
  while (tiles_imitation(best + 1)) best++;
  return tiles_imitation(best);
}

static _Thread_local const tiles *thread_table;

const tiles *tiles_of_thread(void) { return thread_table; }
void tiles_use(const tiles *table) { thread_table = table; }

size_t tiles_room(size_t rows, size_t columns, size_t k, size_t terms) {
  size_t steps = k / 32 + terms;  // each term's last step may be short
  return panel_bytes(columns, steps) + copied_bytes() + sums_bytes(rows, columns, steps);
}

size_t tiles_packed(size_t m, size_t columns) {
  size_t numbers = filled_rows(m) * ceil_div(columns, STEP) * STEP;
  return numbers * (m == 1 ? sizeof(float) : sizeof(uint16_t));  // a single row may be computed by vectors
}
