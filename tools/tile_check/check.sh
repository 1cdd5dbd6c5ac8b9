#!/bin/bash
# The machine code of Sources/C/Tiles for processors with tiles gives what the imitation in C gives. Where the processor has none, its
# tile instructions are emulated as they trap.
#
#   tools/tile_check/check.sh     needs clang and an x86-64 processor; with AVX-512, or nothing is checked
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$(uname -m)" != x86_64 ]; then
  echo "tiles: not checked, as this is no x86-64 processor"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools/tile_check/build.sh "$work/check"
"$work/check"
