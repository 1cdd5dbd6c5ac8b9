"""Trains the same run on the card and on the processor and compares the losses of all steps.

    python3 compare_runs.py FIREFLY MODEL STEPS TOLERANCE [KEY=VALUE …]

MODEL is a folder of model.py's. Fails when two losses lie further apart than TOLERANCE, relative to the processor's.
"""

import json
import subprocess
import sys
from pathlib import Path


def losses(firefly: str, model: Path, device: str, steps: int, settings: list[str]) -> list[float]:
    config = {
        "model_name_or_path": str(model), "train_file": str(model / "rows.jsonl"), "template_name": "firefly",
        "output_dir": str(model / f"run-{device}"), "max_seq_length": 512, "max_steps": steps, "lora_rank": 16,
        "lora_alpha": 16, "lora_dropout": 0.05, "per_device_train_batch_size": 4, "gradient_checkpointing": True,
        "learning_rate": 1e-3, "lr_scheduler_type": "constant", "logging_steps": 1, "bf16": True,
        "save_strategy": "no", "data_cache": "off", "overwrite_output_dir": True,
    }  # fmt: skip
    path = model / "run.json"
    path.write_text(json.dumps(config))
    sets = [word for setting in settings for word in ("--set", setting)]
    run = subprocess.run([firefly, "train", path, "--device", device, *sets], stderr=subprocess.PIPE, text=True)
    print(run.stderr)
    run.check_returncode()
    log = json.loads((model / f"run-{device}" / "trainer_state.json").read_text())["log_history"]
    return [entry["loss"] for entry in log if "loss" in entry]


def main() -> None:
    firefly, model, steps, tolerance, *settings = sys.argv[1:]
    card, processor = (losses(firefly, Path(model), device, int(steps), settings) for device in ("cuda", "cpu"))
    assert len(card) == len(processor) == int(steps), f"{len(card)} and {len(processor)} of {steps} losses"
    print("card     ", *(f"{loss:.4f}" for loss in card))
    print("processor", *(f"{loss:.4f}" for loss in processor))
    worst = max(abs(a - b) / b for a, b in zip(card, processor))
    print(f"losses {card[0]:.4f} to {card[-1]:.4f}, the processor's {processor[-1]:.4f}; at most {worst:.1e} apart")
    sys.exit(worst > float(tolerance))


main()
