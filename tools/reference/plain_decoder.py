"""Plain PyTorch decoders for families that transformers does not have, written from their published descriptions:
one row at a time, no cache, no mask tensors kept, every step spelled out. The modules carry the published names, so that
their state dict is a published checkpoint and PEFT names its adapters as users see them.
"""

import math
import types

import torch
from torch import nn
from torch.nn import functional as F


class RMSNorm(nn.Module):
    def __init__(self, size: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x):
        return self.weight * (x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.epsilon))


def angles(length: int, dimensions: int, theta: float = 10000.0):
    """[length, dimensions / 2]"""
    frequencies = 1.0 / theta ** (torch.arange(0, dimensions, 2).float() / dimensions)
    return torch.outer(torch.arange(length).float(), frequencies)


def rotate_halves(x, theta: float = 10000.0):
    """x [T, heads, D]: dimension i turns with i + D/2."""
    turn = angles(x.shape[0], x.shape[-1], theta)[:, None]
    a, b = x.chunk(2, -1)
    return torch.cat([a * turn.cos() - b * turn.sin(), b * turn.cos() + a * turn.sin()], -1)


def rotate_pairs(x, dimensions: int, theta: float = 10000.0):
    """x [T, heads, D]: of the first `dimensions`, 2i turns with 2i + 1; the rest passes."""
    turn = angles(x.shape[0], dimensions, theta)[:, None]
    a, b = x[..., :dimensions:2], x[..., 1:dimensions:2]
    turned = torch.stack([a * turn.cos() - b * turn.sin(), b * turn.cos() + a * turn.sin()], -1).flatten(-2)
    return torch.cat([turned, x[..., dimensions:]], -1)


def alibi_slopes(heads: int):
    """Press et al. 2022: a geometric sequence for a power of two; else that of the power below, and every other one of the
    power above."""
    if heads & (heads - 1) == 0:
        start = 2.0 ** (-8.0 / heads)
        return [start ** (i + 1) for i in range(heads)]
    below = 2 ** int(math.log2(heads))
    return alibi_slopes(below) + alibi_slopes(2 * below)[0::2][: heads - below]


def attend(q, k, v, slopes=None):
    """Causal; q [T, H, D], k and v [T, KV, D] → [T, H·D]."""
    group = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    scores = torch.einsum("qhd,khd->hqk", q, k) / q.shape[-1] ** 0.5
    positions = torch.arange(q.shape[0])
    distance = positions[None, :] - positions[:, None]  # key - query
    if slopes is not None:
        scores = scores + torch.tensor(slopes)[:, None, None] * distance
    scores = scores.masked_fill(distance > 0, float("-inf"))
    return torch.einsum("hqk,khd->qhd", scores.softmax(-1), v).flatten(1)


class Gated(nn.Module):
    """LLaMA's MLP."""

    def __init__(self, size: int, inner: int):
        super().__init__()
        self.gate_proj = nn.Linear(size, inner, bias=False)
        self.up_proj = nn.Linear(size, inner, bias=False)
        self.down_proj = nn.Linear(inner, size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """`self_attn` and `mlp`, each after its norm, each added; the norms' names differ."""

    def __init__(self, norm, attention: nn.Module, mlp: nn.Module, norm_names: tuple[str, str]):
        super().__init__()
        self.self_attn, self.mlp, self.scale, self.norm_names = attention, mlp, 1.0, norm_names
        for name in norm_names:
            self.add_module(name, norm())

    def forward(self, x):
        first, second = (self.get_submodule(name) for name in self.norm_names)
        x = x + self.scale * self.self_attn(first(x))
        return x + self.scale * self.mlp(second(x))


class Stack(nn.Module):
    """Under LLaMA's names."""

    def __init__(self, config: dict, norm, block):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(block() for _ in range(config["num_hidden_layers"]))
        self.norm = norm()

    def forward(self, tokens, scale: float = 1.0):
        x = self.embed_tokens(tokens) * scale
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Decoder(nn.Module):
    """`logits_of` one row; called the way transformers' models are."""

    def forward(self, input_ids, **_):
        return types.SimpleNamespace(logits=self.logits_of(input_ids[0])[None])


class LlamaLike(Decoder):
    """Everything under LLaMA's names, each family with its own attention."""

    def __init__(
        self, config: dict, attention, norm=None,
        norm_names: tuple[str, str] = ("input_layernorm", "post_attention_layernorm"),
    ):  # fmt: skip
        super().__init__()
        size, inner = config["hidden_size"], config["intermediate_size"]
        norm = norm or (lambda: RMSNorm(size, config["rms_norm_eps"]))
        self.model = Stack(config, norm, lambda: Block(norm, attention(), Gated(size, inner), norm_names))
        self.lm_head = nn.Linear(size, config["vocab_size"], bias=False)

    def logits_of(self, tokens):
        return self.lm_head(self.model(tokens))
