#!/usr/bin/env python3
"""Writes Tests/TextTests/Fixtures/hard: tokenizers with a few thousand tokens, trained on our own prose and code in the ways of the
models that Firefly is used with, and what sentencepiece, tokenizers and tiktoken make of hard texts (tokenizer_texts.py).

    python tools/reference/tokenizer_vectors.py [OUT]

Needs tokenizers, sentencepiece, protobuf, tiktoken (requirements.txt). texts.json: [{"i", "text"}, …]. For each tokenizer FILE there
is FILE.jsonl, a row a text: {"i", "ids", "decoded"}, without BOS and EOS; `decoded` is true where decoding gives the text again,
else what it gives. Special strings are parsed by all but SentencePiece models. tokenizer_fixtures.py has smaller tokenizers of every kind.
"""

import json
import os
import pathlib
import sys
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

import manifest
from tokenizer_fixtures import pieces, tiktoken_ranks
from tokenizer_pipelines import LLAMA_DECODER, LLAMA_NORMALIZER, bloom, byte_bpe, llama3, qwen2, smollm
from tokenizer_texts import TEXTS, TRAINING

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZE = 1600

LLAMA = {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "split_digits": True,
         "vocab_size": SIZE, "character_coverage": 0.995}  # fmt: skip
TAGS = [f"<{slash}{name}>" for name in ("p", "b", "li", "h1", "table", "strong") for slash in ("", "/")] + ["<br/>", "<!--", "-->"]


# --- SentencePiece models ---


def llama() -> bytes:
    return pieces(TRAINING, **LLAMA)


def merged(base: bytes) -> bytes:
    """Chinese pieces of another model behind LLaMA's, all with the score 0, as Chinese-LLaMA and Ziya have them."""
    model = sentencepiece_model_pb2.ModelProto.FromString(base)
    more = sentencepiece_model_pb2.ModelProto.FromString(
        pieces([text for text in TRAINING if "\u4e00" <= text[0] <= "\u9fff"], vocab_size=700, normalization_rule_name="identity"))  # fmt: skip
    known = {piece.piece for piece in model.pieces}
    model.pieces.add(piece="<pad>", score=0, type=1)
    for piece in more.pieces:
        if piece.type == 1 and piece.piece not in known:
            model.pieces.add(piece=piece.piece, score=0, type=1)
    return model.SerializeToString()


def baichuan() -> bytes:
    """The nmt_nfkc map, and user-defined pieces: tags, digits, signs, line breaks, reserved names."""
    names = ["<SEP>", "\n", "\t", *TAGS, *"0123456789", *"０１２３，。！？、：￥.!?《》【】", "```", "---", *(f"<reserved_{index}>" for index in range(100, 108))]
    return pieces(TRAINING, **LLAMA | {"normalization_rule_name": "nmt_nfkc", "split_digits": False}, user_defined_symbols=names)


def mistral() -> bytes:
    """Control pieces that no text gives, and user-defined ones."""
    return pieces(TRAINING, **LLAMA, control_symbols=["[INST]", "[/INST]", "[TOOL_CALLS]"], user_defined_symbols=["[REF_1]", "[REF_0]"])


def unigram() -> bytes:
    """SentencePiece's defaults: the nmt_nfkc map, spaces squeezed, no bytes; but an unknown token is decoded as its name."""
    return pieces(TRAINING, model_type="unigram", vocab_size=1000, hard_vocab_limit=False, user_defined_symbols=["<br/>", "loaf"],
                  unk_surface="<unk>")  # fmt: skip


def unigram_bytes() -> bytes:
    return pieces(TRAINING, **LLAMA | {"model_type": "unigram", "vocab_size": 1200}, hard_vocab_limit=False)


# --- tokenizer.json ---


def converted(model: bytes) -> Tokenizer:
    """A SentencePiece model of byte pairs as tokenizer.json, as LLaMA 2's: every way to make a piece from two is a merge, the best first."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    vocabulary = {piece.piece: index for index, piece in enumerate(proto.pieces)}
    merges = []
    for piece in proto.pieces:
        text = piece.piece
        halves = [(text[:cut], text[cut:]) for cut in range(1, len(text))] if piece.type == 1 else []
        found = [pair for pair in halves if pair[0] in vocabulary and pair[1] in vocabulary]
        merges += [(-piece.score, vocabulary[left], vocabulary[right], (left, right)) for left, right in found]
    tokenizer = Tokenizer(models.BPE(
        vocab=vocabulary, merges=[pair for *_, pair in sorted(merges)], unk_token="<unk>", fuse_unk=True, byte_fallback=True))  # fmt: skip
    tokenizer.normalizer = normalizers.Sequence(LLAMA_NORMALIZER)
    tokenizer.decoder = decoders.Sequence(LLAMA_DECODER)
    tokenizer.add_special_tokens([AddedToken(token, normalized=True, special=True) for token in ("<unk>", "<s>", "</s>")])
    return tokenizer


def gpt2(texts, size) -> Tokenizer:
    return byte_bpe(texts, pre_tokenizers.ByteLevel(add_prefix_space=False), specials=["<|endoftext|>"], size=size)


# --- Vectors ---


def write_rows(file: str, encode, decode) -> None:
    rows = []
    for index, text in enumerate(TEXTS):
        ids = encode(text)
        decoded = decode(ids)
        rows.append({"i": index, "ids": ids, "decoded": decoded == text or decoded})
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
    pathlib.Path(f"{file}.jsonl").write_text("".join(lines), encoding="utf-8")


def write_pieces(file: str, model: bytes) -> None:
    pathlib.Path(file).write_bytes(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    write_rows(file, processor.encode, processor.decode)


def write_tokenizer(file: str, tokenizer: Tokenizer) -> None:
    pathlib.Path(file).write_text(tokenizer.to_str(), encoding="utf-8")
    write_rows(
        file, lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
        lambda ids: tokenizer.decode(ids, skip_special_tokens=False))  # fmt: skip


def main() -> None:
    out = (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/TextTests/Fixtures/hard").resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)
    base = llama()
    for name, model in {
        "llama": base, "merged": merged(base), "baichuan": baichuan(), "mistral": mistral(), "unigram": unigram(),
        "unigram_bytes": unigram_bytes(),
    }.items():  # fmt: skip
        write_pieces(f"{name}.model", model)
    write_tokenizer("llama.json", converted(base))
    for pipeline in (gpt2, qwen2, llama3, smollm, bloom):
        tokenizer = pipeline(TRAINING, size=SIZE)
        write_tokenizer(f"{pipeline.__name__}.json", tokenizer)
        if pipeline is qwen2:
            encoding = tiktoken_ranks(json.loads(tokenizer.to_str())["model"]["merges"], out)
    write_rows("qwen.tiktoken", lambda text: encoding.encode(unicodedata.normalize("NFC", text), allowed_special="all"), encoding.decode)
    texts = [{"i": index, "text": text} for index, text in enumerate(TEXTS)]
    pathlib.Path("texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    manifest.write(out, "tools/reference/tokenizer_vectors.py", ["tokenizers", "sentencepiece", "protobuf", "tiktoken"])


if __name__ == "__main__":
    main()
