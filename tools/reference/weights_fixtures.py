#!/usr/bin/env python3
"""Writes Tests/WeightsTests/Fixtures: a tiny random LLaMA as GGUF with every supported tensor type, and what transformers
reads from it; 4-bit tensors as bitsandbytes saves them, and what it decodes them to; experts of gpt-oss in MXFP4, and
what transformers decodes them to; llama/, llama_sharded/, llama_nf4/: folders that transformers wrote; torch/: files of torch.save.

    python tools/reference/weights_fixtures.py [OUT]

Needs torch, transformers, bitsandbytes, safetensors, gguf, accelerate (requirements.txt).
"""

import json
import pathlib
import shutil
import sys

import bitsandbytes.functional as bnb
import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["torch", "transformers", "bitsandbytes", "safetensors", "gguf", "numpy"]

VOCABULARY, HIDDEN, MLP, LAYERS = 32, 256, 16, 2
HEADS, KEY_VALUE_HEADS, HEAD_DIM = 4, 2, 8

# Types of the matrices, layer by layer; rows of 256 take K-quants, rows of 16 or 32 what they are a multiple of.
TYPES = {
    "attn_q": [Type.Q4_K, Type.Q4_1], "attn_k": [Type.Q6_K, Type.F16], "attn_v": [Type.Q5_K, Type.Q5_0],
    "attn_output": [Type.Q4_0, Type.Q5_1], "ffn_gate": [Type.Q8_0, Type.BF16], "ffn_up": [Type.Q4_1, Type.Q5_1],
    "ffn_down": [Type.F32, Type.F16],
}  # fmt: skip
SHAPES = {
    "attn_q": (HEADS * HEAD_DIM, HIDDEN), "attn_k": (KEY_VALUE_HEADS * HEAD_DIM, HIDDEN),
    "attn_v": (KEY_VALUE_HEADS * HEAD_DIM, HIDDEN), "attn_output": (HIDDEN, HEADS * HEAD_DIM),
    "ffn_gate": (MLP, HIDDEN), "ffn_up": (MLP, HIDDEN), "ffn_down": (HIDDEN, MLP),
}  # fmt: skip

# What the metadata decides of a config.json.
CONFIG_KEYS = [
    "attention_bias", "bos_token_id", "eos_token_id", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
    "max_position_embeddings", "mlp_bias", "model_type", "num_attention_heads", "num_hidden_layers",
    "num_key_value_heads", "pad_token_id", "rms_norm_eps", "rope_parameters", "tie_word_embeddings", "vocab_size",
]  # fmt: skip

# Where a K-quant block keeps its half-precision scales: byte offsets, and the block's size.
K_SCALES = {Type.Q4_K: ([0, 2], 144), Type.Q5_K: ([0, 2], 176), Type.Q6_K: ([208], 210)}


