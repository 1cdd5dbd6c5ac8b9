#!/bin/bash
# The demonstration: builds Firefly, downloads a small chat model, teaches it arithmetic word problems with
# QLoRA on data made here, and measures held-out exact match before and after.
#
#   scripts/demo.sh [key=value]…      for example: scripts/demo.sh max_steps=20
#
# Everything made goes to build/demo; the model is kept in ${XDG_CACHE_HOME:-~/.cache}/firefly.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build/demo
cache=${XDG_CACHE_HOME:-$HOME/.cache}/firefly
say() { printf '\n== %s\n' "$1"; }
fail() {
  printf 'demo: %s\n' "$1" >&2
  exit 1
}

started=$SECONDS
scripts/setup.sh demo

say "Building Firefly (release)"
swift build -c release --product firefly 2>&1 | tail -n 1
swift build -c release --product FireflyDemoData 2>&1 | tail -n 1
bin=$(swift build -c release --show-bin-path)
firefly=$bin/firefly

model=$(scripts/download_model.sh "$cache")
say "Model: $model"

say "Making the data"
mkdir -p "$out"
"$bin/FireflyDemoData" "$out"

settings=()
for setting in model_name_or_path="$model" train_file="$out/train.jsonl" output_dir="$out/run" "$@"; do
  settings+=(--set "$setting")
done

evaluate() { # [--adapter DIR]; the longest reference has 59 tokens, so 128 leave room to think
  "$firefly" eval "$model" --task exact_match --file "$out/test.jsonl" --max-new-tokens 128 "$@"
}

say "Before: held-out problems, exact match"
evaluate | tee "$out/before.txt"

say "Training (QLoRA: 4-bit base, rank 64)"
"$firefly" train demo/config.json "${settings[@]}"

say "After: the same problems"
evaluate --adapter "$out/run" | tee "$out/after.txt"

minutes=$(((SECONDS - started + 30) / 60))
say "Done in about $minutes minutes"
cat <<END
before      $(tail -n 1 "$out/before.txt")
after       $(tail -n 1 "$out/after.txt")
loss curve  $out/run/loss.svg
adapter     $out/run
chat        $firefly chat $model --adapter $out/run
END
