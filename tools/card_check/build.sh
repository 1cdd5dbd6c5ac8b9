#!/bin/sh
# Builds the programs that run on a machine with a card, without SwiftPM, into DIRECTORY: kernels (the checks of every
# kernel; with the emulator too) and libcard_stand_in.so.
#
#   tools/card_check/build.sh DIRECTORY
#
# DIRECTORY then holds all that run.sh needs there.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
flags="-O2 -g1 -Wall -Wextra -Werror -ISources/C/Card/include -ITests/CardEmulator -ITests/CardEmulator/include \
  -ITests/CardChecks/include ${CARD_FLAGS:-}"
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

compile() { # SOURCE…
  for source in "$@"; do
    object=$objects/$(echo "$source" | tr / _).o
    case $source in
    *.cpp) clang++ -std=gnu++17 -fPIC -DWITH_EMULATOR $flags -c -o "$object" "$source" & ;;
    *) clang -std=gnu17 -fPIC $flags -c -o "$object" "$source" & ;;
    esac
  done
  wait
}

compile Sources/C/Card/*.c Sources/C/Card/operations/*.c Tests/CardEmulator/*.cpp Tests/CardChecks/*.cpp \
  tools/card_check/*.cpp
clang++ ${CARD_FLAGS:-} -static-libstdc++ -static-libgcc -o "$out/kernels" "$objects"/*.o -ldl -lpthread -lm
clang++ -std=gnu++17 $flags -fPIC -shared -fvisibility=hidden -o "$out/libcard_stand_in.so" Tests/CardStandIn/stand_in.cpp \
  "$objects"/Tests_CardEmulator_*.o -lpthread
cp tools/card_check/run.sh "$out"
