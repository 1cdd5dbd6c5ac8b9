#!/usr/bin/env python3
"""Writes Tests/TextTests/Fixtures: tiny tokenizers trained on the text below, and what tokenizers and sentencepiece
make of hard texts with them.

    python tools/reference/tokenizer_fixtures.py [OUT]

Needs tokenizers, sentencepiece (requirements.txt). vectors.jsonl has a row a tokenizer and text:
{"file", "text", "ids", "decoded"}, without BOS and EOS; special strings are parsed by tokenizer.json's only.
"""

import io
import json
import pathlib
import sys

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import manifest

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
]  # fmt: skip


def byte_level(out: pathlib.Path) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=specials, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())  # fmt: skip
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.save(str(out / "byte_level.json"))
    return tokenizer


def llama_style(out: pathlib.Path) -> Tokenizer:
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    specials = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=specials + bytes_, show_progress=False, max_token_length=8)
    tokenizer.train_from_iterator(CORPUS, trainer)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] in specials]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens([AddedToken("<turn>", normalized=False)])
    tokenizer.save(str(out / "llama_style.json"))
    return tokenizer


def piece_model(out: pathlib.Path) -> sentencepiece.SentencePieceProcessor:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=500, model_type="bpe", byte_fallback=True,
        character_coverage=1.0, user_defined_symbols=["<turn>", "    "], normalization_rule_name="identity",
        remove_extra_whitespaces=False, split_digits=True, minloglevel=2)  # fmt: skip
    (out / "pieces.model").write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/TextTests/Fixtures"
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, tokenizer in [("byte_level.json", byte_level(out)), ("llama_style.json", llama_style(out))]:
        for text in TEXTS:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            decoded = tokenizer.decode(ids, skip_special_tokens=False)
            rows.append({"file": name, "text": text, "ids": ids, "decoded": decoded})
    pieces = piece_model(out)
    for text in TEXTS:
        ids = pieces.encode(text)
        rows.append({"file": "pieces.model", "text": text, "ids": ids, "decoded": pieces.decode(ids)})
    (out / "vectors.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    manifest.write(out, "tools/reference/tokenizer_fixtures.py", ["tokenizers", "sentencepiece"])


main()
