// An NVIDIA card through its driver (libcuda.so.1) and cuBLAS, both opened at run time: the program has no link to either
// and runs as it is where they are missing.
#define _POSIX_C_SOURCE 200809L  // strdup
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "card_kernels.h"
#include "cuda_api.h"

extern const char card_ptx[], card_tiles_ptx[];

typedef struct {
  card table;  // first, so that a card is a cuda_card
#define FUNCTION(name, ...) cuda_##name name;
  CUDA_FUNCTIONS
  CUBLAS_FUNCTIONS
#undef FUNCTION
  void *context, *stream, *blas;
  void *kernels[CARD_KERNEL_COUNT];
  char device_name[128];
} cuda_card;

typedef unsigned long long address;

// MARK: Errors

static _Thread_local char last_problem[512];

static int failed(cuda_card *self, int error, const char *what) {
  const char *text = NULL;
  if (self->cuGetErrorString) self->cuGetErrorString(error, &text);
  snprintf(last_problem, sizeof last_problem, "%.*s: %s (%d)", (int)strcspn(what, "("), what, text ? text : "error", error);
  return error;
}

// cuBLAS has errors of its own, whose numbers are not the driver's.
static int blas_failed(int error, const char *what) {
  snprintf(last_problem, sizeof last_problem, "%.*s: cuBLAS status %d", (int)strcspn(what, "("), what, error);
  return 1000 + error;
}

