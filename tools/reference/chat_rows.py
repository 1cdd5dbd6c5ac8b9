"""Rows in Firefly's format, rendered and masked with the template "qwen" (ChatML): an implementation of its own,
so that a comparison of losses also compares the tokens. Specification: each part is tokenised alone; the system
and user parts are not targets; the whole assistant part, with its final newline, is.
"""

import json
import pathlib

import torch

SYSTEM = "You are a helpful assistant."
IGNORED = -100


def read(path: pathlib.Path) -> list[dict]:
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def render(row: dict, tokenizer, max_length: int) -> tuple[list[int], list[int]]:
    """Token ids and labels (not shifted, as transformers wants them), cut on the right."""
    ids, labels = [], []

    def add(text: str, target: bool) -> None:
        part = tokenizer(text, add_special_tokens=False).input_ids
        ids.extend(part)
        labels.extend(part if target else [IGNORED] * len(part))

    add(f"<|im_start|>system\n{row.get('system', SYSTEM).strip()}<|im_end|>\n", target=False)
    for turn in row["conversation"]:
        human, assistant = turn["human"].strip(), turn["assistant"].strip()
        add(f"<|im_start|>user\n{human}<|im_end|>\n<|im_start|>assistant\n", target=False)
        add(f"{assistant}<|im_end|>\n", target=True)
    return ids[:max_length], labels[:max_length]


def loss_sum(model, ids: list[int], labels: list[int]) -> torch.Tensor:
    """Sum of the targets' cross-entropies, in float32."""
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1].float()
    targets = torch.tensor(labels[1:])
    return torch.nn.functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")


def target_count(labels: list[int]) -> int:
    return sum(label != IGNORED for label in labels[1:])
