// A stand-in for libcuda.so.1 and libcublas made of the emulator: so that Sources/C/Card/cuda.c, the code that talks to a
// card, runs in tests on a machine without one. It is a shared library; tests name it as both.
//
// Environment: FIREFLY_STAND_IN=no-card | old-card | old-ptx | three-cards makes it a driver that finds no card, or one from before
// Volta, or that knows no PTX of ours, or that has three cards.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>
#include <string_view>

#include "card_emulator.h"
#include "card_kernels.h"

#define API extern "C" __attribute__((visibility("default"))) int
using address = unsigned long long;

namespace {

enum { STREAM = 2, HANDLE = 5 };
enum { INVALID_HANDLE = 400, NOT_FOUND = 500 };

card *emulated() {
  static card *self = card_emulate(0, (size_t)64 << 30);
  return self;
}

bool is(const char *mood) {
  const char *asked = getenv("FIREFLY_STAND_IN");
  return asked && strcmp(asked, mood) == 0;
}

void *handle(size_t number) { return (void *)number; }

const char *const names[] = {
#define NAME(name) #name,
    CARD_KERNELS(NAME) CARD_TILE_KERNELS(NAME)
#undef NAME
};
// How many arguments each takes is what the PTX says: the driver counts them there. Tests open cards at the same time; all
// read the same numbers.
size_t parameters[CARD_KERNEL_COUNT];
size_t sizes[CARD_KERNEL_COUNT][32];

size_t number_after(const std::string &text, const char *what, size_t from) {
  return strtoul(text.c_str() + text.find(what, from) + strlen(what), nullptr, 10);
}

// Reads the sizes of a kernel's parameters: `.param .b64 name` or `.param .align 8 .b8 name[24]`.
bool read_parameters(std::string_view ptx, int kernel) {
  size_t at = ptx.find(".entry " + std::string(names[kernel]) + "(");
  if (at == std::string::npos) return false;
  std::string head(ptx.substr(at, ptx.find(")", at) - at));
  size_t count = 0;
  for (size_t p = head.find(".param"); p != std::string::npos; p = head.find(".param", p + 1)) {
    size_t end = head.find("\n", p);
    std::string line = head.substr(p, end - p);
    size_t bracket = line.find("[");
    sizes[kernel][count++] = bracket != std::string::npos ? number_after(line, "[", 0)
                             : line.find("64") < line.find("_param")  ? 8
                                                                      : 4;
  }
  parameters[kernel] = count;
  return true;
}

}  // namespace

// MARK: The driver

API cuInit(unsigned) { return 0; }
API cuGetErrorString(int error, const char **text) {
  return *text = error == 222 ? "unsupported PTX" : emulated()->problem(emulated()), 0;
}
API cuDriverGetVersion(int *version) { return *version = 12000, 0; }
API cuDeviceGetCount(int *count) { return *count = is("no-card") ? 0 : is("three-cards") ? 3 : 1, 0; }
API cuDeviceGet(int *device, int number) { return *device = number, 0; }
API cuDeviceGetName(char *name, int size, int device) {
  return snprintf(name, (size_t)size, device == 0 ? "a stand-in" : "stand-in %d", device), 0;
}
API cuDeviceGetAttribute(int *value, int attribute, int) { return *value = attribute != 75 ? 0 : is("old-card") ? 6 : 9, 0; }
API cuDevicePrimaryCtxRetain(void **context, int) { return *context = handle(1), 0; }
API cuCtxSetCurrent(void *) { return 0; }
API cuStreamCreate(void **stream, unsigned) { return *stream = handle(STREAM), 0; }
API cuStreamSynchronize(void *stream) { return stream == handle(STREAM) ? 0 : INVALID_HANDLE; }
API cuModuleLoadData(void **module, const void *text) {
  if (is("old-ptx")) return 222;
  return *module = (void *)text, 0;  // it lives as long as the program
}
// Only what the PTX holds can be launched, as on a card.
API cuModuleGetFunction(void **function, void *module, const char *name) {
  std::string_view ptx((const char *)module);
  for (int kernel = 0; kernel < CARD_KERNEL_COUNT; kernel++)
    if (strcmp(names[kernel], name) == 0 && read_parameters(ptx, kernel)) return *function = handle((size_t)kernel + 1), 0;
  return NOT_FOUND;
}
API cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned threads_y,
                   unsigned threads_z, unsigned shared, void *stream, void **arguments, void **) {
  if (z != 1 || threads_y != 1 || threads_z != 1 || shared != 0 || stream != handle(STREAM)) return 1;
  size_t kernel = (size_t)function - 1;
  return emulated()->launch(emulated(), (int)kernel, x, y, threads, {arguments, sizes[kernel], parameters[kernel]});
}
API cuMemAlloc_v2(address *pointer, size_t bytes) {
  if (bytes == 0) return 1;
  return emulated()->allocate(emulated(), (void **)pointer, bytes);
}
API cuMemFree_v2(address pointer) { return emulated()->release(emulated(), (void *)pointer); }
API cuMemGetInfo_v2(size_t *free, size_t *total) { return emulated()->memory(emulated(), free, total); }
API cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *) {
  return emulated()->upload(emulated(), (void *)to, from, bytes);
}
API cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *) {
  return emulated()->download(emulated(), to, (const void *)from, bytes);
}
API cuMemcpyDtoDAsync_v2(address to, address from, size_t bytes, void *) {
  return emulated()->copy(emulated(), (void *)to, (const void *)from, bytes);
}
API cuMemsetD8Async(address at, unsigned char byte, size_t bytes, void *) {
  return emulated()->fill(emulated(), (void *)at, byte, bytes);
}
API cuEventCreate(void **event, unsigned) { return *event = handle(4), 0; }
API cuEventRecord(void *, void *) { return 0; }
API cuEventSynchronize(void *) { return 0; }
API cuEventElapsedTime(float *ms, void *, void *) { return *ms = 1, 0; }
API cuEventDestroy_v2(void *) { return 0; }

// MARK: cuBLAS

namespace {
int type_of(int type) { return type == 14 ? CARD_BFLOAT16 : type == 2 ? CARD_FLOAT16 : CARD_FLOAT32; }
}  // namespace

API cublasCreate_v2(void **blas) { return *blas = handle(HANDLE), 0; }
API cublasSetStream_v2(void *blas, void *stream) { return blas == handle(HANDLE) && stream == handle(STREAM) ? 0 : 7; }
API cublasSetMathMode(void *blas, int mode) { return blas == handle(HANDLE) && mode == 16 ? 0 : 7; }
// Column-major, as cuBLAS: what is outᵀ to it is out to the emulator.
API cublasGemmStridedBatchedEx(void *blas, int ta, int tb, int m, int n, int k, const void *alpha, const void *a,
                               int a_type, int lda, long long step_a, const void *b, int b_type, int ldb,
                               long long step_b, const void *beta, void *c, int c_type, int ldc, long long step_c,
                               int count, int compute, int) {
  if (blas != handle(HANDLE) || compute != 68) return 7;
  if (lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m) return 7;
  card_product p = {};
  p.out = {c, ldc, type_of(c_type)};
  p.a = {b, ldb, type_of(b_type)};
  p.b = {a, lda, type_of(a_type)};
  p.m = n, p.n = m, p.k = k;
  p.transpose_a = tb, p.transpose_b = ta;
  p.scale = *(const float *)alpha, p.accumulate = *(const float *)beta != 0;
  p.count = count, p.step_out = step_c, p.step_a = step_b, p.step_b = step_a;
  return emulated()->multiply(emulated(), &p) == 0 ? 0 : 7;
}
