"""transformers' gpt-oss as family_fixtures.py needs it: with its auxiliary loss over all rows of a batch, and with its experts,
which lie in one tensor a layer, as linear layers of their own.
"""

import torch
import transformers
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssExperts, GptOssTopKRouter, load_balancing_loss_func

LINEARS = {"gate_up_proj": ["gate_proj", "up_proj"], "down_proj": ["down_proj"]}


class BalanceLoss:
    """transformers' auxiliary loss of all rows since the last call."""

    def __init__(self, model):
        self.settings, self.logits = model.config, []
        for module in model.modules():
            if isinstance(module, GptOssTopKRouter):
                module.register_forward_hook(lambda _module, _inputs, outputs: self.logits.append(outputs[0]))

    def margin(self) -> float:
        """The least difference between the logit of the last chosen expert and that of the first that was not."""
        best = torch.cat(self.logits).topk(self.settings.num_experts_per_tok + 1).values
        return (best[:, -2] - best[:, -1]).min().item()

    def __call__(self):
        assert self.margin() > 1e-4, f"a router's choice hangs on rounding: {self.margin()}"
        logits, self.logits = self.logits, []
        s = self.settings
        return s.router_aux_loss_coef * load_balancing_loss_func(tuple(logits), s.num_local_experts, s.num_experts_per_tok)


def make(config: dict):
    settings = transformers.GptOssConfig(**config)
    settings._attn_implementation, settings._experts_implementation = "eager", "eager"
    model = transformers.GptOssForCausalLM(settings)
    model.balance_loss = BalanceLoss(model)
    return model


def parts(name: str, value: torch.Tensor) -> list[tuple[str, torch.Tensor]]:
    """A tensor of experts as those of linear layers [out, in]; another one as it is."""
    prefix, experts, leaf = name.rpartition("experts.")
    linears = LINEARS.get(leaf.removesuffix("_bias"))
    if not experts or linears is None:
        return [(name, value)]
    kind = "bias" if leaf.endswith("_bias") else "weight"
    return [
        (f"{prefix}experts.{expert}.{linear}.{kind}", matrix[..., turn :: len(linears)].t())
        for expert, matrix in enumerate(value)
        for turn, linear in enumerate(linears)
    ]


def spread(model) -> None:
    """Gates and ups of which many lie beyond their bounds."""
    for module in model.modules():
        if isinstance(module, GptOssExperts):
            module.gate_up_proj.data *= 4


def each_linear(model, change) -> None:
    """Puts `change` of every expert's matrix [out, in] in its place."""
    for module in model.modules():
        if isinstance(module, GptOssExperts):
            for leaf, linears in LINEARS.items():
                for matrix in getattr(module, leaf).data:
                    for turn in range(len(linears)):
                        own = matrix[:, turn :: len(linears)]
                        own.copy_(change(own.t().contiguous()).t())
