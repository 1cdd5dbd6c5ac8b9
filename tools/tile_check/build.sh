#!/bin/sh
# Compiles the check of the machine code for tiles.
#
#   tools/tile_check/build.sh PROGRAM [-static]     with -static it runs on machines with other libraries too
set -eu
out=$(realpath "$1")
shift
cd "$(dirname "$0")/../.."
clang -std=gnu17 -O2 -Wall -Wextra -Werror -ISources/C/Kernels -ISources/C/Kernels/include -ISources/C/Tiles -ISources/C/Tiles/include \
  -o "$out" Sources/C/Kernels/generic.c Sources/C/Kernels/avx2.c Sources/C/Kernels/avx512f.c Sources/C/Kernels/avx512.c \
  Sources/C/Kernels/dispatch.c Sources/C/Tiles/*.c tools/tile_check/*.c -lm "$@"
