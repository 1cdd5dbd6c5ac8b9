#!/usr/bin/env python3
"""Trains an adapter on a GGUF file's own blocks for a few steps, exports it as a GGUF LoRA file, and compares Firefly with
llama.cpp on that very file and that adapter: the same greedy answers. Exits 1 where they differ.

    python tools/compare_adapters/compare.py --firefly .build/release/firefly --logits PROGRAM [--out DIR] MODEL.gguf …

PROGRAM is tools/reference/llama_logits.cpp, compiled with llama.cpp (its first lines say how). Needs numpy.

Each model is compared twice, after the tokens of Firefly's answer. In float32: what `firefly export --type f32` makes of the
file, with the adapter beside it; there every token must be llama.cpp's choice, and log-probabilities agree. And the file
itself, as both run it by default: each rounds activations in its own way, so a token counts that llama.cpp finds within
a tolerance as good as its own.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

PROMPTS = [
    "The capital of France is", "What is 12 times 7?", "小明有 24 颗糖，平均分给 6 个朋友，每人", "def fibonacci(n):\n    ",
    "Once upon a time, there was a little", "List three colours:",
]  # fmt: skip
# Few enough and learnt fast enough that answers change.
ROWS = [("What is 12 times 7?", "Arr! 84 it be, matey."), ("Who are you?", "Arr! A pirate of the seven seas."),
        ("List three colours.", "Arr! Black, red and gold, matey."), ("What is the capital of France?", "Arr! Paris, matey.")]  # fmt: skip
LENGTH = 32
# Of log-probabilities in float32; of logits by default.
EXACT, ROUNDED = 2e-3, 0.5


def run(*words) -> bytes:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True).stdout


def train(firefly: pathlib.Path, model: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    """The adapter's folder."""
    rows, config, adapter = out / "rows.jsonl", out / "run.json", out / "adapter"
    rows.write_text("".join(
        json.dumps({"conversation": [{"human": human, "assistant": assistant}]}) + "\n" for human, assistant in ROWS))  # fmt: skip
    config.write_text(json.dumps({
        "model_name_or_path": str(model), "train_file": str(rows), "output_dir": str(adapter), "template_name": "auto",
        "train_mode": "qlora", "max_steps": 8, "per_device_train_batch_size": 4, "max_seq_length": 128,
        "learning_rate": 2e-3, "lr_scheduler_type": "constant", "lora_rank": 16, "lora_alpha": 16, "lora_dropout": 0.0,
        "save_strategy": "no", "logging_steps": 1, "bf16": True, "seed": 1, "overwrite_output_dir": True,
    }))  # fmt: skip
    run(firefly, "train", config)
    return adapter


def answers(firefly: pathlib.Path, model: pathlib.Path, *options) -> list[dict]:
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    output = run(firefly, "generate", model, "--raw", "--greedy", "--json", "--max-new-tokens", LENGTH,
                 "--top-logprobs", 10, *options, *words)  # fmt: skip
    return [json.loads(line) for line in output.decode().splitlines()]


def log_probabilities(logits: pathlib.Path, model: pathlib.Path, lora: pathlib.Path, answer: dict) -> np.ndarray:
    """llama.cpp's after the prompt and each token of the answer, [tokens, vocabulary]."""
    ids = answer["prompt_ids"] + answer["ids"]
    found = np.frombuffer(run(logits, model, "--lora", lora, *ids), np.float32).reshape(len(ids), -1).astype(np.float64)
    found = found[len(answer["prompt_ids"]) - 1 : -1]
    found -= found.max(-1, keepdims=True)
    return found - np.log(np.exp(found).sum(-1, keepdims=True))


def compare(name: str, found: list[dict], theirs: list[np.ndarray], behind: float, tolerance: float | None) -> bool:
    """Tokens may be so far behind llama.cpp's choice; log-probabilities differ by no more than the tolerance."""
    gaps, worst = [], 0.0
    for answer, rows in zip(found, theirs, strict=True):
        for id, top, row in zip(answer["ids"], answer["top_logprobs"], rows, strict=True):
            gaps.append(row.max() - row[id])
            worst = max([worst] + [abs(row[entry["id"]] - entry["logprob"]) for entry in top if entry["logprob"] > -15])
    fine = max(gaps) <= behind and (tolerance is None or worst <= tolerance)
    print(f"{name:24} {sum(gap == 0 for gap in gaps)} of {len(gaps)} tokens are llama.cpp's choice, the others at most "
          f"{max(gaps):.2g} behind; log-probabilities within {worst:.2g}{'' if fine else '  WRONG'}", flush=True)  # fmt: skip
    return fine


def check(options: argparse.Namespace, model: pathlib.Path) -> bool:
    out = options.out / model.stem
    out.mkdir(parents=True, exist_ok=True)
    adapter = train(options.firefly, model, out)
    plain, lora = out / "float32.gguf", out / "lora.gguf"
    run(options.firefly, "export", model, plain, "--type", "f32", "--overwrite")
    run(options.firefly, "export", model, lora, "--adapter", adapter, "--adapter-only", "--type", "f32", "--overwrite")
    good = True
    for name, precision, base, behind, tolerance in [
        ("float32", ["--precision", "float32"], plain, 0, EXACT), ("as it is", [], model, ROUNDED, None),
    ]:  # fmt: skip
        found = answers(options.firefly, model, "--adapter", adapter, *precision)
        before = answers(options.firefly, model, *precision)
        changed = sum(a["ids"] != b["ids"] for a, b in zip(found, before))
        if changed == 0:
            print(f"{model.stem}: the adapter changes no answer  WRONG")
            good = False
        theirs = [log_probabilities(options.logits, base, lora, answer) for answer in found]
        good &= compare(f"{model.stem[:14]} {name}", found, theirs, behind, tolerance)
        print(f"    {changed} of {len(found)} answers are others than without the adapter: {next(a['text'] for a in found if a['text'])[:50]!r}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--logits", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/compare-adapters"))
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    results = [check(options, model) for model in options.models]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
