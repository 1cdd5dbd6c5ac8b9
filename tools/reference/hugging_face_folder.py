#!/usr/bin/env python3
"""Makes a Hugging Face folder (config.json, model.safetensors, tokenizer.json) of a GGUF model, so that transformers and Firefly
can be given the same weights.

    python tools/reference/hugging_face_folder.py MODEL.gguf OUT [--dtype float32|bfloat16]
"""

import argparse
import pathlib

import torch
from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

CONTROL = 3  # tokenizer.ggml.token_type of special tokens


def make_tokenizer(path: pathlib.Path):
    """transformers' own reading, but for SmolLM2, whose digits it does not part: that is what `tokenizer.ggml.pre` means there."""
    fields = GGUFReader(path).fields

    def value(key: str):
        return fields[f"tokenizer.ggml.{key}"].contents()

    if (value("model"), value("pre")) != ("gpt2", "smollm"):
        return AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    tokens = value("tokens")
    tokenizer = Tokenizer(models.BPE(
        vocab={token: index for index, token in enumerate(tokens)},
        merges=[tuple(merge.split(" ")) for merge in value("merges")]))  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, value("token_type")) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False,
        chat_template=fields["tokenizer.chat_template"].contents(), bos_token=tokens[value("bos_token_id")],
        eos_token=tokens[value("eos_token_id")], pad_token=tokens[value("padding_token_id")],
        unk_token=tokens[value("unknown_token_id")])  # fmt: skip


def write(gguf: pathlib.Path, out: pathlib.Path, dtype: torch.dtype) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=dtype)
    # What came from GGUF counts as quantized and refuses to be saved; a plain model with the same weights does not.
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.load_state_dict(loaded.state_dict())
    model.save_pretrained(out)
    make_tokenizer(gguf).save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    write(arguments.gguf, arguments.out, getattr(torch, arguments.dtype))


if __name__ == "__main__":
    main()
