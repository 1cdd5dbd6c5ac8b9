#!/usr/bin/env python3
"""Generation: Firefly's NF4 against llama.cpp's Q4_0 on this machine, in turns.

    pip install --no-binary llama-cpp-python llama-cpp-python numpy
    python tools/compare_inference/compare.py --gguf MODEL.gguf --firefly .build/release/firefly [--text HELD_OUT.txt]

Speeds: a prompt of 512 tokens, then single tokens after 128, as `firefly bench` measures them with random weights of
SmolLM2-135M's shape; llama.cpp does the same with the GGUF file as Q4_0. Each round measures both; medians are shown.

With --text, perplexity of the text in windows of --window tokens, each scored but for its first token: Firefly in
bfloat16 and NF4, llama.cpp in Q4_0, all made from the same GGUF file, all on the ids of `firefly tokenize`.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import tempfile

import llama_cpp_side


def firefly(options: argparse.Namespace, *arguments: str, text: str | None = None) -> str:
    environment = os.environ | {"FIREFLY_THREADS": str(options.threads)}
    command = [options.firefly, *arguments]
    return subprocess.run(command, input=text, env=environment, capture_output=True, text=True, check=True).stdout


def speeds(options: argparse.Namespace, q4_0: str) -> None:
    ours, theirs = [], []
    for _ in range(options.rounds):
        bench = firefly(options, "bench", "--only", "generation", "--shape", "smollm2", "--json")
        generation = json.loads(bench)["generation"][0]
        ours.append((generation["prefill_tokens_per_second"], generation["decoding"][0]["tokens_per_second"]))
        model = llama_cpp_side.Model(q4_0, options.threads)
        model.prefill_rate(512)
        theirs.append((model.prefill_rate(512), model.generation_rate(128, 128)))
        model.close()
    print(f"{'tokens/s':24}{'Firefly NF4':>14}{'llama.cpp Q4_0':>16}{'ratio':>8}{'by round':>24}")
    for index, name in enumerate(["prefill of 512", "generation after 128"]):
        a = [round_[index] for round_ in ours]
        b = [round_[index] for round_ in theirs]
        ratios = " ".join(f"{x / y:.2f}" for x, y in zip(a, b))
        left, right = statistics.median(a), statistics.median(b)
        print(f"{name:24}{left:14.1f}{right:16.1f}{left / right:8.2f}{ratios:>24}")


def perplexities(options: argparse.Namespace, q4_0: str) -> None:
    text = pathlib.Path(options.text).read_text()
    ids = json.loads(firefly(options, "tokenize", options.gguf, "--json", text=json.dumps(text)))["ids"]
    model = llama_cpp_side.Model(q4_0, options.threads)
    total, count = 0.0, 0
    for start in range(0, len(ids) - 1, options.window - 1):
        window = ids[start : start + options.window]
        total += model.losses(window)
        count += len(window) - 1
    model.close()
    print(f"{count} tokens of {options.text} in windows of {options.window}")
    for name, quantize in [("Firefly bfloat16", "none"), ("Firefly NF4", "nf4")]:
        report = firefly(
            options, "eval", options.gguf, "--task", "perplexity", "--file", options.text, "--max-length",
            str(options.window), "--quantize", quantize, "--json")
        print(f"{name:20} perplexity {json.loads(report)['perplexity']:.4f}")
    print(f"{'llama.cpp Q4_0':20} perplexity {math.exp(total / count):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--firefly", default=".build/release/firefly")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--text")
    parser.add_argument("--window", type=int, default=512)
    options = parser.parse_args()
    llama_cpp_side.start()
    with tempfile.TemporaryDirectory() as folder:
        q4_0 = os.path.join(folder, "q4_0.gguf")
        llama_cpp_side.make_q4_0(options.gguf, q4_0, options.threads)
        speeds(options, q4_0)
        if options.text:
            perplexities(options, q4_0)


if __name__ == "__main__":
    main()
