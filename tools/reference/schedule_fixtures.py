"""Tests/TrainingTests/Fixtures/schedules.json: the learning rates of transformers' schedules under random settings, step
for step, read off the optimizer that each of them moves.

    python schedule_fixtures.py
"""

import json
import pathlib
import random

import torch
import transformers
from transformers import get_scheduler

OUT = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Fixtures/schedules.json"
NAMES = [
    "constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial", "inverse_sqrt",
    "cosine_with_min_lr", "cosine_warmup_with_min_lr", "warmup_stable_decay"]  # fmt: skip
FORMS = ["linear", "cosine", "1-sqrt"]


def settings(name: str, peak: float, total: int, draw: random.Random) -> dict:
    """Random lr_scheduler_kwargs of a schedule."""
    some = lambda **all: {key: value for key, value in all.items() if draw.random() < 0.6}
    least = draw.choice([{"min_lr": peak * draw.random()}, {"min_lr_rate": draw.random()}])
    waves = draw.choice([0.25, 0.5, 1.0, 1.5])
    return {
        "constant": {}, "constant_with_warmup": {}, "linear": {}, "cosine": some(num_cycles=waves),
        "cosine_with_restarts": some(num_cycles=draw.randint(1, 4)),
        "polynomial": some(lr_end=peak * draw.random() * 0.5, power=draw.choice([0.5, 1.0, 2.0, 3.0])),
        "inverse_sqrt": some(timescale=draw.randint(1, 30)),
        "cosine_with_min_lr": least | some(num_cycles=waves),
        "cosine_warmup_with_min_lr": least | some(num_cycles=waves, warmup_lr_rate=draw.random()),
        "warmup_stable_decay": {"num_decay_steps": draw.randint(0, total // 2)} | some(
            num_stable_steps=draw.randint(0, total // 2), warmup_type=draw.choice(FORMS), decay_type=draw.choice(FORMS),
            min_lr_ratio=draw.random(), num_cycles=waves),
    }[name]  # fmt: skip


def case(name: str, draw: random.Random) -> dict:
    peak, total = draw.choice([1e-3, 2e-4, 0.05]), draw.randint(1, 24)
    warmup = draw.choice([0, 1, draw.randint(0, total - 1)])
    warmup = min(warmup, total - 1)  # transformers' polynomial divides by what is left
    kwargs = settings(name, peak, total, draw)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    schedule = get_scheduler(name, optimizer, warmup, total, kwargs)
    rates = []
    for _ in range(total):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return dict(name=name, learning_rate=peak, warmup=warmup, total=total, settings=kwargs, rates=rates)


def main():
    draw = random.Random(7)
    cases = [case(name, draw) for name in NAMES for _ in range(12 if name.startswith("warmup") else 7)]
    lines = ",\n".join(json.dumps(case) for case in cases)
    OUT.write_text(f'{{"transformers": "{transformers.__version__}", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
