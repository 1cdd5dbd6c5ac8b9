// The table of every processor: 128-bit vectors, as SSE2 and Neon have them.
#define VW 4
#define TABLE kernels_generic
#define NAME "generic"
#include "ops/all.inc"
