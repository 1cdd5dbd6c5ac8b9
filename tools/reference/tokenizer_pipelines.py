"""The tokenizer.json pipelines of tokenizer_fixtures.py: one tiny tokenizer of each family's kind, and one for every
normalizer, pre-tokenizer, model, decoder and post-processor that Firefly reads.

A pipeline is a function of the training texts that gives a `tokenizers.Tokenizer`; PIPELINES names them.
"""

import json
from collections.abc import Callable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
split, bytes_only = pre_tokenizers.Split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def edited(tokenizer: Tokenizer, change: Callable[[dict], None]) -> Tokenizer:
    """The tokenizer with its file changed, for what the Python classes do not offer."""
    data = json.loads(tokenizer.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def byte_bpe(texts: list[str], pre, normalizer=None, specials=CHAT, size=330, **model) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))  # fmt: skip
    return tokenizer


def qwen2(texts, size=500):
    return byte_bpe(texts, pre_tokenizers.Sequence([split(Regex(QWEN), "isolated"), bytes_only]), normalizers.NFC(), size=size)


def llama3(texts, size=400):
    tokenizer = byte_bpe(
        texts, pre_tokenizers.Sequence([split(Regex(LLAMA3), "isolated"), bytes_only]), size=size,
        specials=["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])  # fmt: skip
    template = processors.TemplateProcessing("<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", 0)])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])

    def change(data):  # without the last merge of "loaves" only a look at the whole word finds it
        data["model"]["ignore_merges"] = True
        data["model"]["merges"] = [pair for pair in data["model"]["merges"] if "".join(pair) != "Ġloaves"]

    return edited(tokenizer, change)


def deepseek(texts):
    pre = pre_tokenizers.Sequence([
        split(Regex(r"[\r\n]"), "isolated"), split(Regex(r"\s?\p{L}+"), "isolated"), split(Regex(r"\s?\p{P}+"), "isolated"),
        split(Regex("[一-龥ࠀ-一가-퟿]+"), "isolated"), pre_tokenizers.Digits(individual_digits=True), bytes_only,
    ])  # fmt: skip
    return byte_bpe(texts, pre, normalizers.Sequence([]), ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"])


def tekken(texts):
    pre = pre_tokenizers.Sequence([split(Regex(TEKKEN), "isolated"), bytes_only])
    return byte_bpe(texts, pre, specials=["<unk>", "<s>", "</s>", "[INST]", "[/INST]"])


def falcon(texts):
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(False), split(Regex("[0-9][0-9][0-9]"), "isolated"),
    ])  # fmt: skip
    return byte_bpe(texts, pre)


def gpt_neox(texts):
    tokenizer = byte_bpe(texts, pre_tokenizers.ByteLevel(add_prefix_space=False), normalizers.NFC(), ["<|endoftext|>"])
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in (4, 3, 2)])
    return tokenizer


def gpt2_prefix(texts):
    return byte_bpe(texts, pre_tokenizers.ByteLevel(add_prefix_space=True), specials=["<|endoftext|>"])


def smollm(texts, size=330):
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return byte_bpe(texts, pre, size=size)


def bloom(texts, size=330):
    pattern = " ?[^(\\s|[.,!?…。，、।۔،])]+"
    pre = pre_tokenizers.Sequence([split(Regex(pattern), "isolated"), bytes_only])
    return byte_bpe(texts, pre, specials=["<unk>", "<s>", "</s>", "<pad>"], size=size)


