"""Tests/TrainingTests/Fixtures/trainer_rules.json: what transformers' Trainer does with a number of rows that is no multiple
of a step's, where its EarlyStoppingCallback ends a run, after which steps it logs, evaluates and saves, and the learning
rates of its schedules. Each number is read off a run of the Trainer itself on a model of one weight, or off get_scheduler.

    python trainer_rules.py [COUNT [OUT]]

COUNT: of the random runs and schedules.
"""

import json
import pathlib
import random
import sys
import tempfile

import torch
import transformers
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments, get_scheduler

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


class Recorded(Metrics):
    """Notes when it logs a loss, evaluates and saves, and does no more."""

    def log(self, logs, *_, **__):
        if "loss" in logs:
            self.noted["logs"].append(self.state.global_step)

    def evaluate(self, *_, **__):
        self.noted["evaluates"].append(self.state.global_step)
        self.numbers = [1.0]
        return super().evaluate()

    def _save_checkpoint(self, *_, **__):
        self.noted["saves"].append(self.state.global_step)


def occasions(draw: random.Random) -> dict:
    """A random run's settings, and the steps after which something happens."""
    def interval(name: str) -> dict:
        strategy = draw.choice(["no", "steps", "steps", "epoch"])
        every = draw.choice([1, 2, 3, 5, 7, 100, 0.1, 0.25, 0.4, 0.013])
        return {f"{name}_strategy": strategy} | ({f"{name}_steps": every} if strategy == "steps" else {})

    batch = draw.randint(1, 4)
    rows = draw.randint(batch, 40)  # without a whole batch the Trainer ends with an error where it drops the last one
    settings = dict(
        per_device_train_batch_size=batch, gradient_accumulation_steps=draw.randint(1, 5),
        num_train_epochs=draw.choice([0.4, 1, 1.5, 2, 2.7, 3]), max_steps=draw.choice([-1, -1, 1, 4, 11, 17]),
        dataloader_drop_last=draw.random() < 0.2, logging_first_step=draw.random() < 0.3,
        **interval("logging"), **interval("eval"), **interval("save"))  # fmt: skip
    # Without a strategy Firefly says that there is no evaluation.
    settings["eval_on_start"] = settings["eval_strategy"] != "no" and draw.random() < 0.3
    if draw.random() < 0.3:
        settings["eval_delay"] = draw.choice([0, 1, 2, 3, 0.5, 1.5, 10])
    row = [{"x": torch.ones(1)}]
    with tempfile.TemporaryDirectory() as folder:
        trainer = Recorded(OneWeight(), arguments(folder, **settings), train_dataset=row * rows, eval_dataset=row)
        trainer.noted = {"logs": [], "evaluates": [], "saves": []}
        trainer.train()
    return dict(rows=rows, settings=settings, total_steps=trainer.state.max_steps, **trainer.noted)


def schedule(draw: random.Random) -> dict:
    """A random schedule's factors: of every step of a short run, and of some of a long one."""
    kinds = {
        "constant": {}, "constant_with_warmup": {}, "linear": {},
        "cosine": {"num_cycles": [0.5, 0.3, 1.0, 2]},
        "cosine_with_restarts": {"num_cycles": [1, 2, 3, 5]},
        "cosine_with_min_lr": {"num_cycles": [0.5, 0.75, 1]},
        "cosine_warmup_with_min_lr": {"num_cycles": [0.5, 0.75], "warmup_lr_rate": [0.0, 0.1, 0.5]},
        "polynomial": {"lr_end": [0.0, 1e-6, 1e-5], "power": [0.5, 1.0, 2, 3.5]},
        "inverse_sqrt": {"timescale": [1, 5, 50, 1000]},
        "warmup_stable_decay": {
            "num_stable_steps": [0, 3, 10], "warmup_type": ["linear", "cosine", "1-sqrt"],
            "decay_type": ["linear", "cosine", "1-sqrt"], "min_lr_ratio": [0.0, 0.1, 0.9], "num_cycles": [0.5, 0.8]},
    }  # fmt: skip
    kind = draw.choice(list(kinds))
    total = draw.choice([draw.randint(1, 30), draw.randint(31, 5000)])
    warmup, rate = draw.choice([0, 0, 1, draw.randint(0, total)]), draw.choice([1e-4, 5e-5, 2e-3])
    settings = {name: draw.choice(values) for name, values in kinds[kind].items() if draw.random() < 0.6}
    if "min_lr" in kind:
        settings |= draw.choice([{"min_lr": 1e-6}, {"min_lr": 2e-5}, {"min_lr_rate": 0.1}, {"min_lr_rate": 0.0}])
    if kind == "warmup_stable_decay":
        settings["num_decay_steps"] = draw.randint(0, total)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=rate)
    factor = get_scheduler(kind, optimizer, warmup, total, settings or None).lr_lambdas[0]
    steps = sorted({draw.randrange(total) for _ in range(12)} | {0, total - 1, min(warmup, total - 1)})
    return dict(
        kind=kind, settings=settings, learning_rate=rate, warmup=warmup, total=total, steps=steps,
        factors=[factor(step) for step in steps])  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else OUT
    draw = random.Random(5)
    document = dict(
        versions=dict(transformers=transformers.__version__, torch=torch.__version__),
        runs=[steps(*run) for run in RUNS], stops=[stop(*case) for case in STOPS],
        occasions=[occasions(draw) for _ in range(count)], schedules=[schedule(draw) for _ in range(count)])  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = [f' {json.dumps("versions")}: {json.dumps(document.pop("versions"))}']
    for name, cases in document.items():
        lines.append(f" {json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(case) for case in cases) + "\n ]")
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
