"""One folder of Tests/ModelsTests/Fixtures: a model, an adapter, and what a reference computes for one batch."""

import json
import os
import pathlib

import peft
import torch
from safetensors.torch import save_file

import gpt_oss
import manifest

LEAVES = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]

# Three rows, one of a single token, one longer than `max_position_embeddings` of the dynamic case. Labels are already
# shifted: labels[i] is what position i must predict, -1 = no target.
ROW_LENGTHS = [23, 1, 11]

# Gradients of whole models are stored in float16, times this: 2^-11 of each element is a half of what the tests allow.
FULL_SCALE = 1024.0


def make_batch(vocabulary: int) -> dict:
    generator = torch.Generator().manual_seed(7)
    total = sum(ROW_LENGTHS)
    tokens = torch.randint(3, vocabulary, (total,), generator=generator)
    labels = torch.randint(0, vocabulary, (total,), generator=generator)
    labels[torch.rand(total, generator=generator) < 0.4] = -1
    labels[0] = labels[-1] = -1
    labels[ROW_LENGTHS[0]] = 5  # the single-token row has a target
    starts = [0]
    for length in ROW_LENGTHS:
        starts.append(starts[-1] + length)
    return {
        "tokens": tokens.tolist(), "labels": labels.tolist(), "starts": starts,
        "targets": int((labels >= 0).sum()),
    }  # fmt: skip


def evaluate(model, batch: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row alone through the model. Returns logits [T, V] and the sum of the targets' cross-entropies."""
    rows = []
    for start, end in zip(batch["starts"], batch["starts"][1:]):
        tokens = torch.tensor([batch["tokens"][start:end]])
        rows.append(model(input_ids=tokens, use_cache=False).logits[0])
    logits = torch.cat(rows)
    labels = torch.tensor(batch["labels"])
    loss = torch.nn.functional.cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
    return logits, loss


class Case:
    """Collects one folder: model, adapters, `case.json` and `expected.safetensors`."""

    def __init__(self, folder: pathlib.Path, batch: dict):
        self.folder, self.batch = folder, batch
        self.tensors, self.losses, self.balance_losses = {}, {}, {}
        folder.mkdir(parents=True)

    def record(self, name: str, model, gradients_of: tuple[str, ...] = ()) -> None:
        """Logits and loss; gradients of the trainable parameters whose names contain one of `gradients_of`.

        A model with routers adds its auxiliary loss to the mean of the targets' losses."""
        logits, loss = evaluate(model, self.batch)
        self.tensors[f"{name}.logits"] = logits.detach().contiguous()
        self.losses[name] = loss.item()
        total = loss / self.batch["targets"]
        if hasattr(model, "balance_loss"):
            balance = model.balance_loss()
            self.balance_losses[name] = balance.item()
            total = total + balance
        if not gradients_of:
            return
        total.backward()
        for key, parameter in model.named_parameters():
            if parameter.requires_grad and any(part in key for part in gradients_of):
                key = key.replace(".default", "").replace(".modules_to_save", "")
                self.tensors[f"{name}.gradient.{key}"] = parameter.grad.contiguous()

    def record_full(self, model) -> None:
        """The gradients of all weights, `full.gradient.NAME`; logits and loss are those of the base."""
        _, loss = evaluate(model, self.batch)
        total = loss / self.batch["targets"]
        if hasattr(model, "balance_loss"):
            total = total + model.balance_loss()
        total.backward()
        for key, parameter in model.named_parameters():
            for part, gradient in gpt_oss.parts(key, parameter.grad):
                scaled = FULL_SCALE * gradient
                assert scaled.abs().max() < 30_000, part
                self.tensors[f"full.gradient.{part}"] = scaled.half().contiguous()
        model.zero_grad()

    def record_adapter(
        self, name: str, base, modules: list[str] | str = LEAVES, gradients_of: tuple[str, ...] = ("lora_",),
        rank: int = 8, saves: bool = True, task: str | None = "CAUSAL_LM", **options,
    ) -> None:  # fmt: skip
        """Attaches a random non-zero adapter, records its logits and gradients, lets PEFT save it, and takes it off."""
        config = peft.LoraConfig(
            r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=modules, task_type=task, **options)
        model = peft.get_peft_model(base, config)
        generator = torch.Generator().manual_seed(11)
        for key, value in model.named_parameters():
            if "lora_" in key:
                value.data = 0.1 * torch.randn(value.shape, generator=generator)
            elif "modules_to_save" in key:
                value.data = value.data + 0.1 * torch.randn(value.shape, generator=generator)
        self.record(name, model, gradients_of)
        if saves:
            written = model.peft_config["default"]
            written.base_model_name_or_path = ".."
            written.target_modules = sorted(written.target_modules)  # a set otherwise, in a new order each time
            model.save_pretrained(self.folder / f"adapter_{name}")
            (self.folder / f"adapter_{name}" / "README.md").unlink()
        model.unload()

    def finish(self) -> None:
        save_file(self.tensors, self.folder / "expected.safetensors")
        case = self.batch | {"loss_sums": self.losses}
        if self.balance_losses:
            case["balance_losses"] = self.balance_losses
        (self.folder / "case.json").write_text(json.dumps(case) + "\n")


def link_duplicates(folder: pathlib.Path, within: list[pathlib.Path] | None = None) -> None:
    """Files equal to an earlier one become relative links to it; with `within` only files of those folders do."""
    seen: dict[str, pathlib.Path] = {}
    for path in sorted(folder.rglob("*.safetensors"), key=lambda path: (is_inside(path, within or []), path)):
        digest = manifest.sha256(path)
        if digest not in seen:
            seen[digest] = path
        elif within is None or is_inside(path, within):
            path.unlink()
            path.symlink_to(os.path.relpath(seen[digest], path.parent))


def is_inside(path: pathlib.Path, folders: list[pathlib.Path]) -> bool:
    return any(folder in path.parents for folder in folders)
