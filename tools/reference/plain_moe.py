"""Mixture-of-experts decoders in plain PyTorch: Mixtral, Qwen1.5-MoE, Qwen3-MoE, DeepSeek-MoE. Every expert is linear layers of its own
under its published name, as checkpoints have them and as PEFT names adapters (transformers 5 fuses them in memory).

Sources: Mixtral (arXiv 2401.04088), Qwen1.5-MoE and DeepSeekMoE (2401.06066) with their published configurations; the
auxiliary loss is that of Switch Transformers (2101.03961), eq. 4 to 6. family_fixtures.py checks the first three against
transformers.
"""

import torch
from plain_decoder import Block, Gated, LlamaLike, RMSNorm, attend, rotate_halves
from plain_families import SeparateAttention
from torch import nn
from torch.nn import functional as F


class Expert(nn.Module):
    """Mixtral's names for gate, down and up."""

    def __init__(self, size: int, inner: int):
        super().__init__()
        self.w1 = nn.Linear(size, inner, bias=False)
        self.w2 = nn.Linear(inner, size, bias=False)
        self.w3 = nn.Linear(size, inner, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class BareRouter(nn.Module):
    """DeepSeek's: a parameter, no linear layer, so it gets no adapter."""

    def __init__(self, size: int, experts: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, size))

    def forward(self, x):
        return F.linear(x, self.weight)


class Experts(nn.Module):
    """y = Σ w_e·f_e(x) over the k experts with the largest probabilities. Keeps the probabilities of each row for the
    auxiliary loss."""

    def __init__(self, gate: nn.Module, experts: list[nn.Module], top: int, normalise: bool):
        super().__init__()
        self.gate, self.experts, self.top, self.normalise = gate, nn.ModuleList(experts), top, normalise
        self.seen = []

    def forward(self, x):
        p = self.gate(x).float().softmax(-1)  # [T, E]
        weights, chosen = p.topk(self.top)
        self.seen.append((p, chosen))
        if self.normalise:
            weights = weights / weights.sum(-1, keepdim=True)
        y = torch.zeros_like(x)
        for e, expert in enumerate(self.experts):
            row, place = torch.where(chosen == e)
            y = y.index_add(0, row, expert(x[row]) * weights[row, place, None])
        return y

    def margin(self) -> float:
        """The least ratio between the last chosen probability and the first that was not."""
        return min((p.topk(self.top + 1).values[:, -2:].log().diff().abs().min().item()) for p, _ in self.seen)


class SharedExperts(Experts):
    """Adds an expert that every token goes through, under `shared_name`; Qwen's has a sigmoid gate."""

    def __init__(self, gate, experts, top, normalise, shared_name: str, shared: nn.Module, shared_gate=None):
        super().__init__(gate, experts, top, normalise)
        self.shared_name = shared_name
        self.add_module(shared_name, shared)
        if shared_gate is not None:
            self.shared_expert_gate = shared_gate

    def forward(self, x):
        y = self.get_submodule(self.shared_name)(x)
        if hasattr(self, "shared_expert_gate"):
            y = self.shared_expert_gate(x).sigmoid() * y
        return super().forward(x) + y


class MixtralBlock(nn.Module):
    """The MLP is called block_sparse_moe."""

    def __init__(self, config: dict, norm):
        super().__init__()
        size, experts = config["hidden_size"], config["num_local_experts"]
        self.self_attn = SeparateAttention(config)
        self.input_layernorm, self.post_attention_layernorm = norm(), norm()
        self.block_sparse_moe = Experts(
            nn.Linear(size, experts, bias=False),
            [Expert(size, config["intermediate_size"]) for _ in range(experts)],
            config["num_experts_per_tok"], normalise=True)  # fmt: skip

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.block_sparse_moe(self.post_attention_layernorm(x))


class SparseModel(LlamaLike):
    """LLaMA whose blocks `make_blocks` replaces."""

    def __init__(self, config: dict, make_block):
        super().__init__(config, lambda: SeparateAttention(config))
        self.settings = config
        norm = lambda: RMSNorm(config["hidden_size"], config["rms_norm_eps"])  # noqa: E731
        self.model.layers = nn.ModuleList(
            make_block(config, layer, norm) for layer in range(config["num_hidden_layers"]))

    def routed(self) -> list[Experts]:
        return [module for module in self.modules() if isinstance(module, Experts)]

    def margin(self) -> float:
        return min(layer.margin() for layer in self.routed())

    def balance_loss(self):
        """coefficient · E · Σ_e f_e·P_e with f_e the share of rows sent to e and P_e its mean probability, both over all
        rows of all layers since the last call."""
        layers = self.routed()
        p = torch.cat([p for layer in layers for p, _ in layer.seen])
        chosen = torch.cat([chosen for layer in layers for _, chosen in layer.seen])
        for layer in layers:
            layer.seen = []
        counts = F.one_hot(chosen, p.shape[1]).sum(1).float()
        return self.settings["router_aux_loss_coef"] * p.shape[1] * (counts.mean(0) * p.mean(0)).sum()


