// All kernels, for the compiler: clang makes card.ptx of this (tools/card/ptx.sh), the emulator
// takes it as C++.
#include "attention.h"
#include "attention_cached.h"
#include "elementwise.h"
#include "layers.h"
#include "norms.h"
#include "training.h"
#include "weights.h"
