// Does Sources/C/Card/cuda_api.h say what NVIDIA's headers say? Compiles only where cuda.h and cublas_v2.h are, for example
// in the packages nvidia-cuda-runtime and nvidia-cublas of PyPI:
//
//   clang -std=gnu17 -fsyntax-only -I …/nvidia/cu13/include tools/card/check_headers.c
//
// A call with the argument types of the header must compile through the pointer types of cuda_api.h as well: handles are
// pointers there and here, enumerations ints.
#include <cublas_v2.h>
#include <cuda.h>

#include "../../Sources/C/Card/cuda_api.h"

#define SAME(name, ...) _Static_assert(sizeof(name(__VA_ARGS__)) == sizeof(((cuda_##name)0)(__VA_ARGS__)), #name);

static void check(void) {
  CUdevice card = 0;
  CUcontext context = 0;
  CUstream stream = 0;
  CUmodule module = 0;
  CUfunction function = 0;
  CUdeviceptr address = 0;
  CUevent event = 0;
  const char *text = 0;
  char name[8];
  float ms = 0;
  int i = 0;
  size_t size = 0;
  void *p = 0;
  SAME(cuInit, 0u)
  SAME(cuGetErrorString, 0, &text)
  SAME(cuDriverGetVersion, &i)
  SAME(cuDeviceGetCount, &i)
  SAME(cuDeviceGet, &card, 0)
  SAME(cuDeviceGetName, name, 8, card)
  SAME(cuDeviceGetAttribute, &i, CU_DEVICE_ATTRIBUTE_MAJOR, card)
  SAME(cuDevicePrimaryCtxRetain, (void *)&context, card)
  SAME(cuCtxSetCurrent, context)
  SAME(cuStreamCreate, (void *)&stream, 1u)
  SAME(cuStreamSynchronize, stream)
  SAME(cuModuleLoadData, (void *)&module, p)
  SAME(cuModuleGetFunction, (void *)&function, module, "")
  SAME(cuLaunchKernel, function, 1u, 1u, 1u, 1u, 1u, 1u, 0u, stream, &p, &p)
  SAME(cuMemAlloc_v2, &address, size)
  SAME(cuMemFree_v2, address)
  SAME(cuMemGetInfo_v2, &size, &size)
  SAME(cuMemcpyHtoDAsync_v2, address, p, size, stream)
  SAME(cuMemcpyDtoHAsync_v2, p, address, size, stream)
  SAME(cuMemcpyDtoDAsync_v2, address, address, size, stream)
  SAME(cuMemsetD8Async, address, (unsigned char)0, size, stream)
  SAME(cuEventCreate, (void *)&event, 0u)
  SAME(cuEventRecord, event, stream)
  SAME(cuEventSynchronize, event)
  SAME(cuEventElapsedTime, &ms, event, event)
  SAME(cuEventDestroy_v2, event)
  SAME(cublasCreate_v2, (void *)&p)
  SAME(cublasSetStream_v2, p, p)
  SAME(cublasSetMathMode, p, 0)
  SAME(cublasGemmStridedBatchedEx, p, 0, 0, 1, 1, 1, p, p, 0, 1, 1ll, p, 0, 1, 1ll, p, p, 0, 1, 1ll, 1, 0, 0)
  (void)name;
}
void (*keep)(void) = check;

#define IS(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #theirs);
IS(CUDA_ERROR_NO_DEVICE_, CUDA_ERROR_NO_DEVICE)
IS(CUDA_ERROR_INVALID_PTX_, CUDA_ERROR_INVALID_PTX)
IS(CUDA_ERROR_UNSUPPORTED_PTX_VERSION_, CUDA_ERROR_UNSUPPORTED_PTX_VERSION)
IS(CU_DEVICE_ATTRIBUTE_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
IS(CU_STREAM_NON_BLOCKING_, CU_STREAM_NON_BLOCKING)
IS(CUDA_R_32F_, CUDA_R_32F)
IS(CUDA_R_16F_, CUDA_R_16F)
IS(CUDA_R_16BF_, CUDA_R_16BF)
IS(CUBLAS_OP_N_, CUBLAS_OP_N)
IS(CUBLAS_OP_T_, CUBLAS_OP_T)
IS(CUBLAS_COMPUTE_32F_, CUBLAS_COMPUTE_32F)
IS(CUBLAS_GEMM_DEFAULT_, CUBLAS_GEMM_DEFAULT)
IS(CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION_, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)
IS(2 /* CARD_OUT_OF_MEMORY */, CUDA_ERROR_OUT_OF_MEMORY)
_Static_assert(sizeof(CUdevice) == 4 && sizeof(CUdeviceptr) == 8, "");
