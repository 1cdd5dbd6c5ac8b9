#!/usr/bin/env python3
"""What transformers and bitsandbytes read from files that say a thing twice, or in another form.

    python tools/reference/reading_fixtures.py

- Tests/ModelsTests/Fixtures/readings/rotary.json: frequencies by members of config.json
- Tests/ModelsTests/Fixtures/readings/untied.safetensors: a head of its own beside families/qwen2, whose config.json says that
  the head is tied, and the logits
- Tests/WeightsTests/Fixtures/nf4_storage.safetensors: a matrix whose 4-bit codes are stored as numbers of several types
"""

import json
import pathlib
import shutil
import tempfile

import bitsandbytes
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.gemma3.modeling_gemma3 import Gemma3RotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.olmo3.modeling_olmo3 import Olmo3RotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

import manifest
from model_case import evaluate

TESTS = pathlib.Path(__file__).resolve().parents[2] / "Tests"
READINGS = TESTS / "ModelsTests/Fixtures/readings"
SIZES = {"vocab_size": 32, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 6,
         "num_attention_heads": 4, "num_key_value_heads": 4,
         "max_position_embeddings": 128}  # fmt: skip
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}
LONG = {"type": "longrope", "short_factor": [1.0 + i / 8 for i in range(8)], "long_factor": [2.0 + i / 8 for i in range(8)]}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
ROTARY = {
    "theta twice": {"rope_theta": 10000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}},
    "theta outside": {"rope_theta": 300.0, "rope_parameters": {"rope_type": "default"}},
    "theta of the old spelling": {"rope_theta": 300.0, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "scaling beside parameters": {
        "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}, "rope_scaling": {"rope_type": "linear", "factor": 2.0}},
    "scaling and theta beside parameters": {
        "rope_theta": 700.0, "rope_parameters": {"rope_type": "linear", "factor": 8.0, "rope_theta": 500000.0}, "rope_scaling": YARN},
    "an empty scaling": {"rope_parameters": {"rope_type": "linear", "factor": 8.0, "rope_theta": 9000.0}, "rope_scaling": {}},
    "no scaling": {"rope_parameters": YARN | {"rope_theta": 9000.0}, "rope_scaling": None},
    "longrope with its length twice": {
        "model_type": "phi3", "original_max_position_embeddings": 64, "rope_scaling": LONG | {"original_max_position_embeddings": 16}},
    "longrope with its length in its own object": {
        "model_type": "phi3", "rope_scaling": LONG | {"original_max_position_embeddings": 4}},
    "longrope with no length": {"model_type": "qwen3", "head_dim": 16, "max_position_embeddings": 0, "rope_scaling": LONG},
    "yarn with its length twice": {"original_max_position_embeddings": 100, "rope_scaling": YARN},
    "yarn whose ends are not rounded": {"rope_scaling": YARN | {"beta_fast": 4, "truncate": False}},
    "yarn of null": {
        "rope_scaling": YARN | {"truncate": None, "beta_fast": None, "beta_slow": None, "attention_factor": None, "mscale": None}},
    "llama3 with its length twice": {
        "original_max_position_embeddings": 100,
        "rope_scaling": YARN | {"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}},
    "no base": {"model_type": "mixtral"} | EXPERTS,
    "no base beside the scaling": {
        "model_type": "ministral3", "head_dim": 16, "rope_parameters": YARN | {"llama_4_scaling_beta": 0.1}},
    "nothing at all": {"model_type": "gpt_oss", "head_dim": 16} | EXPERTS,
    "bases and a scaling outside of layers' objects": {
        "model_type": "gemma3_text", "head_dim": 16, "rope_theta": 700.0, "rope_local_base_freq": 90.0,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
    "one object for all layers": {
        "model_type": "gemma3_text", "head_dim": 16, "rope_parameters": {"rope_type": "linear", "factor": 8.0, "rope_theta": 700.0}},
    "layers' objects without bases": {
        "model_type": "gemma3_text", "head_dim": 16, "rope_theta": 700.0, "rope_local_base_freq": 90.0,
        "original_max_position_embeddings": 100, "rope_parameters": {"full_attention": YARN, "sliding_attention": {"rope_type": "default"}}},
    "an object for some layers": {
        "model_type": "olmo3", "rope_parameters": {"sliding_attention": YARN | {"rope_theta": 700.0}}},
}  # fmt: skip
KINDS = {"phi3": Phi3RotaryEmbedding, "gemma3_text": Gemma3RotaryEmbedding, "olmo3": Olmo3RotaryEmbedding}


def rotary() -> None:
    cases = []
    for name, members in ROTARY.items():
        members = SIZES | {"model_type": "llama"} | members
        if not members["max_position_embeddings"]:  # the class's own
            del members["max_position_embeddings"]
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "config.json").write_text(json.dumps(members))
            config = AutoConfig.from_pretrained(folder)
        embedding = KINDS.get(members["model_type"], LlamaRotaryEmbedding)(config)
        case = {"name": name, "config": members}
        for layers, part in {"": "full_attention_", "windowed_": "sliding_attention_"}.items():
            part = part if hasattr(embedding, part + "inv_freq") else ""
            case[layers + "frequencies"] = getattr(embedding, part + "inv_freq").tolist()
            case[layers + "attention"] = getattr(embedding, part + "attention_scaling")
        cases.append(case)
    (READINGS / "rotary.json").write_text(json.dumps({"transformers": transformers.__version__, "cases": cases}) + "\n")


def untied() -> None:
    source = TESTS / "ModelsTests/Fixtures/families/qwen2"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(source / "config.json", folder)
        tensors = load_file(source / "model.safetensors")
        assert json.loads((source / "config.json").read_text())["tie_word_embeddings"]
        table = tensors["model.embed_tokens.weight"]
        head = (0.3 * torch.randn(table.shape, generator=torch.Generator().manual_seed(9))).bfloat16()
        save_file(tensors | {"lm_head.weight": head}, folder / "model.safetensors", {"format": "pt"})
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        logits = evaluate(model, json.loads((source / "case.json").read_text()))[0][:8].detach().contiguous()
    save_file({"lm_head.weight": head, "logits": logits}, READINGS / "untied.safetensors")


def storage() -> None:
    tensors = {}
    for dtype in (torch.uint8, torch.bfloat16, torch.float32):
        name = str(dtype).split(".")[-1]
        weight = torch.randn(24, 64, generator=torch.Generator().manual_seed(4)).bfloat16()
        linear = bitsandbytes.nn.Linear4bit(
            64, 24, bias=False, compress_statistics=True, quant_type="nf4", quant_storage=dtype)
        linear.weight = bitsandbytes.nn.Params4bit(
            weight, requires_grad=False, compress_statistics=True, quant_type="nf4", quant_storage=dtype, module=linear)
        linear = linear.to("cpu")
        tensors |= {f"{name}.{key}": value for key, value in linear.state_dict().items()}
        tensors[f"{name}.expected"] = bitsandbytes.functional.dequantize_4bit(
            linear.weight.data, linear.weight.quant_state).float()
    save_file(tensors, TESTS / "WeightsTests/Fixtures/nf4_storage.safetensors")
    print({key: (value.dtype, tuple(value.shape)) for key, value in tensors.items() if key.endswith(".weight")})


def main() -> None:
    torch.set_num_threads(1)
    READINGS.mkdir(exist_ok=True)
    rotary()
    untied()
    storage()
    manifest.write(READINGS, "tools/reference/reading_fixtures.py", ["torch", "transformers", "safetensors"])


if __name__ == "__main__":
    main()
