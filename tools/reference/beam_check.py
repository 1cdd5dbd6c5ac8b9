#!/usr/bin/env python3
"""The same rows answered by `firefly generate --beams` and by transformers' beam search, both in float32: the answers
must be equal, token by token.

    python tools/reference/beam_check.py FIREFLY MODEL ROWS [--beams 4] [--count 10] [--tokens 64]

MODEL is a Hugging Face folder, ROWS a JSONL file that `firefly generate --file` takes. Needs torch, transformers
(requirements.txt). Exit status 1 when an answer differs.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM


def firefly_answers(arguments: argparse.Namespace) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        rows = pathlib.Path(folder) / "rows.jsonl"
        lines = pathlib.Path(arguments.rows).read_text(encoding="utf-8").splitlines()
        rows.write_text("\n".join(lines[: arguments.count]) + "\n", encoding="utf-8")
        words = [
            arguments.firefly, "generate", arguments.model, "--file", str(rows), "--json", "--precision", "float32",
            "--beams", str(arguments.beams), "--max-new-tokens", str(arguments.tokens)]  # fmt: skip
        output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("firefly", "model", "rows"):
        parser.add_argument(name)
    for name, value in (("beams", 4), ("count", 10), ("tokens", 64)):
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    answers = firefly_answers(arguments)
    equal = 0
    for answer in answers:
        prompt = answer["prompt_ids"]
        out = model.generate(
            input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False, num_beams=arguments.beams, max_new_tokens=arguments.tokens, return_dict_in_generate=True,
            output_scores=True)  # fmt: skip
        ids, score = out.sequences[0, len(prompt) :].tolist(), out.sequences_scores[0].item()
        equal += ids == answer["ids"]
        print(
            "equal " if ids == answer["ids"] else "DIFFERENT", len(ids), answer["finish_reason"],
            f"score {answer['beam_score']:.6f} (transformers {score:.6f})", flush=True)  # fmt: skip
    print(f"{equal} of {len(answers)} answers equal")
    sys.exit(0 if equal == len(answers) else 1)


if __name__ == "__main__":
    main()
