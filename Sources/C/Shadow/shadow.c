#include "shadow.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
void shadow_hide(const void *memory, size_t bytes) { __asan_poison_memory_region(memory, bytes); }
void shadow_show(const void *memory, size_t bytes) { __asan_unpoison_memory_region(memory, bytes); }
#else
void shadow_hide(const void *memory, size_t bytes) { (void)memory, (void)bytes; }
void shadow_show(const void *memory, size_t bytes) { (void)memory, (void)bytes; }
#endif
