// Files that are mapped. One that gets shorter while it is mapped has no bytes behind its new end: touching them is SIGBUS,
// which by itself ends the process without a word.
#pragma once
#include <stddef.h>

// Notes a mapping of a file; `path` is copied.
void mappings_add(const void *base, size_t size, const char *path);
// Forgets a mapping, before it is unmapped.
void mappings_remove(const void *base);

// From now on, bytes that are gone read as zeros, and the file's path is kept. Any other SIGBUS does what it did before.
void mappings_watch(void);
// The path of the first file that has lost bytes which were read, valid for ever; NULL: there is none.
const char *mappings_lost(void);
