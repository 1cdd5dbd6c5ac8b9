"""The families of plain_decoder.py: config.json as published → a decoder with the published names.

Sources: the papers and model cards (Baichuan 2, arXiv 2309.10305; Qwen, 2309.16609; InternLM 2, 2403.17297; MiniCPM,
2404.06395; Orion-14B, 2401.12246; GLM-130B and ChatGLM, 2406.12793) and the names in their published checkpoints.
"""

import torch
from plain_decoder import Decoder, LlamaLike, RMSNorm, alibi_slopes, attend, rotate_halves, rotate_pairs
from torch import nn
from torch.nn import functional as F


class SeparateAttention(nn.Module):
    """q_proj, k_proj, v_proj, o_proj, all with a bias or none."""

    def __init__(self, config: dict, bias: bool = False):
        super().__init__()
        size, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.kv, self.theta = config.get("num_key_value_heads") or self.heads, config.get("rope_theta", 10000.0)
        narrow = size // self.heads * self.kv
        self.q_proj = nn.Linear(size, size, bias=bias)
        self.k_proj = nn.Linear(size, narrow, bias=bias)
        self.v_proj = nn.Linear(size, narrow, bias=bias)
        self.o_proj = nn.Linear(size, size, bias=bias)

    def forward(self, x):
        q, k = self.q_proj(x).unflatten(-1, (self.heads, -1)), self.k_proj(x).unflatten(-1, (self.kv, -1))
        v = self.v_proj(x).unflatten(-1, (self.kv, -1))
        return self.o_proj(attend(rotate_halves(q, self.theta), rotate_halves(k, self.theta), v))


# --- LLaMA under other names ---


def xverse(config: dict):
    return LlamaLike(config, lambda: SeparateAttention(config))


def orion(config: dict):
    """Orion-14B: LayerNorm with a bias where LLaMA has RMSNorm."""
    norm = lambda: nn.LayerNorm(config["hidden_size"], eps=config["rms_norm_eps"])  # noqa: E731
    return LlamaLike(config, lambda: SeparateAttention(config), norm)


def internlm(config: dict):
    return LlamaLike(config, lambda: SeparateAttention(config, bias=config["bias"]))


def yi(config: dict):
    """The first Yi: the norms are called ln1 and ln2."""
    return LlamaLike(config, lambda: SeparateAttention(config), norm_names=("ln1", "ln2"))


class MiniCPM(LlamaLike):
    """Embedding times scale_emb; what each half adds times scale_depth / √layers; the head reads
    x / (hidden_size / dim_model_base) and is the embedding."""

    def __init__(self, config: dict):
        super().__init__(config, lambda: SeparateAttention(config))
        self.config_ = config
        for layer in self.model.layers:
            layer.scale = config["scale_depth"] / config["num_hidden_layers"] ** 0.5
        self.lm_head.weight = self.model.embed_tokens.weight

    def logits_of(self, tokens):
        x = self.model(tokens, scale=self.config_["scale_emb"])
        return self.lm_head(x / (self.config_["hidden_size"] / self.config_["dim_model_base"]))


# --- Baichuan ---


class PackedAttention(nn.Module):
    """W_pack is q, k and v one under another. The 7B models turn q and k, the 13B models have ALiBi."""

    def __init__(self, config: dict, alibi: bool):
        super().__init__()
        size, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.W_pack = nn.Linear(size, 3 * size, bias=False)
        self.o_proj = nn.Linear(size, size, bias=False)
        self.slopes = alibi_slopes(self.heads) if alibi else None

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in self.W_pack(x).chunk(3, -1))
        if self.slopes is None:
            q, k = rotate_halves(q), rotate_halves(k)
        return self.o_proj(attend(q, k, v, self.slopes))


class NormHead(nn.Module):
    """Baichuan 2's head: rows of length one."""

    def __init__(self, size: int, vocabulary: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(vocabulary, size))

    def forward(self, x):
        return F.linear(x, F.normalize(self.weight))


def baichuan(config: dict, alibi: bool = False, second: bool = False):
    model = LlamaLike(config, lambda: PackedAttention(config, alibi))
    if second:
        model.lm_head = NormHead(config["hidden_size"], config["vocab_size"])
    return model


# --- InternLM 2 ---


class GroupedAttention(nn.Module):
    """wqkv holds, to each key-value head, its queries, its key and its value."""

    def __init__(self, config: dict):
        super().__init__()
        size, heads = config["hidden_size"], config["num_attention_heads"]
        self.kv, self.head, self.theta = config["num_key_value_heads"], size // heads, config["rope_theta"]
        self.wqkv = nn.Linear(size, (heads + 2 * self.kv) * self.head, bias=config["bias"])
        self.wo = nn.Linear(size, size, bias=config["bias"])

    def forward(self, x):
        groups = self.wqkv(x).unflatten(-1, (self.kv, -1, self.head))  # [T, KV, group + 2, D]
        q, k, v = groups[:, :, :-2].flatten(1, 2), groups[:, :, -2], groups[:, :, -1]
        return self.wo(attend(rotate_halves(q, self.theta), rotate_halves(k, self.theta), v))


class InternLM2Block(nn.Module):
    def __init__(self, config: dict, norm):
        super().__init__()
        size, inner = config["hidden_size"], config["intermediate_size"]
        self.attention = GroupedAttention(config)
        self.feed_forward = nn.ModuleDict({
            "w1": nn.Linear(size, inner, bias=False), "w3": nn.Linear(size, inner, bias=False),
            "w2": nn.Linear(inner, size, bias=False)})  # fmt: skip
        self.attention_norm, self.ffn_norm = norm(), norm()

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        mlp, y = self.feed_forward, self.ffn_norm(x)
        return x + mlp["w2"](F.silu(mlp["w1"](y)) * mlp["w3"](y))


