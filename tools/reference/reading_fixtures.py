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
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

import manifest
from model_case import evaluate

TESTS = pathlib.Path(__file__).resolve().parents[2] / "Tests"
READINGS = TESTS / "ModelsTests/Fixtures/readings"
SIZES = {"vocab_size": 32, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
         "num_attention_heads": 4, "max_position_embeddings": 128}  # fmt: skip
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}
LONG = {"type": "longrope", "short_factor": [1.0 + i / 8 for i in range(8)], "long_factor": [2.0 + i / 8 for i in range(8)]}
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
}  # fmt: skip


def rotary() -> None:
    cases = []
    for name, members in ROTARY.items():
        members = SIZES | {"model_type": "llama"} | members
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "config.json").write_text(json.dumps(members))
            config = AutoConfig.from_pretrained(folder)
        kind = Phi3RotaryEmbedding if members["model_type"] == "phi3" else LlamaRotaryEmbedding
        embedding = kind(config)
        cases.append({"name": name, "config": members, "frequencies": embedding.inv_freq.tolist(),
                      "attention": embedding.attention_scaling})  # fmt: skip
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
