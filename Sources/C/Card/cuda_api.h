// The functions of NVIDIA's driver and of cuBLAS that cuda.c calls, from NVIDIA's published documentation: handles are
// pointers, enumerations ints. tools/card/check_headers.c compares them with NVIDIA's own headers where those are.
#pragma once

#include <stddef.h>

#define CUDA_FUNCTIONS                                                                                                  \
  FUNCTION(cuInit, unsigned)                                                                                            \
  FUNCTION(cuGetErrorString, int, const char **)                                                                        \
  FUNCTION(cuDriverGetVersion, int *)                                                                                   \
  FUNCTION(cuDeviceGetCount, int *)                                                                                     \
  FUNCTION(cuDeviceGet, int *, int)                                                                                     \
  FUNCTION(cuDeviceGetName, char *, int, int)                                                                           \
  FUNCTION(cuDeviceGetAttribute, int *, int, int)                                                                       \
  FUNCTION(cuDevicePrimaryCtxRetain, void **, int)                                                                      \
  FUNCTION(cuCtxSetCurrent, void *)                                                                                     \
  FUNCTION(cuStreamCreate, void **, unsigned)                                                                           \
  FUNCTION(cuStreamSynchronize, void *)                                                                                 \
  FUNCTION(cuModuleLoadData, void **, const void *)                                                                     \
  FUNCTION(cuModuleGetFunction, void **, void *, const char *)                                                          \
  FUNCTION(cuLaunchKernel, void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, \
           void **)                                                                                                     \
  FUNCTION(cuMemAlloc_v2, unsigned long long *, size_t)                                                                 \
  FUNCTION(cuMemFree_v2, unsigned long long)                                                                            \
  FUNCTION(cuMemGetInfo_v2, size_t *, size_t *)                                                                         \
  FUNCTION(cuMemcpyHtoDAsync_v2, unsigned long long, const void *, size_t, void *)                                      \
  FUNCTION(cuMemcpyDtoHAsync_v2, void *, unsigned long long, size_t, void *)                                            \
  FUNCTION(cuMemcpyDtoDAsync_v2, unsigned long long, unsigned long long, size_t, void *)                                \
  FUNCTION(cuMemsetD8Async, unsigned long long, unsigned char, size_t, void *)                                          \
  FUNCTION(cuEventCreate, void **, unsigned)                                                                            \
  FUNCTION(cuEventRecord, void *, void *)                                                                               \
  FUNCTION(cuEventSynchronize, void *)                                                                                  \
  FUNCTION(cuEventElapsedTime, float *, void *, void *)                                                                 \
  FUNCTION(cuEventDestroy_v2, void *)

#define CUBLAS_FUNCTIONS                                                                                              \
  FUNCTION(cublasCreate_v2, void **)                                                                                  \
  FUNCTION(cublasSetStream_v2, void *, void *)                                                                        \
  FUNCTION(cublasSetMathMode, void *, int)                                                                            \
  FUNCTION(cublasGemmStridedBatchedEx, void *, int, int, int, int, int, const void *, const void *, int, int, long long, \
           const void *, int, int, long long, const void *, void *, int, int, long long, int, int, int)

#define FUNCTION(name, ...) typedef int (*cuda_##name)(__VA_ARGS__);
CUDA_FUNCTIONS
CUBLAS_FUNCTIONS
#undef FUNCTION

// Their constants that cuda.c uses, by NVIDIA's names without the prefix.
enum {
  CUDA_ERROR_NO_DEVICE_ = 100,
  CUDA_ERROR_INVALID_PTX_ = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION_ = 222,
  CU_DEVICE_ATTRIBUTE_MAJOR = 75,
  CU_STREAM_NON_BLOCKING_ = 1,
  CUDA_R_32F_ = 0,
  CUDA_R_16F_ = 2,
  CUDA_R_16BF_ = 14,
  CUBLAS_OP_N_ = 0,
  CUBLAS_OP_T_ = 1,
  CUBLAS_COMPUTE_32F_ = 68,
  CUBLAS_GEMM_DEFAULT_ = -1,
  CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION_ = 16
};
