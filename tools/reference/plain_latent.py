"""DeepSeek-V2 in plain PyTorch: latent attention and experts as linear layers under their published names (transformers 5
fuses the experts in memory, so that PEFT cannot name them).

Sources: DeepSeek-V2 (arXiv 2405.04434) with the published configurations; YaRN (2309.00071). family_fixtures.py checks the
logits against transformers, which has no auxiliary loss for this family; that is DeepSeek-MoE's.
"""

import math

import torch
from plain_decoder import Block, Gated, RMSNorm
from plain_moe import BareRouter, DeepSeek, SharedExperts
from torch import nn


def yarn_scale(factor: float, m: float) -> float:
    return 0.1 * m * math.log(factor) + 1.0 if factor > 1 else 1.0


def yarn_angles(length: int, dimensions: int, config: dict):
    """[length, dimensions / 2]: of each frequency a share is divided by the factor, by how often it turns over the original
    length."""
    scaling, theta = config["rope_scaling"], config["rope_theta"]
    plain = 1.0 / theta ** (torch.arange(0, dimensions, 2).float() / dimensions)
    if scaling is None:
        return torch.outer(torch.arange(length).float(), plain)

    def place(turns: float) -> float:
        original = scaling["original_max_position_embeddings"]
        return dimensions * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low = max(math.floor(place(scaling["beta_fast"])), 0)
    high = min(math.ceil(place(scaling["beta_slow"])), dimensions - 1)
    share = ((torch.arange(dimensions // 2).float() - low) / max(high - low, 0.001)).clamp(0, 1)
    return torch.outer(torch.arange(length).float(), plain * (1 - share) + plain / scaling["factor"] * share)


class LatentAttention(nn.Module):
    """Keys and values of all heads come from one normed short vector, queries from another or from the input; the last part of
    each head turns, 2i with 2i + 1, and is one for all heads in the keys."""

    def __init__(self, config: dict):
        super().__init__()
        size, self.heads, self.config = config["hidden_size"], config["num_attention_heads"], config
        self.plain, self.turning = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
        width, rank = self.plain + self.turning, config["kv_lora_rank"]
        if config["q_lora_rank"] is None:
            self.q_proj = nn.Linear(size, self.heads * width, bias=False)
        else:
            self.q_a_proj = nn.Linear(size, config["q_lora_rank"], bias=False)
            self.q_a_layernorm = RMSNorm(config["q_lora_rank"], 1e-6)
            self.q_b_proj = nn.Linear(config["q_lora_rank"], self.heads * width, bias=False)
        self.kv_a_proj_with_mqa = nn.Linear(size, rank + self.turning, bias=False)
        self.kv_a_layernorm = RMSNorm(rank, 1e-6)
        self.kv_b_proj = nn.Linear(rank, self.heads * (self.plain + config["v_head_dim"]), bias=False)
        self.o_proj = nn.Linear(self.heads * config["v_head_dim"], size, bias=False)

    def turn(self, x):
        """x [T, heads, P]"""
        turn, factor = yarn_angles(x.shape[0], self.turning, self.config)[:, None], 1.0
        if scaling := self.config["rope_scaling"]:
            factor = yarn_scale(scaling["factor"], scaling["mscale"]) / yarn_scale(scaling["factor"], scaling["mscale_all_dim"])
        a, b, cos, sin = x[..., ::2], x[..., 1::2], turn.cos() * factor, turn.sin() * factor
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)

    def forward(self, x):
        q = self.q_proj(x) if hasattr(self, "q_proj") else self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x)))
        plain, turning = q.unflatten(-1, (self.heads, -1)).split([self.plain, self.turning], -1)
        q = torch.cat([plain, self.turn(turning)], -1)
        short, turning = self.kv_a_proj_with_mqa(x).split([self.config["kv_lora_rank"], self.turning], -1)
        both = self.kv_b_proj(self.kv_a_layernorm(short)).unflatten(-1, (self.heads, -1))
        plain, v = both.split([self.plain, self.config["v_head_dim"]], -1)
        k = torch.cat([plain, self.turn(turning[:, None]).expand(-1, self.heads, -1)], -1)
        scale = q.shape[-1] ** -0.5
        if scaling := self.config["rope_scaling"]:
            scale *= yarn_scale(scaling["factor"], scaling["mscale_all_dim"]) ** 2
        scores = scale * torch.einsum("qhd,khd->hqk", q, k)
        later = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
        p = scores.masked_fill(later, float("-inf")).softmax(-1)
        return self.o_proj(torch.einsum("hqk,khd->qhd", p, v).flatten(1))


class LimitedExperts(SharedExperts):
    """DeepSeek-V2's router: the groups with the most probable experts first, then the k most probable experts of those; their
    probabilities times `scale`. `seen` keeps all probabilities for the auxiliary loss."""

    def __init__(self, config: dict):
        size, inner = config["hidden_size"], config["moe_intermediate_size"]
        super().__init__(
            BareRouter(size, config["n_routed_experts"]),
            [Gated(size, inner) for _ in range(config["n_routed_experts"])],
            config["num_experts_per_tok"], config["norm_topk_prob"], "shared_experts",
            Gated(size, inner * config["n_shared_experts"]))  # fmt: skip
        self.scale, self.margins = config["routed_scaling_factor"], []
        limited = config["topk_method"] == "group_limited_greedy"
        self.groups, self.chosen = (config["n_group"], config["topk_group"]) if limited else (1, 1)

    def allowed(self, p):
        """p with 0 for the experts of groups that a row does not go to."""
        best = p.unflatten(-1, (self.groups, -1)).amax(-1)  # [T, groups]
        self.note(best, self.chosen)
        mask = torch.zeros_like(best).scatter(1, best.topk(self.chosen).indices, 1.0)
        return p * mask.repeat_interleave(p.shape[1] // self.groups, 1)

    def note(self, p, count: int):
        """How far the last of the chosen is from the next."""
        if count < p.shape[1]:
            self.margins.append(p.topk(count + 1).values[:, -2:].log().diff().abs().min().item())

    def margin(self) -> float:
        return min(self.margins)

    def forward(self, x):
        p = self.gate(x).float().softmax(-1)
        allowed = self.allowed(p)
        self.note(allowed, self.top)
        weights, chosen = allowed.topk(self.top)
        self.seen.append((p, chosen))
        y = self.shared_experts(x)
        for e, expert in enumerate(self.experts):
            row, place = torch.where(chosen == e)
            y = y.index_add(0, row, self.scale * expert(x[row]) * weights[row, place, None])
        return y


class DeepSeekV2(DeepSeek):
    def __init__(self, config: dict):
        super().__init__(config)
        norm = lambda: RMSNorm(config["hidden_size"], config["rms_norm_eps"])  # noqa: E731
        self.model.layers = nn.ModuleList(
            Block(
                norm, LatentAttention(config),
                LimitedExperts(config) if layer >= config["first_k_dense_replace"]
                else Gated(config["hidden_size"], config["intermediate_size"]),
                ("input_layernorm", "post_attention_layernorm"))
            for layer in range(config["num_hidden_layers"]))  # fmt: skip
