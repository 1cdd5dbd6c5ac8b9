#!/usr/bin/env python3
"""Writes Tests/TextTests/Fixtures: tiny tokenizers trained on the text below, and what tokenizers, sentencepiece and
tiktoken make of hard texts and of random ids with them.

    python tools/reference/tokenizer_fixtures.py [OUT]

Needs tokenizers, sentencepiece, protobuf, tiktoken (requirements.txt). texts.json has the texts. vectors.jsonl has a row a
tokenizer: {"file", "ids": by text, "decoded": by text or null where it is the text again, "random": [[ids, decoded], …]},
without BOS and EOS; special strings are parsed by all but tokenizer.model's. Some trainers of tokenizers break ties at random, so that another
run gives other vocabularies, with the numbers that belong to them.
"""

import base64
import io
import json
import os
import pathlib
import random
import sys
import unicodedata

import sentencepiece
import tiktoken
from sentencepiece import sentencepiece_model_pb2

import manifest
from tokenizer_pipelines import PIPELINES, QWEN

ROOT = pathlib.Path(__file__).resolve().parents[2]

CORPUS = [
    "The baker sells twelve loaves in the morning and seven more after lunch; how many loaves is that?",
    "Twelve and seven make nineteen, so the baker sells nineteen loaves. 12 + 7 = 19.",
    "面包师上午卖出十二个面包,午饭后又卖出七个,一共卖出多少个?十二加七等于十九,所以一共是十九个。",
    "小明有 25 元,买书用了 8 元,还剩 17 元。The book costs 8 yuan and 17 yuan are left.",
    "for i in range(10):\n    total += price[i] * count[i]\n\treturn total",
    "Rivers run to the sea; the sea gives rain; rain feeds the rivers again. 河流入海,海上成云,云化为雨。",
] * 4

TEXTS = [
    "The baker sells bread.", " leading space", "trailing space ", "two  spaces   three", "", " ", "\n", "\n\n  \n",
    "tab\tand\r\nCRLF", "12345 6789 3.14159 ²½Ⅷ٣", "面包师卖面包。", "小明有25元,还剩17元!", "中English混排 text", "é e\u0301 ñ ü",
    "😀 👩‍👩‍👧 🇨🇳 👍🏽", "שלום עולם مرحبا", "don't we'll I'm they've it's IT'S", "a_b-c/d\\e", "\u0000\u0001\u007f", "\u200b\u200d\ufeff",
    "ﬁ ① ㈱ Ａ", "x" * 70, "<s>", "</s> after", "before <|im_end|> after", "<|im_start|>user\nhi<|im_end|>\n", "<0x41>", "▁", "▁▁ a▁b",
    "loaves.loaves,loaves;", "total += price[i] * count[i]", "한국어 문장", "कि हिन्दी", "\u3000全角空格\u3000", "a\u00a0b", "…—“”‘’", "ά ά",
    "<turn> bread breads <turn>  x", "The seas give rain. The sea gives rain; RAIN feeds the Rivers again.", "。。云。。", "  \u180e x",
    "a <mask>  b", "\u0085\u2028 \ufffd é́ Å", "XYa aXY XY", "云化为雨" * 12,
    "\u1112\u119e\u11ab\uae00 \u1100\u1161\u11a8 \uac00\u11d0 \uac00\u11a8 \u3131\u314f \uffa1",
    "Z" + "\u0316\u0301\u0327\u0345\u0300" * 12 + "a\u0327\u0302\u0301 Tiếng Việt u\u031b\u0301 \u0344\u0958\u2126 क\u093c",
]  # fmt: skip


def pieces(texts: list[str] = CORPUS, **options) -> bytes:
    """A SentencePiece model of the texts."""
    model = io.BytesIO()
    options = {"vocab_size": 500, "model_type": "bpe", "character_coverage": 1.0, "minloglevel": 2} | options
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=model, **options)
    return model.getvalue()


def plain_pieces() -> bytes:
    """As LLaMA's."""
    return pieces(byte_fallback=True, user_defined_symbols=["<turn>", "    "], normalization_rule_name="identity",
                  remove_extra_whitespaces=False, split_digits=True)  # fmt: skip


