#!/bin/sh
# Compares what Sources/C/MPI declares with the headers of the MPI that is installed; says so where there are none.
#
#   tools/ranks_check/abi.sh [MPICC]     the compiler of the MPI that is asked: mpicc, mpicc.mpich
set -eu
compiler=${1:-mpicc}
if ! command -v "$compiler" >/dev/null 2>&1; then
  echo "MPI's header was NOT COMPARED with Sources/C/MPI: there is no $compiler (Debian: libopenmpi-dev)"
  exit 0
fi
program=$(mktemp)
trap 'rm -f "$program"' EXIT
"$compiler" -std=c17 -Wall -Werror "$(dirname "$0")/abi.c" -o "$program" -ldl
"$program"
