#!/usr/bin/env python3
"""Trains the same rows from the same adapter with transformers + PEFT + bitsandbytes and with Firefly, and compares
the loss at every step. Exits 1 when a step differs by more than the tolerance.

    python tools/reference/fifty_steps.py --model FOLDER --out OUT --firefly .build/release/firefly [--rows ROWS.jsonl]

FOLDER: a float32 Hugging Face folder (hugging_face_folder.py makes one). The rows are those of `make demo` by
default. NF4 with double quantization, float32
arithmetic, rank 64, no dropout, AdamW, warm-up, clipping at 0.3, rows in file order. OUT keeps the rows, the
initial adapter, the reference's losses (reused by a second run) and Firefly's run.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

import torch
from transformers import AutoTokenizer, get_scheduler, set_seed

import chat_rows
import qlora

ROOT = pathlib.Path(__file__).resolve().parents[2]
RANK, ALPHA = 64, 16
LEARNING_RATE, WARMUP_STEPS, MAX_GRAD_NORM = 2e-4, 5, 0.3


def choose_rows(options: argparse.Namespace, tokenizer) -> pathlib.Path:
    """The first steps × accumulation rows that fit, copied to OUT/rows.jsonl."""
    chosen = []
    for row in chat_rows.read(options.rows):
        ids, labels = chat_rows.render(row, tokenizer, options.max_length + 1)
        if len(ids) <= options.max_length and chat_rows.target_count(labels) > 0:
            chosen.append(row)
        if len(chosen) == options.steps * options.accumulation:
            break
    else:
        raise SystemExit(f"{options.rows}: only {len(chosen)} rows fit in {options.max_length} tokens")
    path = options.out / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen))
    return path


def reference_losses(options: argparse.Namespace, tokenizer, rows: pathlib.Path) -> list[float]:
    """Also saves the initial adapter (A random, B zero) in OUT/initial_adapter."""
    set_seed(42)
    model = qlora.attach(qlora.load_base(options.model, torch.float32), RANK, ALPHA, dropout=0.0)
    model.save_pretrained(options.out / "initial_adapter")
    model.train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.0)
    schedule = get_scheduler("constant_with_warmup", optimizer, num_warmup_steps=WARMUP_STEPS)
    samples = [chat_rows.render(row, tokenizer, options.max_length) for row in chat_rows.read(rows)]
    losses = []
    for step in range(options.steps):
        batch = samples[step * options.accumulation : (step + 1) * options.accumulation]
        targets = sum(chat_rows.target_count(labels) for _, labels in batch)
        total = 0.0
        for ids, labels in batch:
            loss = chat_rows.loss_sum(model, ids, labels) / targets
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRAD_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(total)
        print(f"reference step {step + 1}: {total:.6f}", flush=True)
    return losses


def firefly_losses(options: argparse.Namespace, rows: pathlib.Path) -> list[float]:
    config = {
        "output_dir": str(options.out / "firefly"), "model_name_or_path": str(options.model),
        "train_file": str(rows), "template_name": "qwen", "max_seq_length": options.max_length,
        "train_mode": "qlora", "precision": "float32", "bf16": True,
        "init_adapter": str(options.out / "initial_adapter"), "lora_rank": RANK, "lora_alpha": ALPHA,
        "lora_dropout": 0.0, "shuffle": False, "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": options.accumulation, "max_steps": options.steps,
        "learning_rate": LEARNING_RATE, "lr_scheduler_type": "constant_with_warmup", "warmup_steps": WARMUP_STEPS,
        "weight_decay": 0.0, "max_grad_norm": MAX_GRAD_NORM, "optim": "paged_adamw_32bit",
        "gradient_checkpointing": True, "logging_steps": 1, "save_steps": options.steps, "seed": 42,
    }  # fmt: skip
    path = options.out / "firefly.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    subprocess.run([options.firefly, "train", path], check=True)
    state = json.loads((options.out / "firefly" / "trainer_state.json").read_text())
    return [entry["loss"] for entry in state["log_history"] if "loss" in entry]


def compare(reference: list[float], firefly: list[float], tolerance: float) -> bool:
    """Prints each step. NaN and a missing step fail."""
    if len(reference) != len(firefly):
        print(f"the reference has {len(reference)} steps, Firefly {len(firefly)}")
        return False
    worst, agree = 0.0, True
    for step, (expected, found) in enumerate(zip(reference, firefly), 1):
        difference = abs(found - expected) / abs(expected)
        within = difference <= tolerance
        agree = agree and within
        worst = difference if math.isnan(difference) else max(worst, difference)
        print(f"step {step:3}  {expected:.6f}  {found:.6f}  {difference:.2e}{'' if within else '  DIFFERS'}")
    print(f"largest relative difference {worst:.2e}, tolerance {tolerance:.0e}")
    return agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=pathlib.Path, default=ROOT / "build/demo/train.jsonl")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--firefly", type=pathlib.Path, help="without it only the reference runs")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--accumulation", type=int, default=1, help="rows a step; the loss is weighted by tokens")
    parser.add_argument("--max-length", type=int, default=256, help="longer rows are left out")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="relative, at each step")
    options = parser.parse_args()

    options.out.mkdir(parents=True, exist_ok=True)
    recorded = options.out / "reference.json"
    settings = {"steps": options.steps, "accumulation": options.accumulation, "max_length": options.max_length,
                "model": str(options.model), "rows": str(options.rows)}  # fmt: skip
    known = json.loads(recorded.read_text()) if recorded.exists() else {}
    if known.get("settings") == settings:
        losses = known["losses"]
    else:
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        losses = reference_losses(options, tokenizer, choose_rows(options, tokenizer))
        recorded.write_text(json.dumps({"settings": settings, "losses": losses}, indent=1) + "\n")
    if options.firefly is not None:
        found = firefly_losses(options, options.out / "rows.jsonl")
        sys.exit(0 if compare(losses, found, options.tolerance) else 1)


if __name__ == "__main__":
    main()