def rules() -> str:
    """A small normalisation map: compatibility forms, composition, several characters at once, odd spaces, one that goes."""
    pairs = [("①", "1"), ("ﬁ", "fi"), ("㈱", "(株)"), ("Ａ", "A"), ("e\u0301", "é"), ("\u3000", " "), ("\t", " "), ("\r\n", "\n"), ("\u200b", ""),
             ("…", "..."), ("“", '"')]  # fmt: skip
    lines = [" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) for a, b in pairs]
    pathlib.Path("rules.tsv").write_text("".join(line + "\n" for line in lines))
    return "rules.tsv"


def mapped_pieces() -> bytes:
    """As Baichuan's: a map and many user-defined pieces."""
    return pieces(byte_fallback=True, user_defined_symbols=["<turn>", "\n", "\t", "①", "00", "<|im_end|>"],
                  normalization_rule_tsv=rules(), remove_extra_whitespaces=False, split_digits=True)  # fmt: skip


def unigram_pieces() -> bytes:
    """As T5's, with user-defined pieces."""
    return pieces(model_type="unigram", vocab_size=220, hard_vocab_limit=False, user_defined_symbols=["<turn>", "rain"],
                  normalization_rule_tsv=rules())  # fmt: skip


def unigram_byte_pieces() -> bytes:
    return pieces(model_type="unigram", vocab_size=480, hard_vocab_limit=False, byte_fallback=True, treat_whitespace_as_suffix=True,
                  normalization_rule_name="identity")  # fmt: skip


def odd_pieces() -> bytes:
    """Equal scores, pieces whose characters are no pieces, unused pieces, no byte fallback."""
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(pieces(normalization_rule_name="identity", vocab_size=300))
    for piece in model.pieces:
        if piece.type == 1 and len(piece.piece) > 1:
            piece.score = -(len(piece.piece) // 2)
            if piece.piece.endswith("es") or len(piece.piece) == 4:
                piece.type = 5
    for text in ["XY", "XYa", "aX"]:
        model.pieces.add(piece=text, score=-1.5)
    return model.SerializeToString()


def tiktoken_ranks(merges: list[list[str]], out: pathlib.Path) -> tiktoken.Encoding:
    """Writes qwen.tiktoken with the merges of the byte-level tokenizer."""
    alphabet = {character: byte for byte, character in tokenizer_alphabet().items()}
    ranks = {bytes([byte]): byte for byte in range(256)}
    for left, right in merges:
        token = bytes(alphabet[character] for character in left + right)
        ranks.setdefault(token, len(ranks))
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()]
    (out / "qwen.tiktoken").write_text("".join(lines))
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [f"<|extra_{index}|>" for index in range(205)]
    return tiktoken.Encoding(
        "qwen", pat_str=QWEN, mergeable_ranks=ranks, special_tokens={name: len(ranks) + index for index, name in enumerate(names)})


def tokenizer_alphabet() -> dict[int, str]:
    """GPT-2's: printable bytes are themselves, the others follow from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + index) for index, byte in enumerate(others)}


def row(file: str, encode, decode, ids: list[int]) -> dict:
    """The row of one tokenizer; `ids` are those that random sequences are drawn from."""
    generator = random.Random(file)
    encoded = [encode(text) for text in TEXTS]
    decoded = [decode(ids) for ids in encoded]
    sequences = [generator.choices(ids, k=generator.randint(1, 12)) for _ in range(40)]
    return {
        "file": file, "ids": encoded, "decoded": [None if new == old else new for new, old in zip(decoded, TEXTS)],
        "random": [[ids, decode(ids)] for ids in sequences],
    }  # fmt: skip


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/TextTests/Fixtures"
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)  # a model remembers the path of its rules
    rows = []
    for name, pipeline in PIPELINES.items():
        tokenizer = pipeline(CORPUS)
        (out / f"{name}.json").write_text(tokenizer.to_str())
        rows.append(row(
            f"{name}.json", lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
            lambda ids: tokenizer.decode(ids, skip_special_tokens=False), list(tokenizer.get_vocab().values())))  # fmt: skip
        if name == "qwen2":
            encoding = tiktoken_ranks(json.loads(tokenizer.to_str())["model"]["merges"], out)
    models = {
        "pieces.model": plain_pieces(), "mapped.model": mapped_pieces(), "unigram.model": unigram_pieces(),
        "unigram_bytes.model": unigram_byte_pieces(), "odd.model": odd_pieces(),
    }  # fmt: skip
    for name, model in models.items():
        (out / name).write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        text_ids = [id for id in range(processor.vocab_size()) if not processor.is_control(id) and not processor.is_unknown(id)]
        rows.append(row(name, processor.encode, processor.decode, text_ids))
    rows.append(row(
        "qwen.tiktoken", lambda text: encoding.encode(unicodedata.normalize("NFC", text), allowed_special="all"),
        lambda ids: encoding.decode(ids), list(range(encoding.n_vocab))))  # fmt: skip
    pathlib.Path("rules.tsv").unlink()
    (out / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False, indent=1) + "\n")
    (out / "vectors.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    manifest.write(out, "tools/reference/tokenizer_fixtures.py", ["tokenizers", "sentencepiece", "tiktoken"])


if __name__ == "__main__":
    main()
