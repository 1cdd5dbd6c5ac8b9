#!/bin/bash
# The checks on a machine with an NVIDIA card, where nothing is compiled: this folder's programs, put together by
# tools/machine_check/bundle.sh on another. Prints one table; all that the programs say goes to $OUT (a folder; ./card_check_out).
#
#   ./card.sh [checks|tiny|runs|speed|sanitizer|peer …]     these parts, by default all, cheap proofs first
#
# It ends after $LIMIT seconds (540): what there was no time for is left out, and said. cuBLAS is found by its name, in
# FIREFLY_LIBCUBLAS, or in a Python environment (pip's nvidia-cublas, PyTorch's). With STAND_IN=1 the emulated card takes the
# real one's place, for a dry run on a machine without one: STAND_IN=1 ./card.sh checks tiny
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-card_check_out}
LIMIT=${LIMIT:-540}
parts=${*:-checks tiny runs speed sanitizer peer}
. ./steps.sh

if [ -n "${STAND_IN:-}" ]; then
  ln -s "$PWD/libcard_stand_in.so" "$work/libcuda.so.1"
  export LD_LIBRARY_PATH=$work FIREFLY_LIBCUBLAS=$PWD/libcard_stand_in.so
  row card "none: a dry run on a stand-in"
  slower=10
else
  row card "$(nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader 2>&1 | head -1)"
fi

cublas=${FIREFLY_LIBCUBLAS:-}
if [ -z "$cublas" ] && ! ldconfig -p 2>/dev/null | grep -qE 'libcublas\.so\.1[123]'; then
  cublas=$(find / -xdev -name 'libcublas.so.1[123]' -not -path '*/stubs/*' 2>/dev/null | sort | tail -1)
fi
row cuBLAS "${cublas:-of the system}"
# What cuBLAS needs lies beside it.
[ -z "$cublas" ] || export FIREFLY_LIBCUBLAS=$cublas LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(dirname "$cublas")"

kernels=(./kernels cuda - "${cublas:--}")
if wants checks; then
  step kernels 120 "${kernels[@]}"
fi

# The program itself, where it is here: losses of runs against the processor's, then how fast it is.
compare() { # NAME SECONDS MODEL STEPS TOLERANCE [KEY=VALUE …]
  step "$1" "$2" python3 compare_runs.py ./firefly "$work/$3" "${@:4}"
}
if [ -x ./firefly ] && wants tiny; then
  step model-tiny 60 python3 model.py "$work/tiny" tiny
  exact=(precision=float32 adam_epsilon=1e-4)
  compare tiny-lora 60 tiny 20 1e-3 "${exact[@]}" train_mode=lora
  compare tiny-full 60 tiny 20 1e-3 "${exact[@]}" train_mode=full
  compare tiny-8bit-moments 60 tiny 20 1e-2 "${exact[@]}" train_mode=full optim=adamw_8bit
  compare tiny-bf16-checkpoints 60 tiny 20 1e-2 "${exact[@]}" train_mode=lora checkpoint_dtype=bfloat16
fi
if [ -x ./firefly ] && wants runs; then
  step model-smollm2 60 python3 model.py "$work/smollm2" smollm2
  compare smollm2-qlora 120 smollm2 20 2e-2
  # float16 with loss scaling on the card, where attention goes through tensor cores, bfloat16 on the processor.
  compare smollm2-float16 120 smollm2 20 2e-2 fp16=true bf16=false
  # All weights, of which the card has no room for moments and master weights.
  compare smollm2-full-moved 120 smollm2 4 2e-2 train_mode=full learning_rate=1e-4 optim=paged_adamw_8bit master_weights=paged \
    gradient_dtype=bfloat16 memory_limit=1100MiB
  for device in cuda cpu; do
    step answer-$device 60 ./firefly generate "$work/smollm2" --device $device --raw --greedy --prompt "What is 3 plus 4?" \
      --max-new-tokens 8 --precision float32 --json
  done
fi
if wants speed; then
  told token 60 ./kernels token - "${cublas:--}"
  told speed 120 ./kernels speed - "${cublas:--}"
fi
if [ -x ./firefly ] && wants speed; then
  bench cuda smollm2 60 --shape smollm2 --rows 8
  bench cuda smollm2-float16 60 --shape smollm2 --rows 8 --only training --precision float16
  bench cuda blocks 60 --shape ziya13b --rows 8 --only training
  bench cuda 13b-generation 120 --shape whole-ziya13b --only generation
  # What a card of 24 GB has room for, and then as it is.
  bench cuda 13b-training-24gb 120 --shape whole-ziya13b --rows 8 --only training --steps 3 --spare-memory
  bench cuda 13b-training 120 --shape whole-ziya13b --rows 8 --only training --steps 3
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

# transformers + PEFT on the same card, where this Python has them.
if wants peer && python3 -c 'import peft, transformers' 2>/dev/null; then
  step peer-smollm2 120 python3 peer.py cuda smollm2 10
  step peer-13b 240 python3 peer.py cuda whole-ziya13b 3
fi
exit $status
