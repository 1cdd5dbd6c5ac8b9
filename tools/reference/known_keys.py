#!/usr/bin/env python3
"""Writes lists for the tests: every key that the libraries know of the files that we read,
with its default, from the installed libraries themselves.

    python tools/reference/known_keys.py

- Tests/ModelsTests/Fixtures/keys/adapter_config.json: PEFT's LoraConfig
- Tests/ModelsTests/Fixtures/keys/config.json: transformers' configurations of our families
- Tests/GenerationTests/Fixtures/keys/generation_config.json: transformers' GenerationConfig
- Tests/WeightsTests/Fixtures/keys/quantization_config.json: transformers' BitsAndBytesConfig
- Tests/TextTests/Fixtures/keys/tokenizer_config.json: what transformers' tokenizers take out of the file
"""

import dataclasses
import importlib.metadata
import inspect
import json
import pathlib
import re

import peft
from transformers import AutoConfig, BitsAndBytesConfig, GenerationConfig, PreTrainedTokenizerFast
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

TESTS = pathlib.Path(__file__).resolve().parents[2] / "Tests"
FAMILIES = [
    "bloom", "deepseek_v2", "ernie4_5", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "gpt_oss", "granite", "hunyuan_v1_dense",
    "llama", "minicpm3", "ministral", "ministral3", "mistral", "mixtral", "olmo2", "olmo3", "phi3", "qwen2", "qwen2_moe", "qwen3",
    "qwen3_moe", "seed_oss", "smollm3",
]  # fmt: skip
# What makes other keys count.
SWITCHES = {"qwen2": {"use_sliding_window": True}, "qwen3": {"use_sliding_window": True}}


def plain(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    return sorted(value) if isinstance(value, set) else value


def write(target: str, name: str, library: str, keys) -> None:
    folder = TESTS / target / "Fixtures" / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    text = {"library": library, "version": importlib.metadata.version(library), "keys": keys}
    (folder / name).write_text(json.dumps(text, indent=1, sort_keys=True, default=str) + "\n")


def adapter_keys() -> dict:
    return {key: plain(value) for key, value in dataclasses.asdict(peft.LoraConfig(target_modules=["q_proj"])).items()}


def generation_keys() -> dict:
    """The attributes of a configuration that was given nothing."""
    return {key: value for key, value in vars(GenerationConfig()).items() if not key.startswith("_original")}


def tokenizer_keys() -> dict:
    """What the constructors read of the file's members, and the tokens' roles."""
    source = "".join(
        inspect.getsource(kind.__init__) for kind in (PreTrainedTokenizerBase, PreTrainedTokenizerFast))
    names = set(re.findall(r'kwargs\.(?:pop|get|setdefault)\(\s*"(\w+)"', source))
    given = {"tokenizer_object", "gguf_file", "slow_tokenizer", "tokenizer_padding", "tokenizer_truncation",
             "_spm_precompiled_charsmap", "post_processor", "vocab", "merges", "files_loaded",
             "model_specific_special_tokens", "chat_control_tokens", "vocab_file", "_json_padding", "_json_truncation",
             "tokenizer", "unk_id"}
    roles = set(PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES)
    return {name: None for name in sorted((names - given) | roles | {"tokenizer_class", "added_tokens_decoder"})}


def main() -> None:
    write("ModelsTests", "adapter_config.json", "peft", adapter_keys())
    configs = {family: AutoConfig.for_model(family, **SWITCHES.get(family, {})).to_dict() for family in FAMILIES}
    write("ModelsTests", "config.json", "transformers", configs)
    write("GenerationTests", "generation_config.json", "transformers", generation_keys())
    bits = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4").to_dict()
    write("WeightsTests", "quantization_config.json", "transformers", bits)
    write("TextTests", "tokenizer_config.json", "transformers", tokenizer_keys())


if __name__ == "__main__":
    main()
