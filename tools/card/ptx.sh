#!/bin/sh
# Makes the kernels' PTX with Debian's clang-19 (no file of NVIDIA's), or with --check compares it with what is committed.
#
#   tools/card/ptx.sh [--check]
#
# card.ptx is for sm_70 (Volta) in PTX 6.0, so that old drivers take it; a driver compiles it for the card it has, and later
# cards lose nothing, as no kernel there uses an instruction that sm_70 lacks. card_tiles.ptx is for sm_80 (Ampere) on. Without clang-19, --check says so and succeeds.
set -eu
cd "$(dirname "$0")/../../Sources/C/Card/kernels"

clang=${CUDA_CLANG:-clang-19}
if ! command -v "$clang" >/dev/null; then
  [ "${1:-}" = --check ] || { echo "ptx: needs $clang (apt-get install clang-19)" >&2; exit 1; }
  echo "ptx: not compared, there is no $clang here (apt-get install clang-19)"
  exit 0
fi

made=$(mktemp)
trap 'rm -f "$made"' EXIT
make_or_compare() { # NAME ARCHITECTURE PTX
  # Rounded as the source says: no product is fused with a sum unless it asks for it.
  "$clang" -x cuda --cuda-device-only --cuda-gpu-arch="$2" -Xclang -target-feature -Xclang "+$3" -nocudainc -nocudalib \
    -std=c++17 -O3 -ffp-contract=off -Wall -Wextra -Werror -fno-ident -S -o "$made" "$1.cu"
  if [ "$check" ]; then
    cmp "$made" "$1.ptx" || { echo "ptx: run tools/card/ptx.sh and commit the result" >&2; exit 1; }
    echo "ptx: $1 as committed"
  else
    cp "$made" "$1.ptx"
    chmod 644 "$1.ptx"
  fi
}
check=
[ "${1:-}" != --check ] || check=1
make_or_compare card sm_70 ptx60
make_or_compare card_tiles sm_80 ptx74