#define TRY(call)                                     \
  do {                                                \
    int error = self->call;                           \
    if (error != 0) return failed(self, error, #call); \
  } while (0)

// The card as its own type, and its context current on this thread, as the driver wants it.
static cuda_card *of(card *card) {
  static _Thread_local void *current;
  cuda_card *self = (cuda_card *)card;
  if (current != self->context && self->cuCtxSetCurrent(self->context) == 0) current = self->context;
  return self;
}

static const char *problem(card *card) {
  (void)card;
  return last_problem;
}

// MARK: Memory

static int allocate(card *card, void **pointer, size_t bytes) {
  cuda_card *self = of(card);
  address at = 0;
  TRY(cuMemAlloc_v2(&at, bytes > 0 ? bytes : 1));
  *pointer = (void *)at;
  return CARD_DONE;
}

static int release(card *card, void *pointer) {
  cuda_card *self = of(card);
  TRY(cuMemFree_v2((address)pointer));
  return CARD_DONE;
}

// The driver has copied pageable memory to a place of its own when this returns.
static int upload(card *card, void *to, const void *from, size_t bytes) {
  cuda_card *self = of(card);
  if (bytes > 0) TRY(cuMemcpyHtoDAsync_v2((address)to, from, bytes, self->stream));
  return CARD_DONE;
}

static int download(card *card, void *to, const void *from, size_t bytes) {
  cuda_card *self = of(card);
  if (bytes > 0) TRY(cuMemcpyDtoHAsync_v2(to, (address)from, bytes, self->stream));
  TRY(cuStreamSynchronize(self->stream));
  return CARD_DONE;
}

static int copy(card *card, void *to, const void *from, size_t bytes) {
  cuda_card *self = of(card);
  if (bytes > 0) TRY(cuMemcpyDtoDAsync_v2((address)to, (address)from, bytes, self->stream));
  return CARD_DONE;
}

static int fill(card *card, void *at, uint8_t byte, size_t bytes) {
  cuda_card *self = of(card);
  if (bytes > 0) TRY(cuMemsetD8Async((address)at, byte, bytes, self->stream));
  return CARD_DONE;
}

static int memory(card *card, size_t *free, size_t *total) {
  cuda_card *self = of(card);
  TRY(cuMemGetInfo_v2(free, total));
  return CARD_DONE;
}

// MARK: Work

static int launch(card *card, int kernel, unsigned blocks_x, unsigned blocks_y, unsigned threads, card_arguments arguments) {
  cuda_card *self = of(card);
  TRY(cuLaunchKernel(self->kernels[kernel], blocks_x, blocks_y, 1, threads, 1, 1, 0, self->stream,
                     (void **)arguments.addresses, NULL));
  return CARD_DONE;
}

static int data_type(int type) {
  return type == CARD_FLOAT32 ? CUDA_R_32F_ : type == CARD_FLOAT16 ? CUDA_R_16F_ : CUDA_R_16BF_;
}

// A single row's stride may be anything here, but not to cuBLAS.
static int leading(int64_t stride, int64_t columns) { return (int)(stride < columns ? columns : stride); }

// cuBLAS is column-major: outᵀ = op(b)ᵀ·op(a)ᵀ.
static int multiply(card *card, const card_product *p) {
  cuda_card *self = of(card);
  float beta = p->accumulate ? 1 : 0;
  int error = self->cublasGemmStridedBatchedEx(
      self->blas, p->transpose_b ? CUBLAS_OP_T_ : CUBLAS_OP_N_, p->transpose_a ? CUBLAS_OP_T_ : CUBLAS_OP_N_, (int)p->n,
      (int)p->m, (int)p->k, &p->scale, p->b.at, data_type(p->b.type), leading(p->b.stride, p->transpose_b ? p->k : p->n),
      p->step_b, p->a.at, data_type(p->a.type), leading(p->a.stride, p->transpose_a ? p->m : p->k), p->step_a, &beta,
      p->out.at, data_type(p->out.type), leading(p->out.stride, p->n), p->step_out, (int)p->count, CUBLAS_COMPUTE_32F_,
      CUBLAS_GEMM_DEFAULT_);
  return error == 0 ? CARD_DONE : blas_failed(error, "cublasGemmStridedBatchedEx");
}

static int synchronise(card *card) {
  cuda_card *self = of(card);
  TRY(cuStreamSynchronize(self->stream));
  return CARD_DONE;
}

static double milliseconds(card *card, void (*body)(void *), void *context) {
  cuda_card *self = of(card);
  void *begin = NULL, *end = NULL;
  float result = -1;
  if (self->cuEventCreate(&begin, 0) != 0 || self->cuEventCreate(&end, 0) != 0) return -1;
  self->cuEventRecord(begin, self->stream);
  body(context);
  self->cuEventRecord(end, self->stream);
  if (self->cuEventSynchronize(end) != 0 || self->cuEventElapsedTime(&result, begin, end) != 0) result = -1;
  self->cuEventDestroy_v2(begin);
  self->cuEventDestroy_v2(end);
  return result;
}

// MARK: Opening

// What card.ptx is for: Volta.
enum { LEAST_MAJOR = 7, TILE_KERNELS_BEGIN = CARD_KERNEL_attend_64 };

static int find_kernels(cuda_card *self, void *module, int first, int end) {
  static const char *const names[] = {
#define NAME(name) #name,
      CARD_KERNELS(NAME) CARD_TILE_KERNELS(NAME)
#undef NAME
  };
  for (int i = first; i < end; i++) {
    int error = self->cuModuleGetFunction(&self->kernels[i], module, names[i]);
    if (error != 0) return failed(self, error, names[i]);
  }
  return CARD_DONE;
}

// "NVIDIA H100", or "NVIDIA H100 (card 2 of 4)".
static int name_device(cuda_card *self, int device, int number, int count) {
  enum { PLACE = 40 };
  char *name = self->device_name;
  TRY(cuDeviceGetName(name, sizeof self->device_name - PLACE, device));
  size_t length = strlen(name);
  if (count > 1) snprintf(name + length, sizeof self->device_name - length, " (card %d of %d)", number + 1, count);
  return CARD_DONE;
}

// `why` is set where it is not CARD_FAILED.
static int start(cuda_card *self, int number, int count, enum card_absence *why) {
  int device = 0, major = 0;
  TRY(cuDeviceGet(&device, number));
  if (name_device(self, device, number, count) != CARD_DONE) return CARD_FAILED;
  TRY(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_MAJOR, device));
  if (major < LEAST_MAJOR) {
    snprintf(last_problem, sizeof last_problem, "%s, of compute capability %d", self->device_name, major);
    *why = CARD_OLD_CARD;
    return CUDA_ERROR_NO_DEVICE_;
  }
  TRY(cuDevicePrimaryCtxRetain(&self->context, device));
  TRY(cuCtxSetCurrent(self->context));
  TRY(cuStreamCreate(&self->stream, CU_STREAM_NON_BLOCKING_));
  void *module = NULL;
  int error = self->cuModuleLoadData(&module, card_ptx);
  if (error == CUDA_ERROR_UNSUPPORTED_PTX_VERSION_ || error == CUDA_ERROR_INVALID_PTX_) {
    *why = CARD_OLD_DRIVER;
    int version = 0;
    self->cuDriverGetVersion(&version);
    snprintf(last_problem, sizeof last_problem, "a driver of CUDA %d.%d", version / 1000, version % 1000 / 10);
    return error;
  }
  if (error != 0) return failed(self, error, "cuModuleLoadData");
  error = find_kernels(self, module, 0, TILE_KERNELS_BEGIN);
  self->table.has_bfloat16 = major >= 8;
  // A driver that is too old for them is not too old for the others.
  self->table.has_tiles = error == 0 && major >= 8 && self->cuModuleLoadData(&module, card_tiles_ptx) == 0;
  if (self->table.has_tiles) error = find_kernels(self, module, TILE_KERNELS_BEGIN, CARD_KERNEL_COUNT);
  return error;
}

