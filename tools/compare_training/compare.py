#!/usr/bin/env python3
"""QLoRA training speed and peak memory: Firefly against transformers + PEFT + bitsandbytes on this machine, one
after the other, on the same folder and rows in the same order. A step is --batch rows; rank 64, alpha 16, dropout
0.05, every linear layer, NF4 with double quantization, gradient checkpointing, bf16.

    python tools/compare_training/compare.py --model FOLDER --firefly .build/release/firefly [--rows ROWS.jsonl]

The rows are those of `make demo` by default; their turns are joined until they fill --length tokens, or with
--real they stay as they are, cut at --length, and the Python stack pads a batch to its longest row. Speeds count real
tokens, without padding. Those of the Python stack leave its first step out; Firefly's count all steps. Peak memory is
the process's largest resident set.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reference"))
import chat_rows  # noqa: E402


def make_rows(options: argparse.Namespace, out: pathlib.Path) -> pathlib.Path:
    """--batch rows a step: as they are, or each of at least --length tokens, turns joined to long conversations."""
    count = options.steps * options.batch
    if options.real:
        return write_rows([row for row, _ in zip(chat_rows.read(options.rows), range(count))], count, options, out)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    turns = (turn for row in chat_rows.read(options.rows) for turn in row["conversation"])
    long_rows, conversation = [], []
    for turn in turns:
        conversation.append(turn)
        ids, _ = chat_rows.render({"conversation": conversation}, tokenizer, options.length)
        if len(ids) == options.length:
            long_rows.append({"conversation": conversation})
            conversation = []
            if len(long_rows) == count:
                break
    return write_rows(long_rows, count, options, out)


def write_rows(rows: list[dict], count: int, options: argparse.Namespace, out: pathlib.Path) -> pathlib.Path:
    if len(rows) < count:
        raise SystemExit(f"{options.rows}: {len(rows)} of the {count} rows needed only")
    path = out / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def run(command: list[str]) -> tuple[str, int]:
    """Standard output, and the peak resident set in bytes of that process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return output, usage.ru_maxrss * 1024


def hugging_face(options: argparse.Namespace, rows: pathlib.Path) -> tuple[float, int]:
    command = [sys.executable, HERE / "hugging_face.py", options.model, rows, options.length, options.batch]
    output, peak = run([str(part) for part in command])
    result = json.loads(output.strip().splitlines()[-1])
    return sum(result["step_tokens"][1:]) / sum(result["step_seconds"][1:]), peak


def firefly(options: argparse.Namespace, rows: pathlib.Path, out: pathlib.Path) -> tuple[float, int]:
    config = {
        "output_dir": str(out / "firefly"), "model_name_or_path": str(options.model), "train_file": str(rows),
        "template_name": "qwen", "max_seq_length": options.length, "train_mode": "qlora", "bf16": True,
        "per_device_train_batch_size": options.batch, "shuffle": False, "gradient_accumulation_steps": 1, "max_steps": options.steps,
        "lora_rank": 64, "lora_alpha": 16, "lora_dropout": 0.05, "gradient_checkpointing": True,
        "learning_rate": 2e-4, "lr_scheduler_type": "constant_with_warmup", "warmup_steps": 2,
        "max_grad_norm": 0.3, "optim": "paged_adamw_32bit", "logging_steps": 1, "save_strategy": "no",
        "seed": 42,
    }  # fmt: skip
    path = out / "firefly.json"
    path.write_text(json.dumps(config))
    _, peak = run([str(options.firefly), "train", str(path)])
    results = json.loads((out / "firefly" / "train_results.json").read_text())
    return results["train_tokens_per_second"], peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a bf16 Hugging Face folder")
    parser.add_argument("--rows", type=pathlib.Path, default=HERE.parents[1] / "build/demo/train.jsonl")
    parser.add_argument("--firefly", type=pathlib.Path, help="without it only the other side is measured")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=1, help="rows of a step")
    parser.add_argument("--real", action="store_true", help="rows as they are")
    parser.add_argument("--length", type=int, default=1024)
    options = parser.parse_args()
    if options.steps < 2:
        parser.error("--steps: at least 2, the first is not counted")

    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        rows = make_rows(options, out)
        theirs, their_peak = hugging_face(options, rows)
        print(f"transformers + PEFT + bitsandbytes  {theirs:8.1f} tok/s  peak {their_peak / 2**20:7.0f} MiB", flush=True)
        if options.firefly is None:
            return
        ours, our_peak = firefly(options, rows, out)
        print(f"Firefly                             {ours:8.1f} tok/s  peak {our_peak / 2**20:7.0f} MiB")
        print(f"Firefly is {ours / theirs:.2f} times as fast, with {our_peak / their_peak:.2f} of the memory")


if __name__ == "__main__":
    main()
