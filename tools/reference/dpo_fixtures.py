#!/usr/bin/env python3
"""Writes Tests/TrainingTests/Fixtures/dpo: what TRL's DPOTrainer computes in float32 for two preference pairs, with the tiny
model and the adapter of Tests/ModelsTests/Fixtures/gqa, for every loss that Firefly has.

    python tools/reference/dpo_fixtures.py [OUT]

Needs torch, transformers, peft, trl, safetensors (requirements.txt). Fixtures/dpo/README.md describes the files.
"""

import json
import pathlib
import sys
import tempfile

import peft
import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "Tests/ModelsTests/Fixtures/gqa"
PACKAGES = ["torch", "transformers", "peft", "trl", "safetensors"]
BETA = 0.1

# TRL's arguments for each case. Sigmoid with label smoothing, the original's, is today's "aot" of one pair at a time.
CASES = {
    "sigmoid": dict(loss_type=["sigmoid"]),
    "smoothed": dict(loss_type=["aot"], label_smoothing=0.2),
    "robust": dict(loss_type=["robust"], label_smoothing=0.1),
    "hinge": dict(loss_type=["hinge"]),
    "ipo": dict(loss_type=["ipo"]),
    "rpo": dict(loss_type=["sigmoid", "sft"], loss_weights=[1.0, 0.7]),
    # The reference is the adapter that training starts from, and the policy that adapter times 1.5.
    "start": dict(loss_type=["sigmoid"]),
}  # fmt: skip


class PreparedTrainer(DPOTrainer):
    """Takes rows of ids as they are."""

    def _prepare_dataset(self, dataset, *_):
        return dataset


def make_pairs() -> list[dict]:
    generator = torch.Generator().manual_seed(3)

    def ids(count: int) -> list[int]:
        return torch.randint(3, 211, (count,), generator=generator).tolist()

    return [
        {"prompt_ids": ids(prompt), "chosen_ids": ids(chosen), "rejected_ids": ids(rejected)}
        for prompt, chosen, rejected in [(9, 7, 4), (5, 3, 11)]
    ]


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Never asked: the rows are ids already."""
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<s>")), pad_token="<pad>", eos_token="</s>")


def make_trainer(name: str, pairs: list[dict]) -> DPOTrainer:
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager")
    adapter = MODEL / "adapter_lora"
    config = None
    if name == "start":
        model = peft.PeftModel.from_pretrained(model, adapter, is_trainable=True)
    else:
        config = peft.LoraConfig.from_pretrained(adapter)
        config.inference_mode = False
    arguments = DPOConfig(
        output_dir=tempfile.mkdtemp(), beta=BETA, bf16=False, use_cpu=True, report_to="none", max_length=None,
        gradient_checkpointing=False, per_device_train_batch_size=2, **CASES[name])  # fmt: skip
    trainer = PreparedTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(pairs), processing_class=make_tokenizer(),
        peft_config=config)
    if name == "start":
        for key, value in trainer.model.named_parameters():
            if "lora_" in key and ".default." in key:
                value.data *= 1.5
    else:
        peft.set_peft_model_state_dict(trainer.model, load_file(adapter / "adapter_model.safetensors"))
    return trainer


def run(name: str, pairs: list[dict]) -> tuple[dict, dict[str, torch.Tensor]]:
    """Loss and metrics, and the gradients by PEFT's names."""
    trainer = make_trainer(name, pairs)
    trainer.model.train()
    batches = [[pair] for pair in pairs] if name == "smoothed" else [pairs]
    total = 0.0
    for batch in batches:
        loss = trainer.compute_loss(trainer.model, trainer.data_collator(batch)) / len(batches)
        loss.backward()
        total += loss.item()
    metrics = {
        key: sum(values) / len(values)
        for key, values in trainer._metrics["train"].items()
        if key.startswith(("rewards/", "logps/"))
    }
    gradients = {
        f"{name}.{key.replace('.default', '')}": value.grad.contiguous()
        for key, value in trainer.model.named_parameters()
        if value.requires_grad
    }
    print(f"{name}: loss {total:.6f}, {len(gradients)} gradients, {metrics}")
    return {"loss": total, "metrics": metrics}, gradients


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/TrainingTests/Fixtures/dpo"
    out.mkdir(parents=True, exist_ok=True)
    pairs = make_pairs()
    expected, tensors = {}, {}
    for name in CASES:
        expected[name], gradients = run(name, pairs)
        tensors |= gradients
    save_file(tensors, out / "expected.safetensors")
    (out / "case.json").write_text(json.dumps({"beta": BETA, "pairs": pairs, "expected": expected}, indent=1) + "\n")
    manifest.write(out, "tools/reference/dpo_fixtures.py", PACKAGES)


if __name__ == "__main__":
    main()
