#!/usr/bin/env python3
"""Tokenizers: Firefly against Hugging Face's tokenizers (tokenizer.json) or sentencepiece (tokenizer.model), on the same
texts: the time to load and tokens a second of one core, and in how many texts the ids differ.

    python tools/compare_tokenizers/compare.py --firefly .build/release/firefly --texts ROWS.jsonl TOKENIZER…

The texts are all strings in the rows, up to --bytes of them. Both sides encode one text at a time on one thread; what
counts is processor time, so that other work on the machine does not change the figures much.
"""

import argparse
import json
import os
import pathlib
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import sentencepiece  # noqa: E402
import tokenizers  # noqa: E402


def strings(value) -> list[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in strings(part)]


def read_texts(path: pathlib.Path, most: int) -> list[str]:
    texts, size = [], 0
    with open(path, encoding="utf-8") as rows:
        for row in rows:
            texts += strings(json.loads(row))
            size += len(row.encode())
            if size >= most:
                break
    return texts


def firefly(program: str, tokenizer: str, lines: str, *options: str) -> list[dict]:
    result = subprocess.run(
        [program, "tokenize", tokenizer, "--json", *options], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def reference(tokenizer: str, texts: list[str]) -> tuple[list[list[int]], float, float]:
    """The ids, and the seconds to load and to encode."""
    start = time.process_time()
    if tokenizer.endswith(".json"):
        model = tokenizers.Tokenizer.from_file(tokenizer)
        encode = lambda text: model.encode(text, add_special_tokens=False).ids  # noqa: E731
    else:
        encode = sentencepiece.SentencePieceProcessor(model_file=tokenizer).encode
    loaded = time.process_time()
    ids = [encode(text) for text in texts]
    return ids, loaded - start, time.process_time() - loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", required=True, help="the release build")
    parser.add_argument("--texts", required=True, type=pathlib.Path, help="a JSONL file")
    parser.add_argument("--bytes", type=int, default=4_000_000, help="how much of the file to read")
    parser.add_argument("tokenizers", nargs="+", help="tokenizer.json or tokenizer.model files")
    options = parser.parse_args()
    texts = read_texts(options.texts, options.bytes)
    lines = "\n".join(json.dumps(text, ensure_ascii=False) for text in texts)
    print(f"{len(texts)} texts of {options.texts.name}, {sum(len(text.encode()) for text in texts) / 1e6:.1f} MB\n")
    print("| tokenizer | tokens | differ | load, s: Firefly / reference | million tokens/s: Firefly / reference |")
    print("|---|---|---|---|---|")
    for tokenizer in options.tokenizers:
        [counts] = firefly(options.firefly, tokenizer, lines, "--count")
        found = [row["ids"] for row in firefly(options.firefly, tokenizer, lines)]
        ids, load, encode = reference(tokenizer, texts)
        tokens = sum(map(len, ids))
        differ = sum(a != b for a, b in zip(found, ids)) + abs(len(found) - len(ids))
        name = "/".join(pathlib.Path(tokenizer).parts[-2:])
        print(f"| {name} | {tokens} | {differ} | {counts['load_seconds']:.3f} / {load:.3f} "
              f"| {counts['tokens'] / counts['encode_seconds'] / 1e6:.2f} / {tokens / encode / 1e6:.2f} |")  # fmt: skip


main()
