#!/usr/bin/env python3
"""Writes Tests/ConversionTests/Fixtures/byte_pairs.model: a small SentencePiece model as LLaMA's.

    python tools/reference/conversion_fixtures.py [OUT]

Needs sentencepiece (requirements.txt).
"""

import io
import pathlib
import sys

import sentencepiece

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]


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
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "byte_pairs.model").write_bytes(byte_pairs())
    manifest.write(folder, "tools/reference/conversion_fixtures.py", ["sentencepiece"])


if __name__ == "__main__":
    main()