def roberta(texts):
    """Byte-level with an unknown token and an alphabet that is not whole."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts[:2], trainers.BpeTrainer(
        vocab_size=120, special_tokens=["<s>", "</s>", "<unk>", "<mask>"], show_progress=False))  # fmt: skip
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return tokenizer


def normalizer_bytes(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.ByteLevel()])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=330, show_progress=False, max_token_length=6, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))  # fmt: skip
    return tokenizer


# SentencePiece's spelling in tokenizer.json.


def character_bpe(texts, normalizer, pre, decoder, specials=("<unk>", "<s>", "</s>"), bytes_=BYTES, size=520, **model) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token=specials[0], **model))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoder
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=[*specials, *bytes_], show_progress=False, max_token_length=8))  # fmt: skip

    def change(data):  # the bytes are ordinary tokens
        data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] in specials]

    return edited(tokenizer, change)


LLAMA_NORMALIZER = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
LLAMA_DECODER = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]


def llama(texts):
    tokenizer = character_bpe(
        texts, normalizers.Sequence(LLAMA_NORMALIZER), None, decoders.Sequence(LLAMA_DECODER), size=600, fuse_unk=True,
        byte_fallback=True)  # fmt: skip
    tokenizer.add_tokens([AddedToken("<turn>", normalized=False)])
    return tokenizer


def phi3(texts):
    tokenizer = character_bpe(
        texts, normalizers.Sequence(LLAMA_NORMALIZER), None, decoders.Sequence(LLAMA_DECODER), fuse_unk=True, byte_fallback=True)
    for token in ["<|im_start|>", "<|im_end|>", "<turn>"]:
        tokenizer.add_special_tokens([AddedToken(token, normalized=False, rstrip=True, special=True)])
    tokenizer.add_tokens([AddedToken("bread", single_word=True, normalized=True)])
    return tokenizer


def gemma(texts):
    return character_bpe(
        texts, normalizers.Replace(" ", "▁"), split(" ", "merged_with_previous"),
        decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]), fuse_unk=True,
        byte_fallback=True)  # fmt: skip


def metaspace_old(texts):
    """The fields of tokenizers before 0.14, and an unknown token that is not fused."""
    tokenizer = character_bpe(
        texts, normalizers.NFD(), pre_tokenizers.Metaspace("▁", "always"), decoders.Metaspace("▁", "always"), bytes_=[], size=260)

    def change(data):
        for part in (data["pre_tokenizer"], data["decoder"]):
            part.clear()
            part.update({"type": "Metaspace", "replacement": "▁", "add_prefix_space": True})

    return edited(tokenizer, change)


def metaspace_first(texts):
    tokenizer = character_bpe(
        texts, None, pre_tokenizers.Metaspace("▁", "first", split=False), decoders.Sequence(LLAMA_DECODER), fuse_unk=True,
        byte_fallback=True)  # fmt: skip
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


def unigram(texts):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always")
    tokenizer.decoder = decoders.Metaspace("▁", "always")
    tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(
        vocab_size=260, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False))  # fmt: skip
    return tokenizer


def unigram_bytes(texts):
    tokenizer = unigram(texts)

    def change(data):
        data["normalizer"] = None
        data["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": False}
        data["decoder"] = {"type": "Sequence", "decoders": [
            {"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}]}  # fmt: skip
        data["model"]["byte_fallback"] = True
        data["model"]["vocab"] += [[token, -20.0] for token in BYTES]

    return edited(tokenizer, change)


# Words.


def bert(texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False))  # fmt: skip
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer


def word_level(texts):
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=100, special_tokens=["<unk>"], show_progress=False))
    return tokenizer


def word_ends(texts):
    """`</w>` behind a word's last token, as in the first GPT."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(True, True)])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.Digits(False)])  # fmt: skip
    tokenizer.decoder = decoders.BPEDecoder("</w>")
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>"], show_progress=False, end_of_word_suffix="</w>"))  # fmt: skip
    return tokenizer


def word_parts(texts):
    """`##` before all tokens of a word but its first."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.CharDelimiterSplit("e"), split(Regex(r"\s+"), "removed"), split(Regex(r"[aeiou]"), "merged_with_next"),
        split(Regex(r"\p{Han}+"), "contiguous", invert=True)])  # fmt: skip
    tokenizer.decoder = decoders.WordPiece("##", cleanup=False)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>"], show_progress=False, continuing_subword_prefix="##"))  # fmt: skip
    return tokenizer


def fixed_length(texts):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.FixedLength(3)
    tokenizer.decoder = decoders.Sequence([decoders.Strip("。", 0, 1), decoders.Fuse()])
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False))
    return tokenizer


PIPELINES = {
    function.__name__: function for function in [
        qwen2, llama3, deepseek, tekken, falcon, gpt_neox, gpt2_prefix, smollm, bloom, roberta, normalizer_bytes, llama, phi3,
        gemma, metaspace_old, metaspace_first, unigram, unigram_bytes, bert, word_level, word_ends, word_parts, fixed_length,
    ]
}  # fmt: skip
