// The kernels for tensor cores, for the compiler, as card.cu: clang makes card_tiles.ptx of this, for sm_80.
#include "attention_tiles.h"
#include "nf4_rows_tiles.h"
#include "rows_tiles.h"