def mixtral(config: dict):
    return SparseModel(config, lambda config, _, norm: MixtralBlock(config, norm))


def qwen2_moe(config: dict):
    size, inner = config["hidden_size"], config["moe_intermediate_size"]

    def block(config, layer, norm):
        attention = SeparateAttention(config, bias=True)
        attention.o_proj = nn.Linear(size, size, bias=False)
        sparse = layer not in config["mlp_only_layers"] and (layer + 1) % config["decoder_sparse_step"] == 0
        mlp = Gated(size, config["intermediate_size"])
        if sparse:
            mlp = SharedExperts(
                nn.Linear(size, config["num_experts"], bias=False),
                [Gated(size, inner) for _ in range(config["num_experts"])],
                config["num_experts_per_tok"], config["norm_topk_prob"], "shared_expert",
                Gated(size, config["shared_expert_intermediate_size"]), nn.Linear(size, 1, bias=False))  # fmt: skip
        return Block(norm, attention, mlp, ("input_layernorm", "post_attention_layernorm"))

    return SparseModel(config, block)


class HeadNormAttention(nn.Module):
    """Heads of `head_dim`, the queries' and the keys' each normed before they turn."""

    def __init__(self, config: dict):
        super().__init__()
        size, self.heads, self.kv = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
        head, self.theta = config["head_dim"], float(config["rope_theta"])
        self.q_proj = nn.Linear(size, self.heads * head, bias=False)
        self.k_proj = nn.Linear(size, self.kv * head, bias=False)
        self.v_proj = nn.Linear(size, self.kv * head, bias=False)
        self.o_proj = nn.Linear(self.heads * head, size, bias=False)
        self.q_norm, self.k_norm = RMSNorm(head, config["rms_norm_eps"]), RMSNorm(head, config["rms_norm_eps"])

    def forward(self, x):
        q = self.q_norm(self.q_proj(x).unflatten(-1, (self.heads, -1)))
        k = self.k_norm(self.k_proj(x).unflatten(-1, (self.kv, -1)))
        v = self.v_proj(x).unflatten(-1, (self.kv, -1))
        return self.o_proj(attend(rotate_halves(q, self.theta), rotate_halves(k, self.theta), v))


def qwen3_moe(config: dict):
    size = config["hidden_size"]

    def block(config, layer, norm):
        sparse = layer not in config["mlp_only_layers"] and (layer + 1) % config["decoder_sparse_step"] == 0
        mlp = Gated(size, config["intermediate_size"])
        if sparse:
            mlp = Experts(
                nn.Linear(size, config["num_experts"], bias=False),
                [Gated(size, config["moe_intermediate_size"]) for _ in range(config["num_experts"])],
                config["num_experts_per_tok"], config["norm_topk_prob"])  # fmt: skip
        return Block(norm, HeadNormAttention(config), mlp, ("input_layernorm", "post_attention_layernorm"))

    return SparseModel(config, block)


class DeepSeek(SparseModel):
    """The first layers dense; shared experts are one MLP of their sizes together; the auxiliary loss is one per layer and
    sequence, E/k in place of E, averaged over sequences and added up over layers."""

    def __init__(self, config: dict):
        size, inner = config["hidden_size"], config["moe_intermediate_size"]

        def block(config, layer, norm):
            sparse = layer >= config["first_k_dense_replace"] and layer % config["moe_layer_freq"] == 0
            mlp = Gated(size, config["intermediate_size"])
            if sparse:
                mlp = SharedExperts(
                    BareRouter(size, config["n_routed_experts"]),
                    [Gated(size, inner) for _ in range(config["n_routed_experts"])],
                    config["num_experts_per_tok"], config["norm_topk_prob"], "shared_experts",
                    Gated(size, inner * config["n_shared_experts"]))  # fmt: skip
            return Block(norm, SeparateAttention(config), mlp, ("input_layernorm", "post_attention_layernorm"))

        super().__init__(config, block)

    def balance_loss(self):
        total = 0.0
        for layer in self.routed():
            for p, chosen in layer.seen:
                share = F.one_hot(chosen, p.shape[1]).sum(1).float().mean(0) / layer.top * p.shape[1]
                total = total + (share * p.mean(0)).sum() / len(layer.seen)
            layer.seen = []
        return self.settings["aux_loss_alpha"] * total
