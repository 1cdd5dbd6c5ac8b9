// For wcwidth, which is X/Open's.
#define _XOPEN_SOURCE 700

#include "columns.h"

#include <wchar.h>

int columns_of(uint32_t scalar) { return wcwidth((wchar_t)scalar); }
