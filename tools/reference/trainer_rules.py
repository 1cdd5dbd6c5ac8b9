"""Tests/TrainingTests/Fixtures/trainer_rules.json: what transformers' Trainer does with a number of rows that is no multiple
of a step's, and where its EarlyStoppingCallback ends a run. Each number is read off a run of the Trainer itself on a model
of one weight.

    python trainer_rules.py
"""

import json
import pathlib
import tempfile

import torch
import transformers
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

OUT = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Fixtures/trainer_rules.json"

# Rows, rows of a micro-batch, micro-batches of a step, epochs, max_steps, dataloader_drop_last.
RUNS = [
    (31, 1, 16, 1, -1, False), (31, 1, 16, 2, -1, False), (11, 2, 4, 3, -1, False), (11, 2, 4, 1.5, -1, False),
    (12, 2, 2, 2, -1, False), (3, 2, 16, 2, -1, False), (100, 1, 16, 1, 9, False), (11, 2, 2, 1, -1, True),
]  # fmt: skip

# The metric of each evaluation, what is better, patience and threshold.
STOPS = [
    ([3.0, 2.0, 2.5, 1.9, 2.0, 2.1, 1.0], False, 2, 0.0), ([3.0, 2.99, 2.98, 2.97, 2.0], False, 2, 0.1),
    ([3.0, 2.95, 2.9, 2.85, 2.8], False, 3, 0.08), ([0.1, 0.2, 0.2, 0.2, 0.3], True, 2, 0.0),
    ([0.5, 0.4, 0.55, 0.5, 0.5], True, 1, 0.0), ([1.0, 1.0, 0.5, 0.6, 0.4], False, 1, 0.0),
    ([5.0, 4.0, 3.0, 2.0, 1.0], False, 1, 0.5),
]  # fmt: skip


class OneWeight(torch.nn.Module):
    """Its loss is the mean over all targets of the step, as a language model's."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x, num_items_in_batch=None, **_):
        divisor = x.numel() if num_items_in_batch is None else num_items_in_batch
        return {"loss": (self.weight * x).sum() / divisor}


class Watch(TrainerCallback):
    def __init__(self):
        self.epochs, self.rates = [], []

    def on_pre_optimizer_step(self, args, state, control, lr_scheduler=None, **_):
        self.rates.append(lr_scheduler.get_last_lr()[0])

    def on_step_end(self, args, state, control, **_):
        self.epochs.append(state.epoch)


def arguments(folder: str, **changes) -> TrainingArguments:
    settings = dict(
        output_dir=folder, use_cpu=True, report_to="none", disable_tqdm=True, learning_rate=1.0, save_strategy="no",
        lr_scheduler_type="linear", warmup_steps=1, max_grad_norm=0, optim="sgd", logging_strategy="no")  # fmt: skip
    return TrainingArguments(**(settings | changes))


def steps(rows, micro_batch, accumulation, epochs, max_steps, drops_last) -> dict:
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            OneWeight(), arguments(
                folder, per_device_train_batch_size=micro_batch, gradient_accumulation_steps=accumulation,
                num_train_epochs=epochs, max_steps=max_steps, dataloader_drop_last=drops_last),
            train_dataset=[{"x": torch.ones(1)} for _ in range(rows)], callbacks=[watch])  # fmt: skip
        trainer.train()
    return dict(
        rows=rows, micro_batch=micro_batch, accumulation=accumulation, epochs=epochs, max_steps=max_steps,
        drops_last=drops_last, total_steps=trainer.state.max_steps, epoch_after=watch.epochs,
        rate_factors=watch.rates)  # fmt: skip


class Metrics(Trainer):
    """Evaluates to the numbers given."""

    def evaluate(self, *_, **__):
        metrics = {"eval_loss": self.numbers.pop(0)}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def stop(metrics, greater, patience, threshold) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        trainer = Metrics(
            OneWeight(), arguments(
                folder, max_steps=len(metrics), eval_strategy="steps", eval_steps=1, metric_for_best_model="loss",
                greater_is_better=greater),
            train_dataset=[{"x": torch.ones(1)} for _ in range(8)], eval_dataset=[{"x": torch.ones(1)}],
            callbacks=[EarlyStoppingCallback(patience, threshold)])  # fmt: skip
        trainer.numbers = list(metrics)
        trainer.train()
    return dict(
        metrics=metrics, greater_is_better=greater, patience=patience, threshold=threshold,
        evaluations=trainer.state.global_step, best_metric=trainer.state.best_metric)  # fmt: skip


def main() -> None:
    document = dict(
        versions=dict(transformers=transformers.__version__, torch=torch.__version__),
        runs=[steps(*run) for run in RUNS], stops=[stop(*case) for case in STOPS])  # fmt: skip
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
