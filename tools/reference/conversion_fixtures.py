#!/usr/bin/env python3
"""Writes Tests/ConversionTests/Fixtures: numbers and what the gguf package's quantisers make of them, and a small
SentencePiece model as LLaMA's.

    python tools/reference/conversion_fixtures.py [OUT]

Needs numpy, gguf, safetensors, sentencepiece (requirements.txt).
"""

import io
import pathlib
import shutil
import sys

import gguf
import numpy as np
import sentencepiece
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def numbers() -> np.ndarray:
    """Blocks of 32: random ones of many sizes, ties, zeros, equal magnitudes of both signs, the smallest and largest."""
    generator = np.random.default_rng(30)
    blocks = [generator.normal(0, scale, 32) for scale in (1e-8, 1e-5, 1e-3, 0.02, 1, 30, 5000) for _ in range(20)]
    blocks += [np.round(generator.normal(0, 8, 32)) for _ in range(20)]  # many halves after scaling
    blocks += [generator.choice([-1.0, 1.0], 32) * 0.75 for _ in range(5)]
    blocks += [np.zeros(32), np.eye(1, 32)[0], -np.eye(1, 32, 31)[0], np.full(32, 8000.0)]
    blocks += [np.arange(32) - 16.0, (np.arange(32) - 15.5) / 8]
    return np.stack(blocks).astype(np.float32)


def byte_pairs() -> bytes:
    """BPE with bytes for what is no piece, of as many pieces as the tests' tiny model has rows."""
    sentences = ["the sea is near the land", "a hen eats seeds and nests in the shed", "he had the tea and the tart"] * 3
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, model_type="bpe", vocab_size=310, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, minloglevel=2)
    return model.getvalue()


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/ConversionTests/Fixtures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    x = numbers()
    tensors = {"x": x} | {kind.name: gguf.quantize(x, kind) for kind in (Type.Q4_0, Type.Q8_0)}
    save_file(tensors, folder / "blocks.safetensors", metadata={"format": "pt"})
    (folder / "byte_pairs.model").write_bytes(byte_pairs())
    packages = ["numpy", "gguf", "safetensors", "sentencepiece"]
    manifest.write(folder, "tools/reference/conversion_fixtures.py", packages)


if __name__ == "__main__":
    main()
