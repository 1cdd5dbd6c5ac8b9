#!/usr/bin/env python3
"""Writes a model folder with the config.json of a published model, fewer layers, and random weights: bfloat16, sharded
safetensors, a tokenizer copied from elsewhere. For trying real shapes without the real weights.

    python tools/reference/random_folder.py ziya-13b OUT --tokenizer FOLDER_OR_FILE [--layers 2] [--shard-mb 1000]

The tokenizer's ids must be below the model's vocabulary: any smaller one will do.
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file

LONG_FACTORS = [
    1.0591234137867171, 1.1241891283591912, 1.2596935748670968, 1.5380380402321725, 2.093982484148734,
    3.1446935121267696, 4.937952647693647, 7.524541999994549, 10.475458000005451, 13.062047352306353,
    14.85530648787323, 15.906017515851266, 16.461961959767827, 16.740306425132907, 16.87581087164081,
    16.940876586213285]  # fmt: skip

# The values that decide the model, as published (IDEA-CCNL/Ziya-LLaMA-13B-v1, baichuan-inc/Baichuan-7B,
# bigscience/bloom-7b1, openbmb/MiniCPM3-4B, deepseek-ai/DeepSeek-V2-Lite).
CONFIGS = {
    "ziya-13b": dict(
        architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=39410, hidden_size=5120,
        intermediate_size=13824, num_hidden_layers=40, num_attention_heads=40, hidden_act="silu",
        max_position_embeddings=2048, rms_norm_eps=1e-6, initializer_range=0.02, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=2, pad_token_id=0, torch_dtype="float16", use_cache=True),
    "baichuan-7b": dict(
        architectures=["BaiChuanForCausalLM"], model_type="baichuan", vocab_size=64000, hidden_size=4096,
        intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32, hidden_act="silu",
        max_position_embeddings=4096, rms_norm_eps=1e-6, initializer_range=0.02, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=2, pad_token_id=0, torch_dtype="float16", use_cache=True),
    "bloom-7b1": dict(
        architectures=["BloomModel"], model_type="bloom", vocab_size=250880, n_embed=4096, n_layer=30,
        num_attention_heads=32, layer_norm_epsilon=1e-5, initializer_range=0.02, seq_length=2048,
        apply_residual_connection_post_layernorm=False, attention_softmax_in_fp32=True, attention_dropout=0.0,
        hidden_dropout=0.0, bias_dropout_fusion=True, masked_softmax_fusion=True, n_inner=None, offset_alibi=100,
        pretraining_tp=4, skip_bias_add=True, skip_bias_add_qkv=False, unk_token_id=0, bos_token_id=1,
        eos_token_id=2, pad_token_id=3, use_cache=True),
    "minicpm3-4b": dict(
        architectures=["MiniCPM3ForCausalLM"], model_type="minicpm3", vocab_size=73448, hidden_size=2560,
        intermediate_size=6400, num_hidden_layers=62, num_attention_heads=40, num_key_value_heads=40,
        qk_nope_head_dim=64, qk_rope_head_dim=32, q_lora_rank=768, kv_lora_rank=256, hidden_act="silu",
        max_position_embeddings=32768, rms_norm_eps=1e-5, initializer_range=0.1, scale_emb=12, scale_depth=1.4,
        dim_model_base=256, tie_word_embeddings=True, bos_token_id=1, eos_token_id=[2, 73440],
        rope_scaling=dict(
            type="longrope", long_factor=LONG_FACTORS, short_factor=LONG_FACTORS, original_max_position_embeddings=32768),
        torch_dtype="bfloat16", use_cache=True),
    "deepseek-v2-lite": dict(
        architectures=["DeepseekV2ForCausalLM"], model_type="deepseek_v2", vocab_size=102400, hidden_size=2048,
        intermediate_size=10944, num_hidden_layers=27, num_attention_heads=16, num_key_value_heads=16,
        qk_nope_head_dim=128, qk_rope_head_dim=64, q_lora_rank=None, kv_lora_rank=512, v_head_dim=128, hidden_act="silu",
        moe_intermediate_size=1408, n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6, moe_layer_freq=1,
        first_k_dense_replace=1, topk_method="greedy", n_group=1, topk_group=1, norm_topk_prob=False,
        routed_scaling_factor=1.0, scoring_func="softmax", aux_loss_alpha=0.001, seq_aux=True, attention_bias=False,
        max_position_embeddings=163840, rms_norm_eps=1e-6, rope_theta=10000, initializer_range=0.02,
        rope_scaling=dict(
            type="yarn", factor=40, original_max_position_embeddings=4096, beta_fast=32, beta_slow=1, mscale=0.707,
            mscale_all_dim=0.707),
        tie_word_embeddings=False, bos_token_id=100000, eos_token_id=100001, torch_dtype="bfloat16", use_cache=True),
}  # fmt: skip
TOKENIZER_FILES = ["tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json"]


def llama_shapes(config: dict, packed: bool) -> dict[str, list[int]]:
    size, inner = config["hidden_size"], config["intermediate_size"]
    attention = {"W_pack": 3 * size} if packed else {"q_proj": size, "k_proj": size, "v_proj": size}
    shapes = {"model.embed_tokens.weight": [config["vocab_size"], size]}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        for name, rows in (attention | {"o_proj": size}).items():
            shapes[f"{prefix}self_attn.{name}.weight"] = [rows, size]
        if not packed:  # old LLaMA folders hold the angles as well
            shapes[f"{prefix}self_attn.rotary_emb.inv_freq"] = [size // config["num_attention_heads"] // 2]
        for name in ("gate_proj", "up_proj"):
            shapes[f"{prefix}mlp.{name}.weight"] = [inner, size]
        shapes[f"{prefix}mlp.down_proj.weight"] = [size, inner]
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{prefix}{name}.weight"] = [size]
    return shapes | {"model.norm.weight": [size], "lm_head.weight": [config["vocab_size"], size]}


def latent_shapes(config: dict) -> dict[str, list[int]]:
    size, heads, rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    plain, turning, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config.get("v_head_dim", size // heads)
    modules = {
        "kv_a_proj_with_mqa": [rank + turning, size], "kv_a_layernorm": [rank],
        "kv_b_proj": [heads * (plain + value), rank], "o_proj": [size, heads * value]}  # fmt: skip
    if short := config["q_lora_rank"]:
        modules |= {
            "q_a_proj": [short, size], "q_a_layernorm": [short], "q_b_proj": [heads * (plain + turning), short]}  # fmt: skip
    else:
        modules["q_proj"] = [heads * (plain + turning), size]
    shapes = {"model.embed_tokens.weight": [config["vocab_size"], size], "model.norm.weight": [size]}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [config["vocab_size"], size]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        shapes |= {f"{prefix}self_attn.{name}.weight": shape for name, shape in modules.items()}
        shapes |= {f"{prefix}{name}.weight": [size] for name in ("input_layernorm", "post_attention_layernorm")}
        mlps = {"": config["intermediate_size"]}
        if layer >= config.get("first_k_dense_replace", layer + 1):
            inner = config["moe_intermediate_size"]
            shapes[f"{prefix}mlp.gate.weight"] = [config["n_routed_experts"], size]
            mlps = {f"experts.{expert}.": inner for expert in range(config["n_routed_experts"])}
            mlps["shared_experts."] = inner * config["n_shared_experts"]
        for part, inner in mlps.items():
            for name in ("gate_proj", "up_proj"):
                shapes[f"{prefix}mlp.{part}{name}.weight"] = [inner, size]
            shapes[f"{prefix}mlp.{part}down_proj.weight"] = [size, inner]
    return shapes


def bloom_shapes(config: dict) -> dict[str, list[int]]:
    size = config["n_embed"]
    modules = {"word_embeddings_layernorm": [size], "ln_f": [size]}
    for layer in range(config["n_layer"]):
        prefix = f"h.{layer}."
        modules |= {
            f"{prefix}input_layernorm": [size], f"{prefix}post_attention_layernorm": [size],
            f"{prefix}self_attention.query_key_value": [3 * size, size], f"{prefix}self_attention.dense": [size, size],
            f"{prefix}mlp.dense_h_to_4h": [4 * size, size], f"{prefix}mlp.dense_4h_to_h": [size, 4 * size]}  # fmt: skip
    shapes = {"word_embeddings.weight": [config["vocab_size"], size]}
    for name, shape in modules.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def random_tensor(name: str, shape: list[int], generator: torch.Generator) -> torch.Tensor:
    if name.endswith(".bias"):
        return torch.zeros(shape, dtype=torch.bfloat16)
    if len(shape) == 1:
        return torch.ones(shape, dtype=torch.bfloat16)
    return (0.02 * torch.randn(shape, generator=generator)).bfloat16()


def write_weights(out: pathlib.Path, shapes: dict[str, list[int]], shard_bytes: int) -> None:
    shards, size = [[]], 0
    for name, shape in shapes.items():
        count = 2 * torch.Size(shape).numel()
        if size + count > shard_bytes and shards[-1]:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += count
    generator = torch.Generator().manual_seed(1)
    index, total = {}, 0
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        tensors = {name: random_tensor(name, shapes[name], generator) for name in names}
        save_file(tensors, out / file, metadata={"format": "pt"})
        index |= dict.fromkeys(names, file)
        total += sum(tensor.nbytes for tensor in tensors.values())
    document = {"metadata": {"total_size": total}, "weight_map": index}
    (out / "model.safetensors.index.json").write_text(json.dumps(document, indent=2) + "\n")


def copy_tokenizer(source: pathlib.Path, out: pathlib.Path) -> None:
    if source.is_file():
        shutil.copy(source, out / f"tokenizer{source.suffix}")
        source = source.parent
        names = [name for name in TOKENIZER_FILES if not name.startswith("tokenizer.")]
    else:
        names = TOKENIZER_FILES
    for name in names:
        if (source / name).exists():
            shutil.copy(source / name, out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=CONFIGS)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--shard-mb", type=int, default=1000)
    arguments = parser.parse_args()

    is_bloom, is_latent = arguments.model.startswith("bloom"), "kv_lora_rank" in CONFIGS[arguments.model]
    config = CONFIGS[arguments.model] | {"n_layer" if is_bloom else "num_hidden_layers": arguments.layers}
    arguments.out.mkdir(parents=True)
    (arguments.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if is_bloom or is_latent:
        shapes = bloom_shapes(config) if is_bloom else latent_shapes(config)
    else:
        shapes = llama_shapes(config, packed=arguments.model.startswith("baichuan"))
    write_weights(arguments.out, shapes, arguments.shard_mb << 20)
    copy_tokenizer(arguments.tokenizer, arguments.out)


if __name__ == "__main__":
    main()