def random_k_blocks(generator: np.random.Generator, shape: tuple[int, int], kind: Type) -> np.ndarray:
    """Random codes under scales of about 0.001: the gguf package cannot quantize to these types."""
    offsets, size = K_SCALES[kind]
    blocks = generator.integers(0, 256, (shape[0], shape[1] // 256, size), dtype=np.uint8)
    for offset in offsets:
        scales = generator.uniform(2e-4, 2e-3, blocks.shape[:2]).astype(np.float16)
        blocks[..., offset : offset + 2] = scales[..., None].view(np.uint8)
    return blocks.reshape(shape[0], -1)


def add_matrix(writer: gguf.GGUFWriter, generator: np.random.Generator, name: str, shape, kind: Type) -> None:
    if kind in K_SCALES:
        data = random_k_blocks(generator, shape, kind)
    else:
        data = gguf.quantize(generator.normal(0, 0.05, shape).astype(np.float32), kind)
    writer.add_tensor(f"{name}.weight", data, raw_dtype=kind)


def write_llama(path: pathlib.Path) -> None:
    generator = np.random.default_rng(20)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_VALUE_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(50000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["<unk>", "<s>", "</s>"] + [f"▁{index}" for index in range(VOCABULARY - 3)])
    writer.add_token_scores([-float(index) for index in range(VOCABULARY)])
    writer.add_token_types([2, 3, 3] + [1] * (VOCABULARY - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    add_matrix(writer, generator, "token_embd", (VOCABULARY, HIDDEN), Type.Q6_K)
    add_matrix(writer, generator, "output", (VOCABULARY, HIDDEN), Type.Q8_0)
    norms = ["output_norm"] + [f"blk.{layer}.{name}" for layer in range(LAYERS) for name in ("attn_norm", "ffn_norm")]
    for name in norms:
        writer.add_tensor(f"{name}.weight", generator.normal(1, 0.1, HIDDEN).astype(np.float32))
    for layer in range(LAYERS):
        for name, kinds in TYPES.items():
            add_matrix(writer, generator, f"blk.{layer}.{name}", SHAPES[name], kinds[layer])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_expected_llama(folder: pathlib.Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file="llama.gguf", dtype=torch.float32)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "llama_expected.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict()
    (folder / "llama_expected_config.json").write_text(
        json.dumps({key: config[key] for key in CONFIG_KEYS}, indent=2) + "\n"
    )


def write_nf4(folder: pathlib.Path) -> None:
    """`double`: more than one nested block, bfloat16; `plain`: a last block that is not full, float16."""
    torch.manual_seed(21)
    stored, expected = {}, {}
    for name, shape, dtype, double in [
        ("double", (20, 960), torch.bfloat16, True),
        ("plain", (6, 50), torch.float16, False),
    ]:
        weight = (torch.randn(shape) * 0.05).to(dtype)
        codes, state = bnb.quantize_4bit(weight, blocksize=64, compress_statistics=double, quant_type="nf4")
        stored[f"{name}.weight"] = codes
        for key, value in state.as_dict(packed=True).items():
            stored[f"{name}.weight.{key}"] = value
        expected[f"{name}.weight"] = bnb.dequantize_4bit(codes, state).float()
        expected[f"{name}.original"] = weight
    save_file(stored, folder / "nf4.safetensors", metadata={"format": "pt"})
    save_file(expected, folder / "nf4_expected.safetensors", metadata={"format": "pt"})


def write_folders(folder: pathlib.Path) -> None:
    """A tiny random LLaMA in bfloat16, the same in shards, and loaded and saved as NF4 with double quantization."""
    torch.manual_seed(23)
    config = LlamaConfig(
        vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=128, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False)  # fmt: skip
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder / "llama")
    model.save_pretrained(folder / "llama_sharded", max_shard_size="30KB")
    quantization = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16)  # fmt: skip
    quantised = AutoModelForCausalLM.from_pretrained(
        folder / "llama", quantization_config=quantization, dtype=torch.bfloat16, device_map={"": "cpu"})  # fmt: skip
    quantised.save_pretrained(folder / "llama_nf4")


def state_dict() -> dict[str, torch.Tensor]:
    """What a model's state dict can hold: its own attributes, every type, views of a shared storage, parameters."""
    torch.manual_seed(22)
    state = torch.nn.Linear(3, 5).state_dict()
    block = torch.randn(6, 8)
    state |= {"transposed": block.t(), "columns": block[:, 2:5], "rows": block[1:3], "whole": block}
    state |= {"half": torch.randn(4, 3).half(), "bfloat": torch.randn(7).bfloat16(), "double": torch.randn(2).double()}
    state |= {"long": torch.arange(3), "bool": torch.tensor([True, False]), "scalar": torch.tensor(1.5)}
    state |= {"empty": torch.zeros(0, 4), "cube": torch.randn(4, 3, 2).permute(2, 0, 1)}
    state["parameter"] = torch.nn.Parameter(torch.ones(2, 2))
    state["negated"] = (-block).t()
    return state


def write_torch(folder: pathlib.Path) -> None:
    """One state dict in both formats of torch.save; a folder in two shards; what is no state dict; the adapter of
    Tests/CLITests as older PEFT saved adapters."""
    folder.mkdir()
    state = state_dict()
    torch.save(state, folder / "state.bin")
    torch.save(state, folder / "old.bin", _use_new_zipfile_serialization=False)
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
    save_file(tensors, folder / "state.safetensors", metadata={"format": "pt"})
    torch.save({"epoch": 3, "model": tensors}, folder / "nested.bin")
    torch.save(torch.nn.Linear(1, 1), folder / "module.bin")
    sharded = folder / "sharded"
    sharded.mkdir()
    (sharded / "config.json").write_text('{"model_type": "llama"}\n')
    parts = {"pytorch_model-00001-of-00002.bin": ["weight", "bias"], "pytorch_model-00002-of-00002.bin": ["half"]}
    for file, names in parts.items():
        torch.save({name: state[name] for name in names}, sharded / file)
    index = {"metadata": {}, "weight_map": {name: file for file, names in parts.items() for name in names}}
    (sharded / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")
    adapter = ROOT / "Tests/CLITests/Fixtures/run/adapter"
    (folder / "adapter").mkdir()
    torch.save(load_file(adapter / "adapter_model.safetensors"), folder / "adapter/adapter_model.bin")
    shutil.copy(adapter / "adapter_config.json", folder / "adapter")


def write_mxfp4(folder: pathlib.Path) -> None:
    """Two experts of 64 inputs, and gate and up of 3 outputs each in turn."""
    generator = np.random.default_rng(8)
    blocks = torch.from_numpy(generator.integers(0, 256, (2, 6, 2, 16), dtype=np.uint8))
    scales = torch.from_numpy(generator.integers(110, 131, (2, 6, 2), dtype=np.uint8))
    values = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
    save_file({"blocks": blocks, "scales": scales, "values": values.contiguous()}, folder / "mxfp4.safetensors")


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/WeightsTests/Fixtures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_llama(folder / "llama.gguf")
    write_expected_llama(folder)
    write_nf4(folder)
    write_mxfp4(folder)
    write_folders(folder)
    write_torch(folder / "torch")
    manifest.write(folder, "tools/reference/weights_fixtures.py", PACKAGES)


if __name__ == "__main__":
    main()