static void *open_first(const char *const *names) {
  for (; *names; names++) {
    void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
    snprintf(last_problem, sizeof last_problem, "%s", dlerror());
  }
  return NULL;
}

static enum card_absence open_driver(cuda_card *self, unsigned place, const char *driver) {
  const char *names[] = {driver ? driver : "libcuda.so.1", NULL};
  void *library = open_first(names);
  if (!library) return CARD_NO_DRIVER;
  const char *missing = NULL;
#define FUNCTION(name, ...) \
  if (!(self->name = (cuda_##name)dlsym(library, #name))) missing = #name;
  CUDA_FUNCTIONS
#undef FUNCTION
  if (missing) {
    snprintf(last_problem, sizeof last_problem, "it has no %s", missing);
    return CARD_OLD_DRIVER;
  }
  int count = 0, error = self->cuInit(0);
  if (error == 0) error = self->cuDeviceGetCount(&count);
  if (error == CUDA_ERROR_NO_DEVICE_ || (error == 0 && count == 0)) {
    snprintf(last_problem, sizeof last_problem, "the driver finds no card");
    return CARD_NONE;
  }
  if (error != 0) return failed(self, error, "cuInit"), CARD_FAILED;
  enum card_absence why = CARD_FAILED;
  return start(self, (int)(place % (unsigned)count), count, &why) == CARD_DONE ? CARD_FOUND : why;
}

static enum card_absence open_cublas(cuda_card *self, const char *cublas) {
  const char *own[] = {cublas, NULL};
  const char *usual[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11", NULL};
  void *library = open_first(cublas ? own : usual);
  if (!library) return CARD_NO_CUBLAS;
  const char *missing = NULL;
#define FUNCTION(name, ...) \
  if (!(self->name = (cuda_##name)dlsym(library, #name))) missing = #name;
  CUBLAS_FUNCTIONS
#undef FUNCTION
  if (missing) {
    snprintf(last_problem, sizeof last_problem, "it has no %s", missing);
    return CARD_OLD_CUBLAS;
  }
  int error = self->cublasCreate_v2(&self->blas);
  if (error == 0) error = self->cublasSetStream_v2(self->blas, self->stream);
  // Sums that are cut into parts meet in float32 as well.
  if (error == 0) error = self->cublasSetMathMode(self->blas, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION_);
  return error == 0 ? CARD_FOUND : (blas_failed(error, "cublasCreate"), CARD_FAILED);
}

enum card_absence card_open_cuda(unsigned place, const char *driver, const char *cublas, card **opened,
                                 const char **detail) {
  cuda_card *self = calloc(1, sizeof *self);
  if (!self) return *detail = "out of memory", CARD_FAILED;
  self->table = (card){.name = self->device_name,
                       .allocate = allocate,
                       .release = release,
                       .upload = upload,
                       .download = download,
                       .copy = copy,
                       .fill = fill,
                       .launch = launch,
                       .multiply = multiply,
                       .synchronise = synchronise,
                       .memory = memory,
                       .milliseconds = milliseconds,
                       .problem = problem};
  enum card_absence absence = open_driver(self, place, driver);
  if (absence == CARD_FOUND) absence = open_cublas(self, cublas);
  *detail = "";
  if (absence == CARD_FOUND) {
    *opened = &self->table;
  } else {
    *detail = strdup(last_problem);
    free(self);
    *opened = NULL;
  }
  return absence;
}
