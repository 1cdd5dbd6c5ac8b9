"""Tests/TextTests/Fixtures/parts: what tokenizers makes of texts with parts of pipelines that no published family has in this
way: rules that a whole tokenizer would hide, each on the smallest vocabulary that shows it.

    python tools/reference/pipeline_parts.py Tests/TextTests/Fixtures

cases.json has a list of {"name", "tokenizer": a whole tokenizer.json, "texts", "ids": by text, "ends": by text with the tokens that
a post-processor adds, "decoded": by text from its ids}.
"""

import base64
import io
import json
import pathlib
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

import manifest

LETTERS = ["<unk>", *"abcdeklrsx12 ▁", "É", "ab", "the", "baker", "<0x41>", "##a", "a</w>", "b</w>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def words(tokens=LETTERS) -> dict:
    """Every token is found, the longest first: what reaches the model can be read from the ids."""
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": [[token, -len(tokens) / (1 + len(token))] for token in tokens]}


def pairs(tokens=LETTERS, merges=(), **options) -> dict:
    standard = {"dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
                "byte_fallback": False, "ignore_merges": False}  # fmt: skip
    return {"type": "BPE"} | standard | options | {
        "vocab": {token: index for index, token in enumerate(tokens)}, "merges": [list(pair) for pair in merges]}


def added(content: str, id: int, **flags) -> dict:
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False} | flags


def replace(pattern: str, content: str) -> dict:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


def split(pattern: str, behavior: str, invert=False) -> dict:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def metaspace(scheme: str, cuts=True) -> dict:
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cuts}


def steps(key: str, *parts: dict) -> dict:
    return {"type": "Sequence", key: list(parts)}


def template(*names: str) -> dict:
    parts = [{"Sequence": {"id": "A", "type_id": 0}} if name == "$A" else {"SpecialToken": {"id": name, "type_id": 0}} for name in names]
    specials = {name: {"id": name, "ids": [LETTERS.index(name)], "tokens": [name]} for name in names if name != "$A"}
    pair = [*parts, {"Sequence": {"id": "B", "type_id": 0}}]
    return {"type": "TemplateProcessing", "single": parts, "pair": pair, "special_tokens": specials}


def charsmap() -> str:
    """A small compiled map, as sentencepiece makes it."""
    rules = [("①", "1"), ("ﬁ", "fi"), ("é", "É"), ("e\u0301", "É"), ("\t", " "), ("\u200b", ""), ("x\u0301", "ab")]
    path = pathlib.Path("rules.tsv")
    path.write_text("".join("\t".join(" ".join(f"{ord(c):X}" for c in text) for text in rule) + "\n" for rule in rules))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d"] * 9), model_writer=model, vocab_size=9, hard_vocab_limit=False, minloglevel=4,
        normalization_rule_tsv=str(path))  # fmt: skip
    path.unlink()
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