class InternLM2(Decoder):
    def __init__(self, config: dict):
        super().__init__()
        norm = lambda: RMSNorm(config["hidden_size"], config["rms_norm_eps"])  # noqa: E731
        self.model = nn.Module()
        self.model.tok_embeddings = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.model.layers = nn.ModuleList(
            InternLM2Block(config, norm) for _ in range(config["num_hidden_layers"]))
        self.model.norm = norm()
        self.output = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)

    def logits_of(self, tokens):
        x = self.model.tok_embeddings(tokens)
        for layer in self.model.layers:
            x = layer(x)
        return self.output(self.model.norm(x))


# --- Qwen, the first ---


class QwenBlock(nn.Module):
    """c_attn has a bias, the rest none; the MLP is c_proj(w1(x) · silu(w2(x))), `intermediate_size` counting both."""

    def __init__(self, config: dict):
        super().__init__()
        size, inner = config["hidden_size"], config["intermediate_size"] // 2
        self.heads = config["num_attention_heads"]
        width = config["kv_channels"] * self.heads
        self.ln_1 = RMSNorm(size, config["layer_norm_epsilon"])
        self.ln_2 = RMSNorm(size, config["layer_norm_epsilon"])
        self.attn = nn.ModuleDict({
            "c_attn": nn.Linear(size, 3 * width), "c_proj": nn.Linear(width, size, bias=False)})  # fmt: skip
        self.mlp = nn.ModuleDict({
            "w1": nn.Linear(size, inner, bias=False), "w2": nn.Linear(size, inner, bias=False),
            "c_proj": nn.Linear(inner, size, bias=False)})  # fmt: skip

    def forward(self, x):
        packed = self.attn["c_attn"](self.ln_1(x)).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in packed)
        x = x + self.attn["c_proj"](attend(rotate_halves(q), rotate_halves(k), v))
        y = self.ln_2(x)
        return x + self.mlp["c_proj"](self.mlp["w1"](y) * F.silu(self.mlp["w2"](y)))


class Qwen(Decoder):
    def __init__(self, config: dict):
        super().__init__()
        size = config["hidden_size"]
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(config["vocab_size"], size)
        self.transformer.h = nn.ModuleList(QwenBlock(config) for _ in range(config["num_hidden_layers"]))
        self.transformer.ln_f = RMSNorm(size, config["layer_norm_epsilon"])
        self.lm_head = nn.Linear(size, config["vocab_size"], bias=False)

    def logits_of(self, tokens):
        x = self.transformer.wte(tokens)
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


# --- ChatGLM 2 and 3 ---


class ChatGLMBlock(nn.Module):
    """query_key_value: H heads of q, then a few key and value heads, with a bias. The first half of each head turns, in
    neighbouring pairs. dense_h_to_4h is the gate and what it lets through."""

    def __init__(self, config: dict):
        super().__init__()
        size, inner = config["hidden_size"], config["ffn_hidden_size"]
        self.heads, self.head = config["num_attention_heads"], config["kv_channels"]
        self.kv, self.theta = config["multi_query_group_num"], 10000.0 * config.get("rope_ratio", 1)
        self.input_layernorm = RMSNorm(size, config["layernorm_epsilon"])
        self.post_attention_layernorm = RMSNorm(size, config["layernorm_epsilon"])
        width = self.heads * self.head
        self.self_attention = nn.ModuleDict({
            "query_key_value": nn.Linear(size, width + 2 * self.kv * self.head),
            "dense": nn.Linear(width, size, bias=False)})  # fmt: skip
        self.mlp = nn.ModuleDict({
            "dense_h_to_4h": nn.Linear(size, 2 * inner, bias=False),
            "dense_4h_to_h": nn.Linear(inner, size, bias=False)})  # fmt: skip

    def forward(self, x):
        packed = self.self_attention["query_key_value"](self.input_layernorm(x))
        heads = packed.unflatten(-1, (-1, self.head))
        q, k, v = heads.split([self.heads, self.kv, self.kv], 1)
        q, k = (rotate_pairs(part, self.head // 2, self.theta) for part in (q, k))
        x = x + self.self_attention["dense"](attend(q, k, v))
        gate, up = self.mlp["dense_h_to_4h"](self.post_attention_layernorm(x)).chunk(2, -1)
        return x + self.mlp["dense_4h_to_h"](F.silu(gate) * up)


class ChatGLM(Decoder):
    def __init__(self, config: dict):
        super().__init__()
        size = config["hidden_size"]
        transformer, transformer.embedding, transformer.encoder = nn.Module(), nn.Module(), nn.Module()
        self.transformer = transformer
        transformer.embedding.word_embeddings = nn.Embedding(config["padded_vocab_size"], size)
        transformer.encoder.layers = nn.ModuleList(ChatGLMBlock(config) for _ in range(config["num_layers"]))
        transformer.encoder.final_layernorm = RMSNorm(size, config["layernorm_epsilon"])
        transformer.output_layer = nn.Linear(size, config["padded_vocab_size"], bias=False)

    def logits_of(self, tokens):
        x = self.transformer.embedding.word_embeddings(tokens)
        for layer in self.transformer.encoder.layers:
            x = layer(x)
        return self.transformer.output_layer(self.transformer.encoder.final_layernorm(x))
