#!/usr/bin/env python3
"""Writes Tests/ModelsTests/Fixtures/tables: adapters whose base has other tables, embedding and head, than its files: tokens
were added before training, rows of some tokens are trained by themselves, or PEFT takes a tied head and its embedding apart.

    python tools/reference/table_fixtures.py

base_own and base_tied: tiny models with a head of their own and with a tied one. NAME/: what PEFT's save_pretrained wrote for
the case. expected.safetensors: the case's logits, gradients where it trains modules whole, and the rows that transformers'
resize_token_embeddings made. cases.json: for each case the base, the rows, and the losses of some steps of plain SGD.
"""

import json
import pathlib
import shutil
import warnings

import peft
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

import manifest

OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/ModelsTests/Fixtures/tables"
ROWS = 24  # of the base's tables
STEPS, RATE = 4, 0.5

BOTH = {"modules_to_save": ["embed_tokens", "lm_head"]}
CASES = {
    "own_both": ("own", 27, BOTH),
    "own_embedding": ("own", 27, {"modules_to_save": ["embed_tokens"]}),
    "own_rows": ("own", 27, {}),
    "own_shrunk": ("own", 21, BOTH),
    "own_tokens": ("own", 27, {"trainable_token_indices": [24, 25, 26]}),
    "own_tokens_by_name": ("own", 27, {"trainable_token_indices": {"embed_tokens": [3, 24], "lm_head": [25]}}),
    "own_pair_on_head": ("own", 27, {"target_modules": ["q_proj", "lm_head"]}),
    "tied_both": ("tied", 27, BOTH),
    "tied_embedding": ("tied", ROWS, {"modules_to_save": ["embed_tokens"]}),
    "tied_head": ("tied", ROWS, {"modules_to_save": ["lm_head"]}),
    "tied_together": ("tied", 27, {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}),
    "tied_rows": ("tied", 27, {}),
    "tied_tokens": ("tied", ROWS, {"trainable_token_indices": [3, 7]}),
    "tied_tokens_of_both": ("tied", ROWS, {"trainable_token_indices": {"embed_tokens": [3, 7], "lm_head": [3, 7]}}),
    "tied_tokens_by_name": ("tied", 27, {"trainable_token_indices": {"embed_tokens": [3, 24], "lm_head": [25]}}),
}  # fmt: skip


def write_base(name: str) -> None:
    torch.manual_seed(len(name))
    config = LlamaConfig(
        vocab_size=ROWS, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, tie_word_embeddings=name == "tied", pad_token_id=None)  # fmt: skip
    model = LlamaForCausalLM(config)
    for value in model.parameters():
        if value.dim() == 2:
            torch.nn.init.normal_(value, std=0.2)
    model.save_pretrained(OUT / f"base_{name}")
    (OUT / f"base_{name}/generation_config.json").unlink(missing_ok=True)


def loss(model, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and the mean over what each token but the first is predicted with."""
    logits = model(input_ids=tokens).logits[0]
    return logits, torch.nn.functional.cross_entropy(logits[:-1], tokens[0, 1:])


def run(name: str, expected: dict) -> dict:
    base, rows, options = CASES[name]
    folder = OUT / f"base_{base}"
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    if rows != ROWS:
        model.resize_token_embeddings(rows)
        if name in ("own_rows", "tied_rows"):
            expected[f"{name}.rows"] = model.get_input_embeddings().weight[ROWS:].detach().clone()
    if name == "own_pair_on_head":  # PEFT saves the head's new rows alone: those of the embedding must follow from the base
        table = model.get_input_embeddings().weight.data
        table[ROWS:] = table[:ROWS].mean(0)
    config = peft.LoraConfig(r=2, lora_alpha=4, task_type="CAUSAL_LM", **({"target_modules": ["q_proj"]} | options))
    model = peft.get_peft_model(model, config)
    generator = torch.Generator().manual_seed(11)
    trained = {key: value for key, value in model.named_parameters() if value.requires_grad}
    for value in trained.values():
        value.data += 0.2 * torch.randn(value.shape, generator=generator)
    model.save_pretrained(OUT / name)
    (OUT / name / "README.md").unlink()
    written = json.loads((OUT / name / "adapter_config.json").read_text())
    written["base_model_name_or_path"] = f"../base_{base}"
    written["target_modules"] = sorted(written["target_modules"])
    (OUT / name / "adapter_config.json").write_text(json.dumps(written, indent=2) + "\n")

    tokens = torch.tensor([[1, 3, 20, rows - 1, 7, 3, rows - 2, 5, rows - 3, 2]])
    logits, _ = loss(model, tokens)
    expected[f"{name}.logits"] = logits.detach().contiguous()
    case = {"base": base, "rows": rows, "tokens": tokens[0].tolist()}
    if "trainable_token_indices" in options:
        return case
    losses = []
    for step in range(STEPS):
        model.zero_grad()
        _, value = loss(model, tokens)
        value.backward()
        losses.append(value.item())
        for key, parameter in trained.items():
            if step == 0:
                short = key.replace(".default", "").replace(".modules_to_save", "")
                expected[f"{name}.gradient.{short}"] = parameter.grad.detach().clone()
            parameter.data -= RATE * parameter.grad
    return case | {"losses": losses}


def main() -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    for name in ("own", "tied"):
        write_base(name)
    expected: dict = {}
    cases = {name: run(name, expected) for name in CASES}
    save_file(expected, OUT / "expected.safetensors")
    (OUT / "cases.json").write_text(json.dumps({"rate": RATE, "cases": cases}, indent=1) + "\n")
    manifest.write(OUT, "tools/reference/table_fixtures.py", ["torch", "transformers", "peft", "safetensors"])
    for name, case in cases.items():
        print(name, case.get("losses"))


if __name__ == "__main__":
    main()
