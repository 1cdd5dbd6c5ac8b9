#!/usr/bin/env python3
"""Trains the same rows from the same adapter with Firefly and with transformers + PEFT + bitsandbytes, and compares
the loss at every step. Exits 1 when a step differs by more than the tolerance.

    python tools/reference/fifty_steps.py --model FOLDER --out OUT --firefly .build/release/firefly [--rows ROWS.jsonl] [--full]

FOLDER: a float32 Hugging Face folder (hugging_face_folder.py makes one). The rows are those of `make demo` by
default. NF4 with double quantization, float32 arithmetic, rank 64, no dropout, AdamW, warm-up, clipping at 0.3, rows
in file order. The initial adapter is Firefly's own (A random, B zero): the one it has after a first step, whose
learning rate is 0; PEFT loads it. OUT keeps the rows, that adapter, both runs' losses and Firefly's run; the
reference is not run again while it would start from the same.

With --gguf FILE, of which FOLDER holds the weights decoded, Firefly trains on the file's own blocks and PEFT on the folder,
nothing being quantised.

With --full all weights are trained in float32, with the weight decay of transformers' Trainer and its choice of what decays.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

import peft
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, get_scheduler

import chat_rows
import manifest
import qlora

ROOT = pathlib.Path(__file__).resolve().parents[2]
RANK, ALPHA = 64, 16
LEARNING_RATE, WARMUP_STEPS, MAX_GRAD_NORM = 2e-4, 5, 0.3
FULL_LEARNING_RATE, FULL_WEIGHT_DECAY = 2e-5, 0.1


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


def adapted_model(options: argparse.Namespace, adapter: pathlib.Path):
    if options.gguf:
        base = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    else:
        base = peft.prepare_model_for_kbit_training(qlora.load_base(options.model, torch.float32))
    model = peft.PeftModel.from_pretrained(base, adapter, is_trainable=True)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return model, torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.0)


def full_model(options: argparse.Namespace):
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    decayed = set(Trainer.get_decay_parameter_names(None, model))
    groups = [
        {"params": [value for name, value in model.named_parameters() if (name in decayed) == decays],
         "weight_decay": FULL_WEIGHT_DECAY if decays else 0.0}
        for decays in (True, False)]  # fmt: skip
    return model, torch.optim.AdamW(groups, lr=FULL_LEARNING_RATE)


def reference_losses(
    options: argparse.Namespace, tokenizer, rows: pathlib.Path, adapter: pathlib.Path | None
) -> list[float]:
    model, optimizer = adapted_model(options, adapter) if adapter else full_model(options)
    model.train()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
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


def train_firefly(options: argparse.Namespace, rows: pathlib.Path, steps: int) -> pathlib.Path:
    """Returns the run's folder."""
    folder = options.out / f"firefly_{steps}"
    config = {
        "output_dir": str(folder), "model_name_or_path": str(options.gguf or options.model), "train_file": str(rows),
        "template_name": "qwen", "max_seq_length": options.max_length, "train_mode": "full" if options.full else "qlora",
        "precision": "float32", "bf16": True, "lora_rank": RANK, "lora_alpha": ALPHA, "lora_dropout": 0.0,
        "shuffle": False, "per_device_train_batch_size": 1, "gradient_accumulation_steps": options.accumulation,
        "max_steps": steps, "learning_rate": FULL_LEARNING_RATE if options.full else LEARNING_RATE,
        "lr_scheduler_type": "constant_with_warmup", "warmup_steps": WARMUP_STEPS,
        "weight_decay": FULL_WEIGHT_DECAY if options.full else 0.0, "max_grad_norm": MAX_GRAD_NORM,
        "optim": "paged_adamw_32bit", "gradient_checkpointing": True, "logging_steps": 1, "save_strategy": "no",
        "overwrite_output_dir": True, "seed": 42,
    }  # fmt: skip
    path = options.out / f"firefly_{steps}.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    subprocess.run([options.firefly, "train", path], check=True)
    return folder


def initial_adapter(options: argparse.Namespace, rows: pathlib.Path) -> pathlib.Path:
    folder = train_firefly(options, rows, steps=1)
    tensors = load_file(folder / "adapter_model.safetensors")
    for name, tensor in tensors.items():
        if bool(tensor.any()) == ("lora_B" in name):
            raise SystemExit(f"{folder}: {name}: a step at learning rate 0 must leave A random and B zero")
    return folder


def firefly_losses(folder: pathlib.Path) -> list[float]:
    state = json.loads((folder / "trainer_state.json").read_text())
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
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=50, help="at least 2")
    parser.add_argument("--accumulation", type=int, default=1, help="rows a step; the loss is weighted by tokens")
    parser.add_argument("--max-length", type=int, default=256, help="longer rows are left out")
    parser.add_argument("--gguf", type=pathlib.Path, help="train on this file's own blocks")
    parser.add_argument("--full", action="store_true", help="train all weights")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="relative, at each step")
    options = parser.parse_args()

    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    rows = choose_rows(options, tokenizer)
    adapter = None if options.full else initial_adapter(options, rows)
    recorded = options.out / "reference.json"
    settings = {"steps": options.steps, "accumulation": options.accumulation, "model": str(options.model), "gguf": str(options.gguf),
                "max_length": options.max_length, "rows": manifest.sha256(rows),
                "adapter": manifest.sha256(adapter / "adapter_model.safetensors") if adapter else None}  # fmt: skip
    known = json.loads(recorded.read_text()) if recorded.exists() else {}
    if known.get("settings") == settings:
        losses = known["losses"]
    else:
        losses = reference_losses(options, tokenizer, rows, adapter)
        recorded.write_text(json.dumps({"settings": settings, "losses": losses}, indent=1) + "\n")
    found = firefly_losses(train_firefly(options, rows, options.steps))
    sys.exit(0 if compare(losses, found, options.tolerance) else 1)


if __name__ == "__main__":
    main()
