#!/usr/bin/env python3
"""Trains the same preference pairs from the same adapter with Firefly and with TRL's DPOTrainer, and compares the loss
and the reward margin at every step. Exits 1 when a step differs by more than the tolerance.

    python tools/reference/dpo_steps.py --model FOLDER --pairs PAIRS.jsonl --out OUT --firefly .build/release/firefly

FOLDER: a float32 Hugging Face folder (hugging_face_folder.py makes one). Pairs are rows {"prompt", "chosen",
"rejected"} of texts, as the demonstration makes them. LoRA of rank 16 on every linear layer but the head, float32, no
dropout, AdamW, warm-up, clipping at 1, pairs in file order. The initial adapter is Firefly's own, the one it has after
a first step whose learning rate is 0; the reference is the base, and TRL asks it again in every step.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import peft
import torch
from datasets import Dataset
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

RANK, ALPHA, BETA = 16, 16, 0.1
LEARNING_RATE, WARMUP_STEPS = 2e-4, 5
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"


class PreparedTrainer(DPOTrainer):
    """Takes rows of ids as they are, in their order."""

    def _prepare_dataset(self, dataset, *_):
        return dataset

    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def choose_pairs(options: argparse.Namespace, tokenizer) -> tuple[pathlib.Path, list[dict]]:
    """The first steps × accumulation pairs that fit, copied to OUT/pairs.jsonl, and as ids in the template "qwen"."""

    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False).input_ids

    lines, pairs = [], []
    for line in options.pairs.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        user = f"<|im_start|>user\n{row['prompt'].strip()}<|im_end|>\n<|im_start|>assistant\n"
        pair = {"prompt_ids": ids(SYSTEM) + ids(user)} | {
            f"{key}_ids": ids(f"{row[key]}<|im_end|>\n") for key in ("chosen", "rejected")
        }
        if len(pair["prompt_ids"]) + max(len(pair["chosen_ids"]), len(pair["rejected_ids"])) <= options.max_length:
            lines.append(line)
            pairs.append(pair)
        if len(pairs) == options.steps * options.accumulation:
            break
    else:
        raise SystemExit(f"{options.pairs}: only {len(pairs)} pairs fit in {options.max_length} tokens")
    path = options.out / "pairs.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, pairs


def reference_log(options: argparse.Namespace, tokenizer, pairs: list[dict], adapter: pathlib.Path) -> list[dict]:
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    config = peft.LoraConfig.from_pretrained(adapter)
    config.inference_mode = False
    arguments = DPOConfig(
        output_dir=str(options.out / "trl"), beta=BETA, bf16=False, use_cpu=True, report_to="none", max_length=None,
        gradient_checkpointing=False, per_device_train_batch_size=1, gradient_accumulation_steps=options.accumulation,
        max_steps=options.steps, learning_rate=LEARNING_RATE, lr_scheduler_type="constant_with_warmup",
        warmup_steps=WARMUP_STEPS, weight_decay=0.0, max_grad_norm=1.0, optim="adamw_torch", logging_steps=1,
        save_strategy="no", seed=42)  # fmt: skip
    trainer = PreparedTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(pairs), processing_class=tokenizer,
        peft_config=config)
    peft.set_peft_model_state_dict(trainer.model, load_file(adapter / "adapter_model.safetensors"))
    trainer.train()
    return [entry for entry in trainer.state.log_history if "loss" in entry]


def train_firefly(options: argparse.Namespace, pairs: pathlib.Path, steps: int) -> pathlib.Path:
    """Returns the run's folder."""
    folder = options.out / f"firefly_{steps}"
    config = {
        "output_dir": str(folder), "model_name_or_path": str(options.model), "train_file": str(pairs),
        "task_type": "dpo", "template_name": "qwen", "max_seq_length": options.max_length, "train_mode": "lora",
        "precision": "float32", "bf16": True, "beta": BETA, "lora_rank": RANK, "lora_alpha": ALPHA,
        "lora_dropout": 0.0, "shuffle": False, "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": options.accumulation, "max_steps": steps, "learning_rate": LEARNING_RATE,
        "lr_scheduler_type": "constant_with_warmup", "warmup_steps": WARMUP_STEPS, "weight_decay": 0.0,
        "max_grad_norm": 1.0, "optim": "adamw_torch", "gradient_checkpointing": False, "logging_steps": 1,
        "save_strategy": "no", "overwrite_output_dir": True, "seed": 42, "data_cache": "off",
    }  # fmt: skip
    path = options.out / f"firefly_{steps}.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    subprocess.run([options.firefly, "train", path], check=True)
    return folder


def compare(reference: list[dict], firefly: list[dict], tolerance: float) -> bool:
    """Prints each step; margins are compared in the loss's unit. NaN and a missing step fail."""
    if len(reference) != len(firefly):
        print(f"the reference has {len(reference)} steps, Firefly {len(firefly)}")
        return False
    worst, agree = 0.0, True
    for step, (expected, found) in enumerate(zip(reference, firefly), 1):
        loss = abs(found["loss"] - expected["loss"]) / abs(expected["loss"])
        margin = abs(found["rewards/margins"] - expected["rewards/margins"])
        within = loss <= tolerance and margin <= tolerance
        agree = agree and within
        worst = max(worst, loss, margin)
        print(
            f"step {step:3}  loss {expected['loss']:.6f} {found['loss']:.6f} {loss:.1e}  margin "
            f"{expected['rewards/margins']:.6f} {found['rewards/margins']:.6f} {margin:.1e}"
            + ("" if within else "  DIFFERS"))
    print(f"largest difference {worst:.1e}, tolerance {tolerance:.0e}")
    return agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--pairs", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=20, help="at least 2")
    parser.add_argument("--accumulation", type=int, default=2, help="pairs a step")
    parser.add_argument("--max-length", type=int, default=256, help="longer pairs are left out")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()

    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    path, pairs = choose_pairs(options, tokenizer)
    adapter = train_firefly(options, path, steps=1)
    reference = reference_log(options, tokenizer, pairs, adapter)
    state = json.loads((train_firefly(options, path, options.steps) / "trainer_state.json").read_text())
    found = [entry for entry in state["log_history"] if "loss" in entry]
    sys.exit(0 if compare(reference, found, options.tolerance) else 1)


if __name__ == "__main__":
    main()
