// Which tables this processor can run, and the calling thread's choice among them.
#include "kernels.h"

extern const kernels kernels_generic;
#if defined(__x86_64__)
#include <pthread.h>

extern const kernels kernels_avx2, kernels_avx512;
extern const kernels_attention attention_avx512f;

static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static int has_avx512f(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static int has_avx512(void) {
  return has_avx512f() && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512vbmi");
}

// The table of AVX2 with the attention of AVX-512's base.
static kernels wide;
static void make_wide(void) {
  wide = kernels_avx2;
  wide.name = "avx512f";
  wide.attention = attention_avx512f;
}

const kernels *kernels_base_avx512(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!has_avx512f()) return NULL;
  pthread_once(&once, make_wide);
  return &wide;
}

const kernels *kernels_whole_avx512(void) { return has_avx512() ? &kernels_avx512 : NULL; }
#else
const kernels *kernels_base_avx512(void) { return NULL; }
const kernels *kernels_whole_avx512(void) { return NULL; }
#endif

const kernels *kernels_table(size_t index) {
  if (index == 0) return &kernels_generic;
#if defined(__x86_64__)
  if (index == 1 && has_avx2()) return &kernels_avx2;
  if (index == 2) return has_avx512() ? &kernels_avx512 : kernels_base_avx512();
#endif
  return NULL;
}

static _Thread_local const kernels *thread_table;

const kernels *kernels_of_thread(void) { return thread_table; }
void kernels_use(const kernels *table) { thread_table = table; }
