// What AddressSanitizer shall make of memory that a pool keeps: to it such blocks are in use, whoever reads them. Without a
// sanitizer these calls do nothing.
#pragma once

#include <stddef.h>

#pragma clang assume_nonnull begin

// From here on an access is reported.
void shadow_hide(const void *memory, size_t bytes);
// From here on the memory is somebody's.
void shadow_show(const void *memory, size_t bytes);

#pragma clang assume_nonnull end
