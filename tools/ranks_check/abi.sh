#!/bin/sh
# Compares what Sources/C/MPI declares with the headers of the MPI that is installed; says so where there are none.
#
#   tools/ranks_check/abi.sh [MPICC]     the compiler of the MPI that is asked: mpicc, mpicc.mpich
set -eu
compiler=${1:-mpicc}
program=$(mktemp)
trap 'rm -f "$program"' EXIT
# The compiler may be there without its header, as with Debian's openmpi-bin alone.
if ! echo '#include <mpi.h>' | "$compiler" -fsyntax-only -x c - >/dev/null 2>&1; then
  echo "MPI's header was NOT COMPARED with Sources/C/MPI: there is no $compiler with mpi.h (Debian: libopenmpi-dev)"
  exit 0
fi
"$compiler" -std=c17 -Wall -Werror "$(dirname "$0")/abi.c" -o "$program" -ldl
"$program"
