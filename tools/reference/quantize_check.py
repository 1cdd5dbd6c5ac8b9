#!/usr/bin/env python3
"""transformers + bitsandbytes load a folder that `firefly quantize` wrote. They must find in it the codes and scales that
they make of the original themselves, and compute the same logits from both. Exits 1 when they do not.

    python tools/reference/quantize_check.py --model FOLDER --firefly .build/release/firefly [--out DIR]

FOLDER: a Hugging Face folder in 16 or 32 bits.
"""

import argparse
import pathlib
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

TEXTS = ["The capital of France is Paris, and", "小明有 24 颗糖，平均分给 6 个朋友。"]


def load(folder: pathlib.Path, **options):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, **options).eval()


def differing_parts(found, expected) -> list[str]:
    """Names of parameters and quantization states that are not bit for bit the same."""
    pairs = dict(expected.named_parameters())
    wrong = []
    for name, weight in found.named_parameters():
        other = pairs[name]
        if not torch.equal(weight.data, other.data):
            wrong.append(name)
        if (state := getattr(weight, "quant_state", None)) is not None:
            mine, theirs = state.as_dict(packed=True), other.quant_state.as_dict(packed=True)
            wrong += [f"{name}.{key}" for key, value in theirs.items()
                      if "bitsandbytes__nf4" not in key and not torch.equal(mine[key], value)]  # fmt: skip
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/quantized"))
    parser.add_argument("--tolerance", type=float, default=0, help="of the logits")
    options = parser.parse_args()
    command = [options.firefly, "quantize", options.model, options.out, "--overwrite", "--shard-size", "50MB"]
    subprocess.run([str(part) for part in command], check=True)
    found = load(options.out)
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                bnb_4bit_compute_dtype=torch.bfloat16)  # fmt: skip
    expected = load(options.model, quantization_config=config)
    wrong = differing_parts(found, expected)
    tokenizer = AutoTokenizer.from_pretrained(options.out)
    worst = 0.0
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            difference = (found(ids).logits.float() - expected(ids).logits.float()).abs().max().item()
        worst = difference if difference != difference else max(worst, difference)
    quantized = sum(hasattr(weight, "quant_state") for weight in found.parameters())
    print(f"{quantized} matrices in 4 bits; {len(wrong)} parts differ; largest logit difference {worst:g}")
    if wrong or not worst <= options.tolerance or quantized == 0:
        sys.exit("\n".join(["not the same:"] + wrong[:10]))


if __name__ == "__main__":
    main()
