#!/usr/bin/env python3
"""Writes Tests/GenerationTests/Fixtures/sampling.json: what transformers' logits processors and warpers, in the order in which
`generate` puts them, make of random logits under a generation_config.json.

    python tools/reference/sampling_fixtures.py
"""

import json
import pathlib
import warnings

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/GenerationTests/Fixtures"
VOCABULARY = 32
PROMPT = [5, 7, 11, 7, 5, 7]
ANSWER = [11, 3, 5, 7]
BASE = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "eos_token_id": [2, 4], "max_new_tokens": 12}

CASES = {
    "nothing": {},
    "suppress_tokens": {"suppress_tokens": [1, 9, 31]},
    "begin_suppress_tokens": {"begin_suppress_tokens": [0, 6]},
    "begin_suppress_tokens later": {"begin_suppress_tokens": [0, 6], "_answer": ANSWER},
    "bad_words_ids": {"bad_words_ids": [[9], [2], [5, 7, 13], [7, 14], [8, 15]]},
    "sequence_bias": {"sequence_bias": [[[9], 2.5], [[5, 7, 13], -3.0], [[7, 13], 1.5], [[8, 15], 9.0]]},
    "forced_bos_token_id": {"forced_bos_token_id": 9, "_prompt": [5]},
    "forced_bos_token_id and a beginning": {"forced_bos_token_id": 9, "begin_suppress_tokens": [3], "_prompt": [5], "_answer": [9]},
    "forced_bos_token_id of a longer prompt": {"forced_bos_token_id": 9},
    "forced_eos_token_id": {"forced_eos_token_id": [4], "max_new_tokens": 5, "_answer": ANSWER},
    "forced_eos_token_id earlier": {"forced_eos_token_id": 4, "max_new_tokens": 6, "_answer": ANSWER},
    "forced_eos_token_id and max_length": {"forced_eos_token_id": 4, "max_new_tokens": None, "max_length": 11, "_answer": ANSWER},
    "min_new_tokens": {"min_new_tokens": 5, "_answer": ANSWER},
    "min_new_tokens reached": {"min_new_tokens": 4, "_answer": ANSWER},
    "min_length": {"min_length": 11, "_answer": ANSWER},
    "min_length reached": {"min_length": 10, "_answer": ANSWER},
    "min_length beside min_new_tokens": {"min_length": 20, "min_new_tokens": 2, "_answer": ANSWER},
    "min_length beside min_new_tokens 0": {"min_length": 20, "min_new_tokens": 0},
    "no_repeat_ngram_size 1": {"no_repeat_ngram_size": 1, "_answer": ANSWER},
    "no_repeat_ngram_size 2": {"no_repeat_ngram_size": 2, "_answer": ANSWER},
    "no_repeat_ngram_size 3": {"no_repeat_ngram_size": 3, "_answer": ANSWER},
    "no_repeat_ngram_size 20": {"no_repeat_ngram_size": 20, "_answer": ANSWER},
    "encoder_no_repeat_ngram_size 1": {"encoder_no_repeat_ngram_size": 1, "_answer": ANSWER},
    "encoder_no_repeat_ngram_size 2": {"encoder_no_repeat_ngram_size": 2, "_answer": ANSWER},
    "encoder_no_repeat_ngram_size 3": {"encoder_no_repeat_ngram_size": 3, "_answer": [13, 5, 7]},
    "exponential_decay_length_penalty": {"exponential_decay_length_penalty": [2, 1.5], "_answer": ANSWER},
    "exponential_decay_length_penalty later": {"exponential_decay_length_penalty": [4, 1.5], "_answer": ANSWER},
    "repetition_penalty": {"repetition_penalty": 1.3, "_answer": ANSWER},
    "encoder_repetition_penalty": {"encoder_repetition_penalty": 1.6, "_answer": ANSWER},
    "both repetition penalties": {"encoder_repetition_penalty": 0.7, "repetition_penalty": 1.3, "_answer": ANSWER},
    "typical_p": {"typical_p": 0.5},
    "typical_p small": {"typical_p": 0.05},
    "epsilon_cutoff": {"epsilon_cutoff": 0.02},
    "epsilon_cutoff large": {"epsilon_cutoff": 0.9},
    "eta_cutoff": {"eta_cutoff": 0.3},
    "eta_cutoff small": {"eta_cutoff": 0.001},
    "top_p 0": {"top_p": 0.0},
    "cutoffs of 1": {"epsilon_cutoff": 1.0, "eta_cutoff": 1.0},
    "min_p": {"min_p": 0.2},
    "top_h": {"top_h": 0.4},
    "top_h small": {"top_h": 0.01},
    "top_h before top_k": {"top_h": 0.6, "top_k": 5, "temperature": 1.4},
    "top_h before top_p": {"top_h": 0.6, "top_p": 0.8},
    "renormalize_logits": {"renormalize_logits": True, "top_p": 0.8},
    "all cuts": {"temperature": 0.8, "top_k": 20, "top_p": 0.95, "min_p": 0.02, "typical_p": 0.9, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02},
    "all rules": {
        "repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "bad_words_ids": [[5, 7, 13], [1]],
        "sequence_bias": [[[9], 2.5], [[7, 12], 1.0]], "min_new_tokens": 8, "suppress_tokens": [16],
        "begin_suppress_tokens": [17], "exponential_decay_length_penalty": [1, 1.1], "temperature": 0.7, "top_k": 12,
        "top_p": 0.9, "_answer": ANSWER,
    },
    "greedy": {"do_sample": False, "suppress_tokens": [20, 21, 22], "no_repeat_ngram_size": 1, "_answer": ANSWER},
}  # fmt: skip


def main() -> None:
    warnings.filterwarnings("ignore")
    config = LlamaConfig(vocab_size=VOCABULARY, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    model = LlamaForCausalLM(config)
    generator = torch.Generator().manual_seed(5)
    logits = 1.2 * torch.randn(1, VOCABULARY, generator=generator)
    cases = []
    for name, changes in CASES.items():
        members = {key: value for key, value in (BASE | changes).items() if not key.startswith("_") and value is not None}
        prompt, answer = changes.get("_prompt", PROMPT), changes.get("_answer", [])
        generation = GenerationConfig(**members)
        ids = torch.tensor([prompt])
        defaults = generation.max_length is None, generation.min_length is None
        generation.min_length = generation.min_length or 0
        generation = model._prepare_generated_length(generation, *defaults, "input_ids", len(prompt), ids)
        model._prepare_special_tokens(generation, device="cpu")
        processors = model._get_logits_processor(
            generation, input_ids_seq_length=len(prompt), encoder_input_ids=ids
        )
        scores = processors(torch.tensor([prompt + answer]), logits.clone())[0].double()
        cases.append({
            "name": name, "config": members, "prompt": prompt, "answer": answer,
            "probabilities": torch.softmax(scores, dim=-1).tolist(),
        })  # fmt: skip
    import transformers

    text = {
        "made_by": "tools/reference/sampling_fixtures.py", "transformers": transformers.__version__,
        "logits": logits[0].tolist(), "cases": cases,
    }  # fmt: skip
    (OUT / "sampling.json").write_text(json.dumps(text) + "\n")


if __name__ == "__main__":
    main()
