// The imitation on any processor.
#include <math.h>
#include <string.h>

#include "tiles.h"
#define TABLE tiles_imitated_generic
#define NAME "amx-imitated"
#define LANES 4
#include "ops/instructions_imitated.inc"
#include "ops/all.inc"
