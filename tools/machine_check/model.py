"""A model folder with random weights, a tokenizer of bytes and rows, for runs on a machine that has only PyTorch.

    python3 model.py FOLDER tiny|smollm2
"""

import json
import random
import struct
import sys
from pathlib import Path

import torch

# hidden, intermediate, layers, heads, key-value heads, vocabulary
SHAPES = {"tiny": (64, 128, 2, 4, 2, 264), "smollm2": (576, 1536, 30, 9, 3, 49152)}


def tensors(hidden: int, intermediate: int, layers: int, heads: int, kv: int, vocabulary: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    keys = hidden // heads * kv
    result = {"model.embed_tokens.weight": torch.randn(vocabulary, hidden) * 0.05, "model.norm.weight": torch.ones(hidden)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        for name, outputs, inputs in [
            ("self_attn.q_proj", hidden, hidden),
            ("self_attn.k_proj", keys, hidden),
            ("self_attn.v_proj", keys, hidden),
            ("self_attn.o_proj", hidden, hidden),
            ("mlp.gate_proj", intermediate, hidden),
            ("mlp.up_proj", intermediate, hidden),
            ("mlp.down_proj", hidden, intermediate),
        ]:
            result[f"{prefix}{name}.weight"] = torch.randn(outputs, inputs) * 0.05
        for name in ["input_layernorm", "post_attention_layernorm"]:
            result[f"{prefix}{name}.weight"] = torch.ones(hidden)
    return result


def write_safetensors(path: Path, weights: dict[str, torch.Tensor]) -> None:
    header, offset = {}, 0
    for name, tensor in weights.items():
        size = tensor.numel() * 2
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in weights.values():
            file.write(tensor.to(torch.bfloat16).contiguous().view(torch.uint8).numpy().tobytes())


def tokenizer() -> dict:
    """A token for each byte, in the byte's place, then <s> and </s>; and a pair of zeros, as llama.cpp reads none without merges."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    vocabulary = {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)} | {chr(256) * 2: 258}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": 256 + i, "content": text, **flags} for i, text in enumerate(["<s>", "</s>"])],
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": None,
        "decoder": level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [f"{chr(256)} {chr(256)}"]},
    }


def rows(count: int) -> str:
    random.seed(2)
    lines = []
    for _ in range(count):
        a, b = random.randrange(1000), random.randrange(1000)
        words = " ".join(random.choice(["apples", "pears", "plums", "nuts"]) for _ in range(random.randrange(5, 60)))
        turn = {"human": f"What is {a} plus {b}? {words}", "assistant": f"{a} plus {b} is {a + b}. {words}"}
        lines.append(json.dumps({"conversation": [turn]}))
    return "\n".join(lines) + "\n"


def main() -> None:
    folder, shape = Path(sys.argv[1]), SHAPES[sys.argv[2]]
    folder.mkdir(parents=True, exist_ok=True)
    hidden, intermediate, layers, heads, kv, vocabulary = shape
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": hidden,
        "intermediate_size": intermediate, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv, "vocab_size": vocabulary, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    write_safetensors(folder / "model.safetensors", tensors(*shape))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    special = {"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(special))
    (folder / "rows.jsonl").write_text(rows(400))


main()
