"""The weights of a LLaMA or a Qwen2 under the names and in the order of other families, which then compute the same function: how
fused projections are cut is checked with weights that say something.

Families without fewer key-value heads than queries' get each key and value once for every query head that reads it. The GLMs turn
neighbours where LLaMA turns halves, so rows of q and k change places; ChatGLM turns half of a head, so its heads are twice as
wide, the other half being zeros.
"""

import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]
LAYER = "model.layers.{}."


class Source:
    """A model's sizes, and its tensors by layer."""

    def __init__(self, model: torch.nn.Module):
        self.config, self.tensors = model.config, model.state_dict()
        self.layers, self.heads = self.config.num_hidden_layers, self.config.num_attention_heads
        self.groups, self.size = self.config.num_key_value_heads, self.config.hidden_size // self.config.num_attention_heads
        self.embedding = self.tensors["model.embed_tokens.weight"]
        self.head = self.tensors.get("lm_head.weight", self.embedding)
        self.theta = self.config.rope_parameters["rope_theta"]

    def layer(self, index: int, name: str) -> torch.Tensor:
        return self.tensors[LAYER.format(index) + name]

    def has_biases(self) -> bool:
        return LAYER.format(0) + "self_attn.q_proj.bias" in self.tensors

    def by_head(self, index: int, kind: str) -> list[torch.Tensor]:
        """q, k and v as [heads, size, …]."""
        parts = [self.layer(index, f"self_attn.{name}.{kind}") for name in ("q_proj", "k_proj", "v_proj")]
        return [part.reshape(-1, self.size, *part.shape[1:]) for part in parts]

    def spread(self, index: int, kind: str) -> list[torch.Tensor]:
        """The same with a key and a value for each query head."""
        q, k, v = self.by_head(index, kind)
        return [q, *(part.repeat_interleave(self.heads // self.groups, 0) for part in (k, v))]

    def kinds(self) -> list[str]:
        return ["weight", "bias"] if self.has_biases() else ["weight"]

    def settings(self, **members) -> dict:
        return {
            "vocab_size": self.config.vocab_size, "hidden_size": self.config.hidden_size,
            "intermediate_size": self.config.intermediate_size, "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads, "num_key_value_heads": self.groups, "rms_norm_eps": self.config.rms_norm_eps,
            "max_position_embeddings": self.config.max_position_embeddings, "rope_theta": self.theta, "hidden_act": "silu",
            "tie_word_embeddings": False, "torch_dtype": "float32",
        } | members  # fmt: skip


def rows(parts: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([part.flatten(0, 1) for part in parts])


def neighbours(part: torch.Tensor) -> torch.Tensor:
    """Rows of heads [heads, size, …] whose halves turn together, so that neighbours do."""
    half = part.shape[1] // 2
    return torch.stack([part[:, :half], part[:, half:]], 2).flatten(1, 2)


def ends(source: Source, embedding: str, norm: str, head: str) -> Tensors:
    return {embedding: source.embedding, norm: source.tensors["model.norm.weight"], head: source.head}


def llama_like(source: Source, index: int) -> Tensors:
    """What most families keep under LLaMA's names."""
    names = ["input_layernorm", "post_attention_layernorm", "self_attn.o_proj", "mlp.down_proj"]
    return {f"{LAYER.format(index)}{name}.weight": source.layer(index, f"{name}.weight") for name in names}


def gate_and_up(source: Source, index: int) -> list[torch.Tensor]:
    return [source.layer(index, f"mlp.{name}.weight") for name in ("gate_proj", "up_proj")]


LLAMA_ENDS = ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight")


def phi3(source: Source) -> tuple[dict, Tensors]:
    tensors = ends(source, *LLAMA_ENDS)
    for index in range(source.layers):
        prefix = LAYER.format(index)
        tensors |= llama_like(source, index) | {
            prefix + "self_attn.qkv_proj.weight": rows(source.by_head(index, "weight")),
            prefix + "mlp.gate_up_proj.weight": torch.cat(gate_and_up(source, index))}  # fmt: skip
    return source.settings(model_type="phi3", original_max_position_embeddings=source.config.max_position_embeddings), tensors


def baichuan(source: Source) -> tuple[dict, Tensors]:
    tensors = ends(source, *LLAMA_ENDS)
    for index in range(source.layers):
        prefix = LAYER.format(index)
        gate, up = gate_and_up(source, index)
        tensors |= llama_like(source, index) | {
            prefix + "self_attn.W_pack.weight": rows(source.spread(index, "weight")),
            prefix + "mlp.gate_proj.weight": gate, prefix + "mlp.up_proj.weight": up}  # fmt: skip
    return source.settings(model_type="baichuan", num_key_value_heads=source.heads), tensors


def internlm2(source: Source) -> tuple[dict, Tensors]:
    tensors = ends(source, "model.tok_embeddings.weight", "model.norm.weight", "output.weight")
    for index in range(source.layers):
        prefix = LAYER.format(index)
        q, k, v = source.by_head(index, "weight")
        grouped = torch.cat([q.reshape(source.groups, -1, *q.shape[2:]), k, v], 1)  # each group's queries, its key, its value
        gate, up = gate_and_up(source, index)
        tensors |= {
            prefix + "attention.wqkv.weight": grouped.flatten(0, 1),
            prefix + "attention.wo.weight": source.layer(index, "self_attn.o_proj.weight"),
            prefix + "attention_norm.weight": source.layer(index, "input_layernorm.weight"),
            prefix + "ffn_norm.weight": source.layer(index, "post_attention_layernorm.weight"),
            prefix + "feed_forward.w1.weight": gate, prefix + "feed_forward.w3.weight": up,
            prefix + "feed_forward.w2.weight": source.layer(index, "mlp.down_proj.weight")}  # fmt: skip
    return source.settings(model_type="internlm2", bias=False), tensors


def qwen(source: Source) -> tuple[dict, Tensors]:
    tensors = ends(source, "transformer.wte.weight", "transformer.ln_f.weight", "lm_head.weight")
    for index in range(source.layers):
        prefix = f"transformer.h.{index}."
        gate, up = gate_and_up(source, index)
        tensors |= {f"{prefix}attn.c_attn.{kind}": rows(source.spread(index, kind)) for kind in source.kinds()}
        tensors |= {
            prefix + "attn.c_proj.weight": source.layer(index, "self_attn.o_proj.weight"),
            prefix + "ln_1.weight": source.layer(index, "input_layernorm.weight"),
            prefix + "ln_2.weight": source.layer(index, "post_attention_layernorm.weight"),
            prefix + "mlp.w2.weight": gate, prefix + "mlp.w1.weight": up,
            prefix + "mlp.c_proj.weight": source.layer(index, "mlp.down_proj.weight")}  # fmt: skip
    settings = source.settings(
        model_type="qwen", intermediate_size=2 * source.config.intermediate_size, kv_channels=source.size,
        rotary_emb_base=source.theta, layer_norm_epsilon=source.config.rms_norm_eps, rotary_pct=1.0, no_bias=True,
        use_dynamic_ntk=False, use_logn_attn=False, seq_length=source.config.max_position_embeddings)  # fmt: skip
    for key in ("num_key_value_heads", "rms_norm_eps", "rope_theta", "hidden_act"):
        del settings[key]
    return settings, tensors


def glm(source: Source) -> tuple[dict, Tensors]:
    tensors = ends(source, *LLAMA_ENDS)
    for index in range(source.layers):
        prefix = LAYER.format(index)
        tensors |= llama_like(source, index)
        tensors[prefix + "mlp.gate_up_proj.weight"] = torch.cat(gate_and_up(source, index))
        for kind in source.kinds():
            q, k, v = source.by_head(index, kind)
            for name, part in (("q_proj", neighbours(q)), ("k_proj", neighbours(k)), ("v_proj", v)):
                tensors[f"{prefix}self_attn.{name}.{kind}"] = part.flatten(0, 1)
    settings = source.settings(
        model_type="glm", attention_bias=source.has_biases(), head_dim=source.size, partial_rotary_factor=1.0)
    return settings, tensors


def chatglm(source: Source) -> tuple[dict, Tensors]:
    tensors = ends(source, "transformer.embedding.word_embeddings.weight", "transformer.encoder.final_layernorm.weight",
                   "transformer.output_layer.weight")  # fmt: skip
    for index in range(source.layers):
        prefix = f"transformer.encoder.layers.{index}."
        for kind in source.kinds():
            q, k, v = source.by_head(index, kind)
            # Heads of twice the size, whose scores are divided by a root √2 larger.
            parts = [neighbours(q) * 2**0.5, neighbours(k), v]
            wide = [torch.cat([part, torch.zeros_like(part)], 1) for part in parts]
            tensors[f"{prefix}self_attention.query_key_value.{kind}"] = rows(wide)
        dense = source.layer(index, "self_attn.o_proj.weight").reshape(-1, source.heads, source.size)
        tensors |= {
            prefix + "self_attention.dense.weight": torch.cat([dense, torch.zeros_like(dense)], 2).flatten(1, 2),
            prefix + "input_layernorm.weight": source.layer(index, "input_layernorm.weight"),
            prefix + "post_attention_layernorm.weight": source.layer(index, "post_attention_layernorm.weight"),
            prefix + "mlp.dense_h_to_4h.weight": torch.cat(gate_and_up(source, index)),
            prefix + "mlp.dense_4h_to_h.weight": source.layer(index, "mlp.down_proj.weight")}  # fmt: skip
    return {
        "model_type": "chatglm", "padded_vocab_size": source.config.vocab_size, "hidden_size": source.config.hidden_size,
        "ffn_hidden_size": source.config.intermediate_size, "num_layers": source.layers,
        "num_attention_heads": source.heads, "kv_channels": 2 * source.size, "multi_query_attention": True,
        "multi_query_group_num": source.groups, "layernorm_epsilon": source.config.rms_norm_eps,
        "seq_length": source.config.max_position_embeddings, "rope_ratio": source.theta / 10000, "rmsnorm": True,
        "add_bias_linear": False, "add_qkv_bias": source.has_biases(), "original_rope": True, "post_layer_norm": True,
        "apply_residual_connection_post_layernorm": False, "tie_word_embeddings": False, "torch_dtype": "float32",
    }, tensors  # fmt: skip


def of(family: str) -> dict:
    """The families that a model's weights can be those of."""
    return {
        "llama": {"phi3": phi3, "baichuan": baichuan, "internlm2": internlm2},
        "qwen2": {"qwen": qwen, "glm": glm, "chatglm": chatglm},
    }.get(family, {})


def write(rewrite, model: torch.nn.Module, tokenizer: pathlib.Path, folder: pathlib.Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings, tensors = rewrite(Source(model))
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, folder / "model.safetensors")
    for path in [*tokenizer.glob("tokenizer*"), *tokenizer.glob("special_tokens_map.json")]:
        shutil.copy(path, folder)
