#pragma once

#include <stdint.h>

// The columns that a terminal gives to a Unicode scalar, as the C library knows it in its present locale: 0 for what joins the
// character before it, 2 for wide ones; -1 for control characters and for what is not assigned.
int columns_of(uint32_t scalar);
