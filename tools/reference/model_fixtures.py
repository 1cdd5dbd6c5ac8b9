#!/usr/bin/env python3
"""Writes Tests/ModelsTests/Fixtures: tiny random models with the logits and LoRA gradients that transformers + PEFT
(+ bitsandbytes) compute for them in float32. LLaMA in all its variants here, other families in family_fixtures.py.

    python tools/reference/model_fixtures.py [OUT]

Needs torch, transformers, peft, bitsandbytes, safetensors (requirements.txt). Fixtures/README.md describes the keys.
"""

import json
import logging
import pathlib
import shutil
import sys
import warnings

import bitsandbytes
import torch
import transformers
from transformers import BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM

import family_fixtures
import manifest
from model_case import LEAVES, Case, link_duplicates, make_batch

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["torch", "transformers", "peft", "bitsandbytes", "safetensors"]

VOCABULARY = 211

COMMON = dict(
    vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128,
    rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=None, attn_implementation="eager",
)  # fmt: skip
# 320·64 weights make 320 quantization blocks: more than one nested block of 256. Rows of whole blocks of 64: bitsandbytes's
# CPU decoder (0.50.2) takes blocks by rows and misreads a matrix whose rows are not.
GQA = COMMON | dict(num_key_value_heads=2, intermediate_size=320, tie_word_embeddings=False)
BIASED = COMMON | dict(
    num_key_value_heads=1, head_dim=24, intermediate_size=96, tie_word_embeddings=True, attention_bias=True,
    mlp_bias=True, rms_norm_eps=1e-6,
)  # fmt: skip


# What the usual spelling of the modules (LEAVES) turns into for small models: whole paths.
ALL_LINEAR = "all-linear"


def randomise(model: LlamaForCausalLM, seed: int) -> None:
    """Weights of a size that makes attention sharp and logits differ: a wrong term must show."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.named_parameters():
        noise = torch.randn(value.shape, generator=generator)
        if "norm" in name:
            value.data = 1 + 0.2 * noise
        elif name.endswith("bias"):
            value.data = 0.3 * noise
        elif "embed_tokens" in name:
            value.data = 0.5 * noise
        else:
            value.data = noise * 1.3 / value.shape[1] ** 0.5


def plain_case(
    out: pathlib.Path, name: str, options: dict, seed: int, batch: dict, old_rope: dict | None = None,
    modules: list[str] | str = LEAVES,
) -> None:  # fmt: skip
    """`old_rope` rewrites config.json the way transformers 4 and the models published with it spell it."""
    case = Case(out / name, batch)
    model = LlamaForCausalLM(LlamaConfig(**options)).float()
    randomise(model, seed)
    model.save_pretrained(case.folder)
    (case.folder / "generation_config.json").unlink(missing_ok=True)
    if old_rope is not None:
        path = case.folder / "config.json"
        config = json.loads(path.read_text())
        config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
        config["torch_dtype"] = config.pop("dtype")
        config["rope_scaling"] = old_rope
        path.write_text(json.dumps(config, indent=2) + "\n")
    model = LlamaForCausalLM.from_pretrained(case.folder, dtype=torch.float32, attn_implementation="eager")
    case.record("base", model)
    if options["tie_word_embeddings"]:  # an own head is what most other families have
        case.record_full(model)
    if "rope_parameters" in options:  # what the rotation touches; the rest is in the case without scaling
        case.record_adapter("lora", model, gradients_of=("q_proj", "k_proj"))
    else:
        case.record_adapter("lora", model, modules)
        case.record_adapter("rslora", model, modules, use_rslora=True)
    case.finish()


def nf4_case(out: pathlib.Path, source: str, batch: dict) -> None:
    """`source` quantized by bitsandbytes (NF4, double quantization), saved by transformers, computed in float32."""
    case = Case(out / f"{source}_nf4", batch)
    model = LlamaForCausalLM.from_pretrained(
        out / source, dtype=torch.float32, attn_implementation="eager", device_map="cpu",
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float32))  # fmt: skip
    model.save_pretrained(case.folder)
    (case.folder / "generation_config.json").unlink(missing_ok=True)
    # bitsandbytes repacks 4-bit weights for bfloat16 after a first pass without gradients on a CPU, so the numbers
    # are those of its decoded weights in plain float32 linear layers.
    model = plain_linears(model)
    case.record("base", model)
    case.record_adapter("lora", model)
    case.finish()


def plain_linears(model: torch.nn.Module) -> torch.nn.Module:
    """The same model with every 4-bit linear layer replaced by its decoded weight."""
    for name, module in list(model.named_modules()):
        if not isinstance(module, bitsandbytes.nn.Linear4bit):
            continue
        plain = torch.nn.Linear(module.in_features, module.out_features, bias=module.bias is not None)
        weight = bitsandbytes.functional.dequantize_4bit(module.weight.data, module.weight.quant_state)
        plain.weight = torch.nn.Parameter(weight.float(), requires_grad=False)
        if module.bias is not None:
            plain.bias = module.bias
        model.get_submodule(name.rpartition(".")[0]).__setattr__(name.rpartition(".")[2], plain)
    model.is_loaded_in_4bit = False
    model.is_quantized = False
    model.config.quantization_config = None
    return model


def main() -> None:
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # one order of summation: the same files again
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/ModelsTests/Fixtures"
    readme = out / "README.md"
    kept = readme.read_text() if readme.exists() else None
    shutil.rmtree(out, ignore_errors=True)
    batch = make_batch(VOCABULARY)

    plain_case(out, "gqa", GQA, 1, batch)
    plain_case(out, "biased_tied", BIASED, 2, batch, modules=ALL_LINEAR)
    llama3 = dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
    plain_case(out, "rope_llama3", GQA | {"rope_parameters": llama3 | {"rope_theta": 10000.0}}, 1, batch, old_rope=llama3)
    plain_case(
        out, "rope_linear", GQA | {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}},
        1, batch, old_rope={"type": "linear", "factor": 4.0})
    plain_case(
        out, "rope_yarn",
        GQA | {"rope_parameters": {
            "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "rope_theta": 10000.0}},
        1, batch)
    plain_case(
        out, "rope_dynamic",
        GQA | {"max_position_embeddings": 16, "rope_parameters": {
            "rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}},
        1, batch)
    nf4_case(out, "gqa", batch)
    references = family_fixtures.write(out / "families")

    link_duplicates(out)
    if kept is not None:
        readme.write_text(kept)
    manifest.write(out, "tools/reference/model_fixtures.py", PACKAGES, references)


if __name__ == "__main__":
    main()
