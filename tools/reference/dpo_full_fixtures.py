#!/usr/bin/env python3
"""Writes Tests/TrainingTests/Fixtures/dpo_full: what TRL's DPOTrainer computes in float32 where all weights of a model are
trained, and where the model is a mixture of experts, whose routers' auxiliary loss TRL adds.

    python tools/reference/dpo_full_fixtures.py [OUT]

The dense models are those of Tests/ModelsTests/Fixtures/tables; the mixture, `mixtral`, lies beside the numbers. The reference is
the model as its files are, the policy begins as that times 1.1; then come steps of plain SGD. expected.safetensors has the
gradients of the first step, case.json the loss and the metrics of it, and the losses of all.
"""

import json
import pathlib
import sys
import tempfile

import peft
import torch
from datasets import Dataset
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, MixtralConfig, MixtralForCausalLM
from trl import DPOConfig

import manifest
from dpo_fixtures import BETA, PACKAGES, ROOT, PreparedTrainer, make_tokenizer

VOCABULARY, STEPS, RATE, SCALE = 24, 4, 0.05, 1.1
TABLES = ROOT / "Tests/ModelsTests/Fixtures/tables"

# The model, TRL's arguments, and the linear layers with pairs; None: all weights are trained.
CASES = {
    "own": ("base_own", dict(loss_type=["sigmoid"]), None),
    "tied": ("base_tied", dict(loss_type=["sigmoid"]), None),
    "ipo": ("base_own", dict(loss_type=["ipo"]), None),
    "rpo": ("base_tied", dict(loss_type=["sigmoid", "sft"], loss_weights=[1.0, 0.7]), None),
    "experts": ("mixtral", dict(loss_type=["sigmoid"]), None),
    "experts_pairs": ("mixtral", dict(loss_type=["sigmoid"]), ["q_proj", "v_proj", "o_proj"]),
}  # fmt: skip


def write_mixture(folder: pathlib.Path) -> None:
    torch.manual_seed(4)
    config = MixtralConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, num_local_experts=3, num_experts_per_tok=2,
        router_aux_loss_coef=0.05, sliding_window=None, tie_word_embeddings=False)  # fmt: skip
    model = MixtralForCausalLM(config)
    for value in model.parameters():
        if value.dim() >= 2:
            torch.nn.init.normal_(value, std=0.3)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def make_pairs() -> list[dict]:
    generator = torch.Generator().manual_seed(3)

    def ids(count: int) -> list[int]:
        return torch.randint(3, VOCABULARY, (count,), generator=generator).tolist()

    return [
        {"prompt_ids": ids(prompt), "chosen_ids": ids(chosen), "rejected_ids": ids(rejected)}
        for prompt, chosen, rejected in [(9, 7, 4), (5, 3, 11)]
    ]


def named(gradients: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """By the names of files: transformers holds a layer's experts in two blocks."""
    split = {}
    for name, gradient in gradients.items():
        name = name.replace(".default", "")
        prefix = name.split("mlp.")[0] + "block_sparse_moe."
        if name.endswith("experts.gate_up_proj"):
            for expert, block in enumerate(gradient):  # [2F, C]
                gate, up = block.chunk(2)
                split[f"{prefix}experts.{expert}.w1.weight"] = gate
                split[f"{prefix}experts.{expert}.w3.weight"] = up
        elif name.endswith("experts.down_proj"):
            for expert, block in enumerate(gradient):  # [C, F]
                split[f"{prefix}experts.{expert}.w2.weight"] = block
        elif name.endswith("mlp.gate.weight"):
            split[prefix + "gate.weight"] = gradient
        else:
            split[name] = gradient
    return {name: gradient.contiguous().clone() for name, gradient in split.items()}


def run(name: str, out: pathlib.Path, pairs: list[dict]) -> tuple[dict, dict[str, torch.Tensor]]:
    folder, options, targets = CASES[name]
    place = out / folder if folder == "mixtral" else TABLES / folder
    model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, attn_implementation="eager")
    config = None
    if targets:
        config = peft.LoraConfig(r=2, lora_alpha=4, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM")
    arguments = DPOConfig(
        output_dir=tempfile.mkdtemp(), beta=BETA, bf16=False, use_cpu=True, report_to="none", max_length=None,
        gradient_checkpointing=False, per_device_train_batch_size=2, **options)  # fmt: skip
    trainer = PreparedTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(pairs), processing_class=make_tokenizer(),
        peft_config=config)
    trainer.model.train()
    trained = {key: value for key, value in trainer.model.named_parameters() if value.requires_grad}
    start = {}
    generator = torch.Generator().manual_seed(11)
    for key, value in trained.items():
        if targets:
            value.data = 0.3 * torch.randn(value.shape, generator=generator)
            start[f"{name}.start.{key.replace('.default', '')}"] = value.data.clone()
        else:
            value.data *= SCALE
    losses, gradients = [], {}
    for step in range(STEPS):
        trainer.model.zero_grad()
        loss = trainer.compute_loss(trainer.model, trainer.data_collator(pairs))
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = named({key: value.grad for key, value in trained.items()})
            metrics = {
                key: values[-1]
                for key, values in trainer._metrics["train"].items()
                if key.startswith(("rewards/", "logps/", "aux"))
            }
        for value in trained.values():
            value.data -= RATE * value.grad
    print(f"{name}: losses {losses}, {len(gradients)} gradients, {metrics}")
    return {"model": folder, "losses": losses, "metrics": metrics}, start | {
        f"{name}.gradient.{key}": value for key, value in gradients.items()
    }


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/TrainingTests/Fixtures/dpo_full"
    out.mkdir(parents=True, exist_ok=True)
    write_mixture(out / "mixtral")
    pairs = make_pairs()
    expected, tensors = {}, {}
    for name in CASES:
        expected[name], numbers = run(name, out, pairs)
        tensors |= numbers
    save_file(tensors, out / "expected.safetensors")
    case = {"rate": RATE, "scale": SCALE, "pairs": pairs, "expected": expected}
    (out / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    manifest.write(out, "tools/reference/dpo_full_fixtures.py", PACKAGES)


if __name__ == "__main__":
    main()
