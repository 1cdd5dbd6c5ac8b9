#!/bin/sh
# Builds the programs that run on a machine with a card, without SwiftPM, into DIRECTORY: kernels (the checks of every
# kernel; with the emulator too) and libcard_stand_in.so.
#
#   tools/card_check/build.sh DIRECTORY [OBJECTS]
#
# card.sh and steps.sh (tools/machine_check) beside them run them there. OBJECTS keeps what was compiled for the next time.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
objects=${2:-$(mktemp -d)}
[ "${2:-}" ] || trap 'rm -rf "$objects"' EXIT
cd "$(dirname "$0")/../.."
make -s -j2 -f tools/card_check/build.mk OUT="$out" OBJECTS="$objects" CARD_FLAGS="${CARD_FLAGS:-}"
