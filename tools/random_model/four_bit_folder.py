#!/usr/bin/env python3
"""Writes a model folder of random 4-bit weights, tensor by tensor, as transformers + bitsandbytes would save it: for
trying shapes whose weights are not at hand. Needs no package; memory stays at a few megabytes.

    python3 tools/random_model/four_bit_folder.py CONFIG.json OUT --tokenizer DIR

CONFIG.json is a LLaMA-shaped config.json (ziya_13b.json beside this script); the tokenizer's files are copied from DIR.
Codes are uniform, scales such that a weight's standard deviation is about 0.02, norms one; OUT is written whole or not
at all (it is renamed when complete).
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import struct

SHARD_BYTES = 2 << 30
# Dettmers et al., 2023, appendix E.
NF4 = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip


def dynamic_map() -> list[float]:
    """The 8-bit map of double quantization: seven decades, each with twice the steps of the one below, both signs."""
    values = [0.0, 1.0]
    for i in range(7):
        steps = 2**i
        bounds = [0.1 + 0.9 * j / steps for j in range(steps + 1)]
        means = [10.0 ** (i - 6) * (a + b) / 2 for a, b in zip(bounds, bounds[1:])]
        values += means + [-mean for mean in means]
    return sorted(values)


class Tensors:
    """The tensors of the model in the order they are written, as (name, type, shape, writer of its bytes)."""

    def __init__(self, config: dict):
        self.hidden, self.vocabulary = config["hidden_size"], config["vocab_size"]
        self.intermediate, self.layers = config["intermediate_size"], config["num_hidden_layers"]
        heads = config["num_attention_heads"]
        head = config.get("head_dim", self.hidden // heads)
        self.query, self.key = heads * head, config.get("num_key_value_heads", heads) * head
        self.tied = config.get("tie_word_embeddings", False)
        self.random = random.Random(42)
        self.normals = floats_to_bf16([self.random.gauss(0, 0.02) for _ in range(1 << 16)])

    def all(self):
        yield self.dense("model.embed_tokens.weight", [self.vocabulary, self.hidden])
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}."
            for name, rows, columns in [
                ("self_attn.q_proj", self.query, self.hidden), ("self_attn.k_proj", self.key, self.hidden),
                ("self_attn.v_proj", self.key, self.hidden), ("self_attn.o_proj", self.hidden, self.query),
                ("mlp.gate_proj", self.intermediate, self.hidden), ("mlp.up_proj", self.intermediate, self.hidden),
                ("mlp.down_proj", self.hidden, self.intermediate),
            ]:  # fmt: skip
                yield from self.four_bit(f"{prefix}{name}.weight", rows, columns)
            for norm in ["input_layernorm", "post_attention_layernorm"]:
                yield self.ones(f"{prefix}{norm}.weight")
        yield self.ones("model.norm.weight")
        if not self.tied:
            yield self.dense("lm_head.weight", [self.vocabulary, self.hidden])

    def ones(self, name: str):
        return name, "BF16", [self.hidden], [floats_to_bf16([1.0]) * self.hidden]

    def dense(self, name: str, shape: list[int]):
        def pieces():
            left = shape[0] * shape[1] * 2
            while left > 0:
                start = self.random.randrange(1 << 15) * 2
                piece = (self.normals[start:] + self.normals[:start])[:left]
                left -= len(piece)
                yield piece

        return name, "BF16", shape, pieces()

    def four_bit(self, name: str, rows: int, columns: int):
        count = rows * columns
        blocks = (count + 63) // 64
        nested = (blocks + 255) // 256
        state = {
            "quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [rows, columns],
            "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.036,
        }  # fmt: skip
        text = json.dumps(state).encode()
        yield name, "U8", [(count + 1) // 2, 1], random_bytes((count + 1) // 2)
        yield f"{name}.absmax", "U8", [blocks], random_bytes(blocks)
        yield f"{name}.quant_map", "F32", [16], [struct.pack("<16f", *NF4)]
        yield f"{name}.nested_absmax", "F32", [nested], [struct.pack("<f", 0.01) * nested]
        yield f"{name}.nested_quant_map", "F32", [256], [struct.pack("<256f", *dynamic_map())]
        yield f"{name}.quant_state.bitsandbytes__nf4", "U8", [len(text)], [text]


def random_bytes(count: int):
    while count > 0:
        piece = os.urandom(min(count, 4 << 20))
        count -= len(piece)
        yield piece


def floats_to_bf16(values: list[float]) -> bytes:
    return b"".join(struct.pack("<f", value)[2:] for value in values)


def write_shard(path: pathlib.Path, tensors: list) -> None:
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, kind, shape, _ in tensors:
        size = byte_count(kind, shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, _, pieces in tensors:
            for piece in pieces:
                file.write(piece)


def byte_count(kind: str, shape: list[int]) -> int:
    count = {"U8": 1, "BF16": 2, "F32": 4}[kind]
    for extent in shape:
        count *= extent
    return count


def shards(tensors):
    """Groups of at most SHARD_BYTES."""
    group, size = [], 0
    for tensor in tensors:
        bytes_ = byte_count(tensor[1], tensor[2])
        if group and size + bytes_ > SHARD_BYTES:
            yield group
            group, size = [], 0
        group.append(tensor)
        size += bytes_
    yield group


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True, help="a folder with the tokenizer's files")
    options = parser.parse_args()
    if options.out.exists():
        parser.error(f"{options.out} exists already")

    config = json.loads(options.config.read_text())
    partial = options.out.with_name(options.out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in options.tokenizer.iterdir():
        if file.name.startswith("tokenizer") or file.name in ("special_tokens_map.json", "vocab.json", "merges.txt"):
            shutil.copy(file, partial)

    groups = list(shards(Tensors(config).all()))
    weight_map, total = {}, 0
    for index, group in enumerate(groups):
        name = f"model-{index + 1:05d}-of-{len(groups):05d}.safetensors"
        write_shard(partial / name, group)
        weight_map.update({tensor[0]: name for tensor in group})
        total += sum(byte_count(kind, shape) for _, kind, shape, _ in group)
    index_text = json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=1)
    (partial / "model.safetensors.index.json").write_text(index_text)
    config["quantization_config"] = {
        "quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False,
        "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": "bfloat16",
        "bnb_4bit_quant_storage": "uint8",
    }  # fmt: skip
    (partial / "config.json").write_text(json.dumps(config, indent=2))
    partial.rename(options.out)
    print(f"{options.out}: {len(groups)} shards, {total / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
