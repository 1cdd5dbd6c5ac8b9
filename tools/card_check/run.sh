#!/bin/bash
# The checks on a machine with an NVIDIA card, where nothing is compiled: this folder's programs, built by build.sh on
# another. Prints one table; all that the programs say goes to $OUT (a folder; ./card_check_out).
#
#   ./run.sh [checks|sanitizer|runs|speed|peer …]     these parts, by default all
#
# cuBLAS is found by its name, in FIREFLY_LIBCUBLAS, or in a Python environment (pip's nvidia-cublas, PyTorch's).
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-card_check_out}
mkdir -p "$OUT"
status=0
parts=${*:-checks sanitizer runs speed peer}
wants() { [[ " $parts " == *" $1 "* ]]; }
row() { printf '%-34s %s\n' "$1" "$2" | tee -a "$OUT/table.txt"; }

: >"$OUT/table.txt"
row card "$(nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader 2>&1 | head -1)"

cublas=${FIREFLY_LIBCUBLAS:-}
if [ -z "$cublas" ] && ! ldconfig -p 2>/dev/null | grep -qE 'libcublas\.so\.1[123]'; then
  cublas=$(find / -xdev -name 'libcublas.so.1[123]' -not -path '*/stubs/*' 2>/dev/null | sort | tail -1)
fi
row cuBLAS "${cublas:-of the system}"
# What cuBLAS needs lies beside it.
[ -z "$cublas" ] || export FIREFLY_LIBCUBLAS=$cublas LD_LIBRARY_PATH="$(dirname "$cublas")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

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
if wants checks; then
  step kernels 120 "${kernels[@]}"
  step speed 120 ./kernels speed - "${cublas:--}"
  cat "$OUT/speed.txt"
fi

# The program itself, where bundle.sh has put it here: losses of runs against the processor's, then how fast it is.
if [ -x ./firefly ] && wants runs; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  step models 60 bash -c "python3 model.py '$work/tiny' tiny && python3 model.py '$work/smollm2' smollm2"
  step tiny-lora 60 python3 compare_runs.py ./firefly "$work/tiny" 20 1e-3 precision=float32 train_mode=lora adam_epsilon=1e-4
  step tiny-full 60 python3 compare_runs.py ./firefly "$work/tiny" 20 1e-3 precision=float32 train_mode=full adam_epsilon=1e-4
  step smollm2-qlora 120 python3 compare_runs.py ./firefly "$work/smollm2" 20 2e-2
  # float16 with loss scaling on the card, bfloat16 on the processor.
  step smollm2-float16 120 python3 compare_runs.py ./firefly "$work/smollm2" 20 2e-2 fp16=true bf16=false
  step tiny-bf16-checkpoints 60 python3 compare_runs.py ./firefly "$work/tiny" 20 1e-2 precision=float32 train_mode=lora \
    adam_epsilon=1e-4 checkpoint_dtype=bfloat16
  for device in cuda cpu; do
    step answer-$device 60 ./firefly generate "$work/smollm2" --device $device --raw --greedy --prompt "What is 3 plus 4?" \
      --max-new-tokens 8 --precision float32 --json
  done
fi
bench() { # NAME SECONDS OPTIONS…
  step "bench-$1" "$2" ./firefly bench --device cuda "${@:3}"
  cat "$OUT/bench-$1.txt"
}
if [ -x ./firefly ] && wants speed; then
  bench smollm2 60 --shape smollm2 --rows 8
  bench blocks 60 --shape ziya13b --rows 8 --only training
  bench 13b-training 120 --shape whole-ziya13b --rows 8 --only training --steps 3
  bench 13b-generation 120 --shape whole-ziya13b --only generation
fi

# transformers + PEFT on the same card, where this Python has them.
if wants peer && python3 -c 'import peft, transformers' 2>/dev/null; then
  step peer-smollm2 120 python3 peer.py smollm2 10
  step peer-13b 240 python3 peer.py whole-ziya13b 3
fi

sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -1)
if ! wants sanitizer; then
  :
elif [ -n "$sanitizer" ]; then
  for tool in memcheck racecheck initcheck; do
    step $tool 150 "$sanitizer" --tool $tool --error-exitcode 9 "${kernels[@]}"
  done
else
  row compute-sanitizer "not on this machine"
fi
exit $status
