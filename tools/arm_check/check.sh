#!/bin/bash
# What can be checked of a 64-bit ARM processor on another one: the C beneath Firefly (kernels' generic table, imitated tiles, GGUF blocks, mapped
# files, pause) is compiled for it, run under qemu, and gives what this processor gives. Swift and oneDNN are not.
#
#   tools/arm_check/check.sh     needs clang, and Debian's gcc-aarch64-linux-gnu and qemu-user
set -euo pipefail
cd "$(dirname "$0")/../.."
for program in clang aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v $program >/dev/null || {
    echo "arm: no $program: apt-get install gcc-aarch64-linux-gnu qemu-user" >&2
    exit 1
  }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sources=(Sources/C/Kernels/generic.c Sources/C/Kernels/dispatch.c Sources/C/Kernels/blocks_encode.c
  Sources/C/Kernels/blocks_encode_k.c Sources/C/Kernels/blocks_encode_iq4.c Sources/C/Kernels/blocks_encode_mxfp4.c Sources/C/Kernels/blocks_fit.c
  Sources/C/Tiles/dispatch.c Sources/C/Tiles/imitated.c
  Sources/C/Mappings/mappings.c Sources/C/Pause/pause.c Sources/C/Nodes/nodes.c tools/arm_check/kernels.c)
flags=(-std=gnu17 -O2 -Wall -Wextra -Werror -ISources/C/Kernels -ISources/C/Kernels/include -ISources/C/Tiles
  -ISources/C/Tiles/include -ISources/C/Mappings/include
  -ISources/C/Pause/include -ISources/C/Nodes/include)
arm=(--target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include)
for source in "${sources[@]}"; do
  name=${source//\//-}
  clang "${flags[@]}" "${arm[@]}" -c -o "$work/arm-$name.o" "$source"
done
aarch64-linux-gnu-gcc -o "$work/arm" "$work"/arm-*.o -lm
objects=("${sources[@]}")
# The dispatch of this processor knows its other tables too.
clang "${flags[@]}" -DNDEBUG -o "$work/here" "${objects[@]}" Sources/C/Kernels/avx2.c Sources/C/Kernels/avx512{f,}.c \
  Sources/C/Tiles/amx.c Sources/C/Tiles/imitated_avx2.c Sources/C/Tiles/imitated_avx512.c -lm
"$work/here" >"$work/here.txt"
qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/arm" >"$work/arm.txt"
python3 tools/arm_check/compare.py "$work/here.txt" "$work/arm.txt"
