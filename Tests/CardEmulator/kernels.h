// The kernels as functions of the processor.
#pragma once

#include <stddef.h>

namespace emulator {

struct Kernel {
  const char *name;
  size_t parameters;
  const size_t *sizes;  // of the parameters
  void (*function)();
  // Calls `function` with the arguments at these addresses.
  void (*call)(void (*function)(), void *const *arguments);
};
// By card_kernel.
extern const Kernel kernels[];

}  // namespace emulator
