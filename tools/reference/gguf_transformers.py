#!/usr/bin/env python3
"""transformers against llama.cpp on what `firefly export` writes: tiny random models of the families that transformers
has and llama.cpp too. Exits 1 where the log-probabilities of a text differ.

    python tools/reference/gguf_transformers.py --firefly .build/release/firefly --logits PROGRAM [--only NAME …]

PROGRAM is llama_logits.cpp beside this file, compiled with llama.cpp (its first lines say how). Needs torch, transformers.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "Tests/CLITests/Fixtures/model"
SIZES = {
    "vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 5, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256, "bos_token_id": 0, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
FAMILIES = {
    "llama": {}, "qwen2": {"layer_types": None}, "qwen3": {}, "gemma": {}, "olmo2": {},
    "granite": {"embedding_multiplier": 6.0, "residual_multiplier": 0.22, "attention_multiplier": 0.1,
                "logits_scaling": 8.0},
    "smollm3": {}, "phi3": {"partial_rotary_factor": 0.75, "sliding_window": None},
    "glm4": {"partial_rotary_factor": 0.5, "attention_bias": True}, "ernie4_5": {},
    "seed_oss": {"attention_bias": True}, "hunyuan_v1_dense": {},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen2_moe": {"num_experts": 6, "num_experts_per_tok": 3, "moe_intermediate_size": 32,
                  "shared_expert_intermediate_size": 64, "head_dim": None, "norm_topk_prob": False},
    "qwen3_moe": {"num_experts": 6, "num_experts_per_tok": 3, "moe_intermediate_size": 32, "norm_topk_prob": True},
}  # fmt: skip

# llama.cpp looks GELU up in a table of float16.
TOLERANCES = {"gemma": 0.01}


def write(family: str, folder: pathlib.Path) -> torch.nn.Module:
    """A model whose norms are not all ones."""
    members = {key: value for key, value in (SIZES | FAMILIES[family]).items() if value is not None}
    config = transformers.AutoConfig.for_model(family, **members)
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = torch.randn_like(weight) * (0.2 if weight.dim() == 1 else 0.15)
            weight.copy_(spread + (1 if "norm" in name and "gemma" not in family else 0))
    model.save_pretrained(folder)
    for path in TOKENIZER.glob("tokenizer*"):
        shutil.copy(path, folder)
    return model


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", required=True)
    parser.add_argument("--logits", required=True)
    parser.add_argument("--only", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    options = parser.parse_args()
    ids = [(number * 37 + number * number) % 317 for number in range(40)]
    good = True
    for family in options.only:
        with tempfile.TemporaryDirectory() as scratch:
            folder, file = pathlib.Path(scratch) / "model", pathlib.Path(scratch) / "model.gguf"
            model = write(family, folder)
            with torch.no_grad():
                expected = log_probabilities(model(torch.tensor([ids])).logits[0].numpy())
            try:
                command = [options.firefly, "export", folder, file, "--type", "f32"]
                subprocess.run([str(word) for word in command], check=True, capture_output=True)
                command = [options.logits, str(file), *map(str, ids)]
                found = subprocess.run(command, check=True, capture_output=True).stdout
            except subprocess.CalledProcessError as error:
                print(f"{family:18} {error.stderr.decode().strip()}  WRONG", flush=True)
                good = False
                continue
            worst = np.abs(log_probabilities(np.frombuffer(found, np.float32).reshape(len(ids), -1)) - expected).max()
            fine = worst <= TOLERANCES.get(family, 1e-4)
            good &= fine
            print(f"{family:18} largest difference {worst:.2g} of {np.ptp(expected):.0f}{'' if fine else '  WRONG'}", flush=True)
    if not good:
        sys.exit("not the same")


if __name__ == "__main__":
    main()
