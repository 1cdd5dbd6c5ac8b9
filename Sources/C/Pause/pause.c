// A target needs a file to compile; the function is inline.
#include "pause.h"
