#!/bin/bash
# The checks of a processor that is not here, where nothing is compiled: this folder's programs, put together by
# tools/machine_check/bundle.sh on another machine. Prints one table; all that the programs say goes to $OUT (a folder;
# ./processor_check_out).
#
#   ./processor.sh [tiles|answers|generation|training|peer|limits …]     these parts, by default all, cheap proofs first
#
# It ends after $LIMIT seconds (200): what there was no time for is left out, and said. What is measured with two threads runs on the
# processors $TWO (0,2: neighbours are often the threads of one core).
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-processor_check_out}
LIMIT=${LIMIT:-200}
TWO=${TWO:-0,2}
parts=${*:-tiles answers generation training peer limits}
. ./steps.sh
export CUDA_VISIBLE_DEVICES=  # a card has nothing to do here
export PYTHONPATH=$PWD/peers${PYTHONPATH:+:$PYTHONPATH}
two=(taskset -c "$TWO")

lscpu >"$OUT/lscpu.txt"
row processor "$(sed -n 's/^Model name: *//p' "$OUT/lscpu.txt"), $(nproc) threads"
RESULT=^kernels step environment 20 ./firefly env

if wants tiles; then
  step tiles 30 ./tiles
fi

# A model of random weights, and its answers with every table that this processor has: in float32, where all agree.
if wants answers || wants generation; then
  step model-smollm2 60 python3 model.py "$work/smollm2" smollm2
fi
if wants answers; then
  for isa in $(sed -n 's/^kernels .*runs \(.*\))/\1/p' "$OUT/environment.txt" | tr -d ,); do
    FIREFLY_ISA=$isa step "answer-$isa" 30 ./firefly generate "$work/smollm2" --device cpu --raw --greedy --prompt "What is 3 plus 4?" \
      --max-new-tokens 8 --precision float32 --json
  done
  if [ "$(cat "$OUT"/answer-*.txt | sort -u | wc -l)" = 1 ]; then
    row answers "the same by every table"
  else
    row answers "DIFFERENT"
    status=1
  fi
fi

# Beside llama.cpp, in turns.
if wants generation && [ -x llama-bench ]; then
  step export 60 ./firefly export "$work/smollm2" "$work/smollm2.gguf" --type q4_0
  llama=(python3 native.py --gguf "$work/smollm2.gguf" --llama . --firefly ./firefly --rounds 2)
  told generation-two 60 "${two[@]}" "${llama[@]}" --threads 2
  told generation-all 60 "${llama[@]}"
fi

# Training: one row with two threads, then what transformers + PEFT are measured with.
if wants training; then
  on=("${two[@]}")
  bench cpu smollm2-two 40 --shape smollm2 --only training --steps 3
  bench cpu blocks-two 40 --shape ziya13b --only training --steps 2
  on=()
  bench cpu smollm2-all 40 --shape smollm2 --only training --steps 3 --rows 2
  bench cpu blocks-all 40 --shape ziya13b --only training --steps 3
fi
if wants peer && python3 -c 'import peft, transformers' 2>/dev/null; then
  told peer-smollm2-all 60 python3 peer.py cpu smollm2 2 2
fi

if wants limits; then
  on=("${two[@]}")
  bench cpu attention 40 --only attention
fi
exit $status
