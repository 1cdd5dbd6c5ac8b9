#!/usr/bin/env python3
"""Writes Tests/GenerationTests/Fixtures: what transformers' beam search answers with the tiny model of
Tests/CLITests/Fixtures, which chat_fixtures.py makes.

    python tools/reference/beam_fixtures.py [OUT]

Needs torch, transformers (requirements.txt).
"""

import itertools
import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoTokenizer, LlamaForCausalLM

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "Tests/CLITests/Fixtures/model"
PROMPTS = ["Tom has three apples", "小明有三个苹果"]
TOKENS = 20
# So many stop tokens that hypotheses of all lengths end.
STOPS = range(3, 320, 17)
# What of the logits' processors is one thing for log-probabilities and another for logits, or looks at the prompt.
RULES = (
    {"renormalize_logits": True, "repetition_penalty": 1.7, "length_penalty": 2.0},
    {"renormalize_logits": True, "sequence_bias": [[[5], 4.0], [[40], 3.0]]},
    {"encoder_repetition_penalty": 1.7}, {"encoder_repetition_penalty": 0.6, "no_repeat_ngram_size": 2},
    {"encoder_no_repeat_ngram_size": 2}, {"min_length": 40, "min_new_tokens": 4},
    {"exponential_decay_length_penalty": [2, 1.3]},
)  # fmt: skip


def answer(model, tokenizer, prompt: list[int], options: dict) -> dict:
    out = model.generate(
        input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False,
        max_new_tokens=TOKENS, eos_token_id=list(STOPS), pad_token_id=0, tokenizer=tokenizer,
        return_dict_in_generate=True, output_scores=True, **options)  # fmt: skip
    case = {"prompt_ids": prompt, "ids": out.sequences[0, len(prompt) :].tolist()} | options
    if options["num_beams"] > 1:
        case["score"] = out.sequences_scores[0].item()
    return case


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/GenerationTests/Fixtures"
    out.mkdir(parents=True, exist_ok=True)
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = LlamaForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager").eval()
    prompts = [tokenizer.encode(text, add_special_tokens=False) for text in PROMPTS]
    grid = itertools.product(prompts, (1, 2, 4), (0.0, 1.0, 2.0), (False, True, "never"), (1.0, 1.3))
    cases = [
        answer(model, tokenizer, prompt, {
            "num_beams": beams, "length_penalty": length, "early_stopping": early, "repetition_penalty": repetition})
        for prompt, beams, length, early, repetition in grid
    ]  # fmt: skip
    usual = {"length_penalty": 1.0, "early_stopping": False, "repetition_penalty": 1.0}
    for prompt in prompts:
        whole = answer(model, tokenizer, prompt, usual | {"num_beams": 4})
        middle = tokenizer.decode(whole["ids"][3:4])
        for stops, beams in itertools.product(([middle], ["a", "e"]), (2, 4)):
            cases.append(answer(model, tokenizer, prompt, usual | {"num_beams": beams, "stop_strings": stops}))
        for beams, rules in itertools.product((1, 3), RULES):
            cases.append(answer(model, tokenizer, prompt, usual | {"num_beams": beams} | rules))
    lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    head = json.dumps({"max_new_tokens": TOKENS, "stop_ids": list(STOPS)})[:-1]
    (out / "beams.json").write_text(f'{head}, "cases": [\n{lines}\n]}}\n')
    manifest.write(out, "tools/reference/beam_fixtures.py", ["torch", "transformers"])


if __name__ == "__main__":
    main()
