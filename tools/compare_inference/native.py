#!/usr/bin/env python3
"""Generation beside a native llama.cpp: `firefly bench` and its own benchmarks, in turns, from one row to eight.

    python tools/compare_inference/native.py --gguf MODEL.gguf --llama LLAMA/build/bin [--firefly .build/release/firefly]

llama.cpp is built for this processor (CC=clang-19 cmake -DGGML_NATIVE=ON -DGGML_OPENMP=OFF). Firefly measures random NF4
weights of SmolLM2-135M's shape, of which the file is to be a 4-bit one: a prompt of 512 tokens, 32 tokens after 128
(llama-bench), and where llama-batched-bench is built as well, the same of 2, 4 and 8 sequences at a time. Every round
measures both; of the rounds the best is shown, and each round's ratio.
"""

import argparse
import json
import os
import pathlib
import subprocess

ROWS = (1, 2, 4, 8)
PAST, STEPS, PROMPT = 128, 32, 512


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def firefly(options: argparse.Namespace) -> tuple[str, dict[str, float]]:
    """The processor's name, and tokens/s."""
    output = run(
        [options.firefly, "bench", "--only", "generation", "--shape", "smollm2", "--json"],
        FIREFLY_THREADS=str(options.threads))
    report = json.loads(output)
    generation = report["generation"][0]
    rates = {f"prompt of {PROMPT}": generation["prefill_tokens_per_second"]}
    for decoding in generation["decoding"]:
        rates[f"{decoding['rows']} at a time"] = decoding["tokens_per_second"]
    return report["processor"], rates


def llama(options: argparse.Namespace) -> dict[str, float]:
    """Tokens/s of the same."""
    folder, threads = pathlib.Path(options.llama).resolve(), str(options.threads)
    common = ["-m", options.gguf, "-t", threads]
    bench = [str(folder / "llama-bench"), *common, "-r", "3", "-o", "json"]
    prompt = json.loads(run([*bench, "-p", str(PROMPT), "-n", "0"]))[0]
    single = json.loads(run([*bench, "-p", "0", "-n", str(STEPS), "-d", str(PAST)]))[0]
    rates = {f"prompt of {PROMPT}": max(prompt["samples_ts"]), "1 at a time": max(single["samples_ts"])}
    batched = folder / "llama-batched-bench"
    if batched.exists():
        output = run([
            str(batched), *common, "-tb", threads, "-c", "4096", "-npp", str(PAST), "-ntg", str(STEPS),
            "-npl", ",".join(map(str, ROWS[1:])), "--output-format", "jsonl"])
        for line in output.splitlines():
            if line.startswith("{"):
                result = json.loads(line)
                rates[f"{result['pl']} at a time"] = result["speed_tg"]
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--llama", required=True, help="folder of llama-bench and llama-batched-bench")
    parser.add_argument("--firefly", default=".build/release/firefly")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ours, theirs, processor = [], [], ""
    for _ in range(options.rounds):
        processor, rates = firefly(options)
        ours.append(rates)
        theirs.append(llama(options))
    print(f"{processor}, {options.threads} threads, {os.path.basename(options.gguf)}")
    print(f"{'tokens/s':16}{'Firefly NF4':>14}{'llama.cpp':>12}{'ratio':>8}   by round")
    for name in theirs[0]:
        left, right = [rates[name] for rates in ours], [rates[name] for rates in theirs]
        ratios = " ".join(f"{a / b:.2f}" for a, b in zip(left, right))
        print(f"{name:16}{max(left):14.1f}{max(right):12.1f}{max(left) / max(right):8.2f}   {ratios}")


if __name__ == "__main__":
    main()
