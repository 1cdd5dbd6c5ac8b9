#!/usr/bin/env python3
"""transformers loads what `firefly merge` wrote; its logits must be those of the base under the adapter (PEFT), the base
as it is and, with --onto nf4, with the blocks' matrices put through bitsandbytes' quantize_4bit and dequantize_4bit.
Everything in float32. Exits 1 beyond the tolerance.

    python tools/reference/merge_check.py --model FOLDER --firefly .build/release/firefly [--adapter DIR] [--out DIR]

FOLDER: a Hugging Face folder in float32. Without --adapter, one with random A and B on every linear layer is made.
"""

import argparse
import gc
import pathlib
import subprocess
import sys

import bitsandbytes.functional as bnb
import peft
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["The capital of France is Paris, and", "小明有 24 颗糖，平均分给 6 个朋友，每人几颗？"]


def load(folder: pathlib.Path, nf4: bool = False):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for name, module in model.named_modules():
        if nf4 and isinstance(module, torch.nn.Linear) and name != "lm_head":
            codes, state = bnb.quantize_4bit(module.weight.data, blocksize=64, compress_statistics=True,
                                             quant_type="nf4")  # fmt: skip
            module.weight.data = bnb.dequantize_4bit(codes, state)
    return model


def logits(model, folder: pathlib.Path) -> list[torch.Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        return [model(**tokenizer(text, return_tensors="pt")).logits[0].float() for text in TEXTS]


def make_adapter(model: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    torch.manual_seed(5)
    adapted = peft.get_peft_model(load(model), peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear",
                                                               task_type="CAUSAL_LM"))  # fmt: skip
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.01)
    adapted.save_pretrained(out / "adapter")
    return out / "adapter"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--adapter", type=pathlib.Path)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/merged"))
    parser.add_argument("--tolerance", type=float, default=2e-3, help="of the logits")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    adapter = options.adapter or make_adapter(options.model, options.out)
    base = logits(load(options.model), options.model)
    good = True
    for onto in ("original", "nf4"):
        merged = options.out / onto
        command = [options.firefly, "merge", options.model, adapter, merged, "--onto", onto, "--precision", "float32",
                   "--overwrite"]  # fmt: skip
        subprocess.run([str(part) for part in command], check=True)
        expected = logits(peft.PeftModel.from_pretrained(load(options.model, onto == "nf4"), adapter).eval(), merged)
        gc.collect()
        found = logits(load(merged), merged)
        worst = max((a - b).abs().max().item() for a, b in zip(found, expected))
        moved = max((a - b).abs().max().item() for a, b in zip(base, expected))
        print(f"{onto}: largest logit difference {worst:.2g} (the adapter moves logits by up to {moved:.2g})")
        good &= worst <= options.tolerance < moved
    if not good:
        sys.exit("not the same")


if __name__ == "__main__":
    main()