SPACES = ["a  b", "  ", "    ", "a \n\n b", "\n\n", "a\n \nb", " a"]
NEXT = len(LETTERS)
DECODED = ["ab baker", "a", "a 1", "▁the x", "##a</w>", "a</w>b</w>"]
CASES = {
    # Added tokens.
    "a single word is not the model's character": ({"model": pairs([t for t in LETTERS if t != "É"]),
        "added_tokens": [added("É", NEXT - 1, single_word=True)]}, ["É", "Él", "É l", "xÉ", "上É", "É\u0301", "É_", "É-"]),
    "white space that a token takes is searched": ({"model": words(), "added_tokens": [
        added("a", 1, rstrip=True), added("  ", NEXT, rstrip=True), added("\n", NEXT + 1)]}, SPACES),
    "nothing is left of a token in taken space": ({"model": words(), "added_tokens": [
        added("  ", NEXT, lstrip=True, rstrip=True), added("\n", NEXT + 1, lstrip=True, rstrip=True)]}, SPACES),
    "ids that do not follow the vocabulary": ({"model": words(), "added_tokens": [
        added("the", 3), added("<x>", NEXT + 4), added("<y>", NEXT + 9, special=True)]}, ["the<x>a<y>"]),
    "unknown text beside the unknown token's": ({"model": words()}, ["\u200e<unk>", "<unk>", "<unk><unk>", "a<unk>\u200e"]),
    "unknown text that falls back to bytes": ({"model": words([*LETTERS, *BYTES[:65], *BYTES[66:]]) | {"byte_fallback": True}},
        ["\u200e<unk>", "<unk>", "a上<unk>a", "上上"]),
    # Expressions that match nothing.
    **{f"cuts where nothing is matched, {behavior}": ({"model": words(), "pre_tokenizer": split("(?=a)", behavior)},
        ["baker", "a", "aab", "the", ""]) for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")},
    "a star cuts everywhere": ({"model": words(), "pre_tokenizer": split("a*", "Isolated")}, ["baker", "the", "aab"]),
    "a star cuts everywhere, inverted": ({"model": words(), "pre_tokenizer": split("a*", "Contiguous", True)}, ["baker", "the", "aab"]),
    "ends of lines are replaced": ({"model": words(), "normalizer": replace("$", "x")}, ["a\n", "a", "a\nb", "", "\n"]),
    "nothing is replaced": ({"model": words(), "normalizer": replace("(?=a)|2*", "ab")}, ["a", "12", "baker", "上"]),
    # What stands at the start of a text.
    **{f"the first space, {name}": ({"model": words(), "normalizer": normalizer, "pre_tokenizer": pre},
        ["a", " a", "\u0301a", "  ab a", "\t a", "1a", "\u200ba"]) for name, normalizer, pre in [
        ("stripped", {"type": "Strip", "strip_left": True, "strip_right": False}, metaspace("first")),
        ("stripped on the right", {"type": "Strip", "strip_left": False, "strip_right": True}, metaspace("first")),
        ("without marks", {"type": "StripAccents"}, metaspace("first", False)),
        ("cut away", None, steps("pretokenizers", {"type": "Whitespace"}, metaspace("first"))),
        ("replaced", replace("^1", ""), metaspace("first")),
        ("mapped", {"type": "Precompiled", "precompiled_charsmap": charsmap()}, metaspace("first")),
    ]},
    "a compiled map": ({"model": words(), "normalizer": {"type": "Precompiled", "precompiled_charsmap": charsmap()}},
        ["①ﬁ", "é e\u0301", "x\u0301b", "a\u200bb\tc", "e\u0301\u0327", "👩\u200d👧", "\u0301", "kx\u0301\u0327"]),
    "bytes that the alphabet lacks": ({"model": pairs(["a", "b", "Ġ", *BYTES], byte_fallback=True), "pre_tokenizer": {
        "type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}}, ["a G", "ab上", "G"]),
    "bytes spelt twice": ({"model": pairs(["<unk>", *"aÄĠīĉâĲ"]), "pre_tokenizer": steps("pretokenizers", *[
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}] * 2)}, ["\t", " a"]),
    # Templates.
    "two tokens before a text": ({"model": words(), "post_processor": template("the", "x", "$A")}, ["a", ""]),
    "tokens on both sides": ({"model": words(), "post_processor": steps("processors",
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, template("the", "$A", "1", "2"))}, ["a", ""]),
    # Decoders.
    **{f"decoded by {' and '.join(part['type'] for part in parts)}": (
        {"model": words(), "decoder": steps("decoders", *parts)}, DECODED) for parts in [
        [{"type": "BPEDecoder", "suffix": "</w>"}] * 2,
        [{"type": "Fuse"}, {"type": "BPEDecoder", "suffix": "</w>"}],
        [{"type": "Fuse"}, {"type": "ByteFallback"}],
        [{"type": "Fuse"}, {"type": "Replace", "pattern": {"String": "ab"}, "content": "X"}],
        [{"type": "WordPiece", "prefix": "##", "cleanup": True}, metaspace("first")],
        [metaspace("always"), {"type": "WordPiece", "prefix": "##", "cleanup": False}],
        [{"type": "Fuse"}, {"type": "WordPiece", "prefix": "##", "cleanup": False}, {"type": "Strip", "content": "a", "start": 1, "stop": 0}],
    ]},
}  # fmt: skip


def case(name: str, parts: dict, texts: list[str]) -> dict:
    empty = dict.fromkeys(("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"))
    data = {"version": "1.0"} | empty | {"added_tokens": []} | parts
    tokenizer = Tokenizer.from_str(json.dumps(data))
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return {
        "name": name, "tokenizer": data, "texts": texts, "ids": ids, "ends": [tokenizer.encode(text).ids for text in texts],
        "decoded": [tokenizer.decode(list, skip_special_tokens=False) for list in ids],
    }  # fmt: skip


def main() -> None:
    out = pathlib.Path(sys.argv[1]) / "parts"
    out.mkdir(exist_ok=True)
    cases = [case(name, *parts) for name, parts in CASES.items()]
    lines = [json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases]
    (out / "cases.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    manifest.write(out, "tools/reference/pipeline_parts.py", ["tokenizers", "sentencepiece"])


if __name__ == "__main__":
    main()
