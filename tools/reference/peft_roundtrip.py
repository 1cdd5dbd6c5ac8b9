#!/usr/bin/env python3
"""PEFT loads an adapter that Firefly saved, and must find the log-probabilities that `firefly generate` printed.
Exits 1 when one differs by more than the tolerance.

    python tools/reference/peft_roundtrip.py --model FOLDER --adapter DIR --firefly .build/release/firefly [--nf4]

FOLDER: a Hugging Face folder. Both sides compute in float32, greedily.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import bitsandbytes
import peft
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

import qlora

PROMPTS = [
    "Tom has 12 apples. He gives 5 to Ann and buys 9 more. How many apples does he have?",
    "小明有 24 颗糖，平均分给 6 个朋友，每人几颗？",
    "Say hello.",
]


def firefly_answers(options: argparse.Namespace) -> list[dict]:
    command = [options.firefly, "generate", options.model, "--adapter", options.adapter, "--greedy", "--json",
               "--top-logprobs", "10", "--max-new-tokens", str(options.tokens), "--precision", "float32",
               "--quantize", "nf4" if options.nf4 else "none"]  # fmt: skip
    for prompt in PROMPTS:
        command += ["--prompt", prompt]
    output = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def largest_difference(model, answer: dict) -> float:
    """Over every token and log-probability listed: |Firefly − PEFT|."""
    prompt, ids = answer["prompt_ids"], answer["ids"]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + ids])).logits[0]
    expected = torch.log_softmax(logits[len(prompt) - 1 : -1].float(), dim=-1)  # [answer, V]
    if len(answer["top_logprobs"]) != len(ids) or not ids:
        raise SystemExit(f"{len(ids)} tokens, {len(answer['top_logprobs'])} lists of log-probabilities")
    differences = [
        abs(entry["logprob"] - row[entry["id"]].item())
        for row, step in zip(expected, answer["top_logprobs"]) for entry in step
    ]  # fmt: skip
    return max(differences, key=lambda value: float("inf") if value != value else value)  # NaN is the worst


def resize(base, adapter: pathlib.Path) -> None:
    """As many rows as the tables that the adapter brings: PEFT leaves that to its user."""
    with safe_open(adapter / "adapter_model.safetensors", "pt") as tensors:
        for name in tensors.keys():
            if ("embed_tokens" in name or "lm_head" in name) and name.endswith(".weight") and "lora_" not in name:
                base.resize_token_embeddings(tensors.get_slice(name).get_shape()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--adapter", type=pathlib.Path, required=True)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--nf4", action="store_true", help="hold the base as NF4 on both sides")
    parser.add_argument("--tokens", type=int, default=24, help="of each answer")
    parser.add_argument("--tolerance", type=float, default=2e-3, help="of a log-probability, absolute")
    options = parser.parse_args()

    answers = firefly_answers(options)
    if len(answers) != len(PROMPTS):
        raise SystemExit(f"{len(PROMPTS)} prompts, {len(answers)} answers")
    if options.nf4:
        base = qlora.load_base(options.model, torch.float32)
    else:
        base = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    resize(base, options.adapter)
    model = peft.PeftModel.from_pretrained(base, options.adapter).eval()
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.train()  # out of training, bitsandbytes 0.50 repacks on the CPU and multiplies in bfloat16
    agree = True
    for prompt, answer in zip(PROMPTS, answers):
        difference = largest_difference(model, answer)
        within = difference <= options.tolerance
        agree = agree and within
        print(f"{difference:.1e}{'' if within else '  DIFFERS'}  {prompt}\n         {answer['text']!r}")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
