#!/usr/bin/env python3
"""Writes Tests/ServerTests/Fixtures/embeddings.json: what transformers and PEFT make of texts with the tiny model of the
command-line tests, pooled and divided by its length.

    python tools/reference/embedding_fixtures.py

Needs torch, transformers, peft (requirements.txt).
"""

import importlib.metadata
import json
import pathlib

import peft
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/CLITests/Fixtures"
TEXTS = ["Tom has 3 apples.", "How many apples does he have?", "x"]


def embeddings(model, tokenizer):
    made = []
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            states = model(ids, output_hidden_states=True).hidden_states[-1][0]
        pooled = {"mean": states.mean(dim=0), "last": states[-1]}
        made.append({
            "text": text, "ids": ids[0].tolist(),
            **{name: torch.nn.functional.normalize(vector, dim=0).tolist() for name, vector in pooled.items()},
        })
    return made


tokenizer = transformers.AutoTokenizer.from_pretrained(FIXTURES / "model")
model = transformers.AutoModelForCausalLM.from_pretrained(FIXTURES / "model", dtype=torch.float32).eval()
versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft")}
expected = {"versions": versions, "tiny": embeddings(model, tokenizer)}
tuned = peft.PeftModel.from_pretrained(model, str(FIXTURES / "run/adapter")).eval()
expected["tuned"] = embeddings(tuned, tokenizer)
out = ROOT / "Tests/ServerTests/Fixtures/embeddings.json"
out.write_text(json.dumps(expected) + "\n")
