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


def behind(model: llama_cpp.Llama, prompt: list[int], answer: list[int]) -> list[float]:
    """How far each token's logit is behind llama.cpp's most likely one, after the same tokens; 0 where it is that one."""
    model.reset()
    model.eval(prompt)
    gaps = []
    for token in answer:
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(model.ctx, -1), (model.n_vocab(),))
        gaps.append(float(logits.max() - logits[token]))
        model.eval([token])
    return gaps


def answers(firefly, model, count, *options) -> list[dict]:
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    output = run(firefly, "generate", model, "--greedy", "--json", "--precision", "float32",
                 "--max-new-tokens", count, *options, *words)  # fmt: skip
    return [json.loads(line) for line in output.splitlines()]


def compare(name: str, model: llama_cpp.Llama, ours: list[dict], tolerance: float) -> bool:
    """Firefly's greedy answers must be llama.cpp's, but for tokens that are as good as its best within the tolerance."""
    gaps = [gap for answer in ours for gap in behind(model, answer["prompt_ids"], answer["ids"])]
    same = sum(gap == 0 for gap in gaps)
    print(f"{name}: {same} of {len(gaps)} tokens are llama.cpp's choice, the others at most {max(gaps):.3f} behind")
    return len(gaps) > 0 and max(gaps) <= tolerance


def check_tokens(model: llama_cpp.Llama, options: argparse.Namespace) -> bool:
    lines = "\n".join(json.dumps(text) for text in TEXTS) + "\n"
    output = subprocess.run([str(options.firefly), "tokenize", str(options.model), "--json"], input=lines, check=True,
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
    # of logits: llama.cpp rounds activations before products, to bfloat16 or to 8 bits; Firefly does not.
    parser.add_argument("--tolerance", type=float, default=0.3)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    good = True
    for kind in options.types:
        path = options.out / f"{kind}.gguf"
        run(options.firefly, "export", options.model, path, "--type", kind, "--overwrite")
        model = llama_cpp.Llama(str(path), n_ctx=512, verbose=False)
        good &= check_tokens(model, options)
        exact = kind in ("f32", "f16")
        ours = answers(options.firefly, path, options.tokens)
        good &= compare(kind, model, ours, 0 if exact else options.tolerance)
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
            good &= compare(name, model, ours, 0)
    if not good:
        sys.exit("not the same")


if __name__ == "__main__":
    main()
