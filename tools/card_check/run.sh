#!/bin/bash
# The checks on a machine with an NVIDIA card, where nothing is compiled: this folder's programs, built by build.sh on
# another. Prints one table; all that the programs say goes to $OUT (a folder; ./card_check_out).
#
#   ./run.sh
#
# cuBLAS is found by its name, in FIREFLY_LIBCUBLAS, or in a Python environment (pip's nvidia-cublas, PyTorch's).
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-card_check_out}
mkdir -p "$OUT"
status=0
row() { printf '%-34s %s\n' "$1" "$2" | tee -a "$OUT/table.txt"; }

: >"$OUT/table.txt"
row card "$(nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader 2>&1 | head -1)"

cublas=${FIREFLY_LIBCUBLAS:-}
if [ -z "$cublas" ] && ! ldconfig -p 2>/dev/null | grep -qE 'libcublas\.so\.1[123]'; then
  cublas=$(find / -xdev -name 'libcublas.so.1[123]' -not -path '*/stubs/*' 2>/dev/null | sort | tail -1)
fi
row cuBLAS "${cublas:-of the system}"
# What cuBLAS needs lies beside it.
[ -z "$cublas" ] || export LD_LIBRARY_PATH="$(dirname "$cublas")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# step NAME SECONDS COMMAND…: its last line is its result.
step() {
  local name=$1 limit=$2 started=$SECONDS
  shift 2
  if timeout "$limit" "$@" >"$OUT/$name.txt" 2>&1; then
    row "$name" "$(grep -v '^=* *$' "$OUT/$name.txt" | tail -1) ($((SECONDS - started)) s)"
  else
    row "$name" "FAILED with $?: $(tail -1 "$OUT/$name.txt") ($((SECONDS - started)) s)"
    head -20 "$OUT/$name.txt" | sed 's/^/    /'
    status=1
  fi
}

kernels=(./kernels cuda - "${cublas:--}")
step kernels 120 "${kernels[@]}"
step speed 120 ./kernels speed - "${cublas:--}"
cat "$OUT/speed.txt"

sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -1)
if [ -n "$sanitizer" ]; then
  for tool in memcheck racecheck initcheck; do
    step $tool 150 "$sanitizer" --tool $tool --error-exitcode 9 "${kernels[@]}"
  done
else
  row compute-sanitizer "not on this machine"
fi
exit $status
