#!/usr/bin/env python3
"""llama.cpp loads what `firefly export` wrote: the same ids for the same texts, and the same greedy answers as Firefly's
own from the same file. Exits 1 where they differ.

    python tools/reference/gguf_check.py --model FOLDER --firefly .build/release/firefly [--adapter DIR] [--out DIR]

FOLDER: a Hugging Face folder of the families llama, mistral or qwen2. Needs llama-cpp-python. With --adapter, also the
merged export against the adapter as a GGUF file on the base.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import llama_cpp
import numpy as np

PROMPTS = [
    "Tom has 12 apples. He gives 5 to Ann and buys 9 more. How many apples does he have?",
    "小明有 24 颗糖，平均分给 6 个朋友，每人几颗？",
    "Write a short poem about the sea.",
]
TEXTS = PROMPTS + ["  Don't  stop: 12345 sheep,\n\n\tDON'T!", "café 中文English混排 👩‍👩‍👧 x²", "<|im_start|>user\nhi<|im_end|>\n"]


def run(*words) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


def greedy(model: llama_cpp.Llama, prompt: list[int], count: int) -> tuple[list[int], list[float]]:
    """Ids, and for each how far the second most likely token's logit was behind."""
    model.reset()
    model.eval(prompt)
    ids, margins = [], []
    for _ in range(count):
        logits = np.array(model._scores[-1])
        first, second = np.argsort(logits)[[-1, -2]]
        ids.append(int(first))
        margins.append(float(logits[first] - logits[second]))
        model.eval([ids[-1]])
    return ids, margins


def answers(firefly, model, count, *options) -> list[dict]:
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    output = run(firefly, "generate", model, "--greedy", "--json", "--precision", "float32",
                 "--max-new-tokens", count, *options, *words)  # fmt: skip
    return [json.loads(line) for line in output.splitlines()]


def compare(name: str, model: llama_cpp.Llama, ours: list[dict], least_margin: float) -> bool:
    """Equal up to a step where the two best tokens are closer than rounding: from there on the texts may part."""
    good = True
    for answer in ours:
        ids, margins = greedy(model, answer["prompt_ids"], len(answer["ids"]))
        same = next((i for i, (a, b) in enumerate(zip(ids, answer["ids"])) if a != b), len(ids))
        whole = same == len(ids)
        excused = not whole and margins[same] < least_margin
        good &= whole or excused
        note = "" if whole else f", then apart at a margin of {margins[same]:.4f}"
        print(f"{name}: {same} of {len(ids)} tokens the same{note}")
    return good


def check_tokens(model: llama_cpp.Llama, options: argparse.Namespace) -> bool:
    lines = "\n".join(json.dumps(text) for text in TEXTS) + "\n"
    output = subprocess.run([str(options.firefly), "tokenize", str(options.model)], input=lines, check=True,
                            capture_output=True, text=True).stdout  # fmt: skip
    good = True
    for text, line in zip(TEXTS, output.splitlines(), strict=True):
        ours = json.loads(line)
        ours = ours["ids"] if isinstance(ours, dict) else ours
        if model.tokenize(text.encode(), add_bos=False, special=True) != ours:
            print(f"other ids for {text!r}")
            good = False
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--adapter", type=pathlib.Path)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/gguf"))
    parser.add_argument("--types", nargs="*", default=["f32", "f16", "bf16", "q8_0", "q4_0"])
    parser.add_argument("--tokens", type=int, default=32)
    # llama.cpp rounds activations to 8 bits before products with quantised weights; Firefly does not.
    parser.add_argument("--least-margin", type=float, default=0.25)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    good = True
    for kind in options.types:
        path = options.out / f"{kind}.gguf"
        run(options.firefly, "export", options.model, path, "--type", kind, "--overwrite")
        model = llama_cpp.Llama(str(path), n_ctx=512, logits_all=False, verbose=False)
        good &= check_tokens(model, options)
        good &= compare(kind, model, answers(options.firefly, path, options.tokens), options.least_margin)
    if options.adapter:
        base, merged, lora = (options.out / f"{name}.gguf" for name in ("f32", "merged", "lora"))
        run(options.firefly, "export", options.model, merged, "--type", "f32", "--adapter", options.adapter,
            "--overwrite")  # fmt: skip
        run(options.firefly, "export", options.model, lora, "--type", "f32", "--adapter", options.adapter,
            "--adapter-only", "--overwrite")  # fmt: skip
        ours = answers(options.firefly, options.model, options.tokens, "--adapter", options.adapter)
        for name, model in [
            ("merged", llama_cpp.Llama(str(merged), n_ctx=512, verbose=False)),
            ("lora", llama_cpp.Llama(str(base), lora_path=str(lora), n_ctx=512, verbose=False)),
        ]:
            good &= compare(name, model, ours, options.least_margin)
    if not good:
        sys.exit("not the same")


if __name__ == "__main__":
    main()
