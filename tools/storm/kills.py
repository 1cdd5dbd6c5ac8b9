#!/usr/bin/env python3
"""Kills training again and again, at random moments, and looks at what is left.

    python tools/storm/kills.py FIREFLY [--config CONFIG] [--kills 50] [--seed 1]

CONFIG is a run of some seconds that saves often and keeps few checkpoints; without one, the tests' tiny model is trained. After each kill -9: every checkpoint that calls
itself complete is whole, and nothing else calls itself a checkpoint. The run then goes on with --resume; at its end, what was
trained equals what a run without kills trains, byte for byte, and nothing half-written is left. Ends with status 1 otherwise.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

MODEL = pathlib.Path(__file__).parents[2] / "Tests/CLITests/Fixtures/model"


def complete(folder: pathlib.Path) -> bool:
    try:
        state = json.loads((folder / "resume_state.json").read_text())
    except (OSError, ValueError):
        return False
    return all((folder / name).stat().st_size == size for name, size in state["files"].items())


def check(out: pathlib.Path) -> list[str]:
    """What is wrong with an output folder."""
    wrong = []
    for folder in out.glob("checkpoint-*"):
        if folder.name.removeprefix("checkpoint-").isdigit() and not complete(folder):
            wrong.append(f"{folder} is not whole")
    return wrong


def tiny_run(folder: pathlib.Path) -> pathlib.Path:
    """A configuration of the tests' model: forty steps, a checkpoint after each, two of them kept."""
    rows = [{"conversation": [{"human": f"How many apples, {n}?", "assistant": f"{n} apples"}]} for n in range(40)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "model_name_or_path": str(MODEL), "train_file": str(folder / "rows.jsonl"), "output_dir": str(folder / "out"),
        "template_name": "auto", "max_seq_length": 64, "precision": "float32", "lora_rank": 4, "save_steps": 1,
        "save_total_limit": 2, "per_device_train_batch_size": 1, "num_train_epochs": 1,
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def trained(out: pathlib.Path) -> bytes:
    return next(path for path in (out / "adapter_model.safetensors", out / "model.safetensors") if path.exists()).read_bytes()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("firefly")
    parser.add_argument("--config", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return storm(options, options.config or tiny_run(pathlib.Path(folder)))


def storm(options: argparse.Namespace, config: pathlib.Path) -> int:
    chance = random.Random(options.seed)
    base = pathlib.Path(json.loads(config.read_text())["output_dir"])

    def command(out: pathlib.Path, *more: str) -> list[str]:
        return [options.firefly, "train", str(config), "--set", f"output_dir={out}", *more]

    whole, killed = base.with_name(base.name + "-whole"), base.with_name(base.name + "-killed")
    for folder in (whole, killed):
        shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    subprocess.run(command(whole), check=True, capture_output=True)
    length = time.monotonic() - begun

    kills = finished = 0
    while kills < options.kills:
        run = subprocess.Popen(
            command(killed, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            _, errors = run.communicate(timeout=chance.uniform(0, 1.2 * length))
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            kills += 1
            errors = b""
        if run.returncode not in (0, -9):
            print(f"after {kills} kills: status {run.returncode}: {errors.decode()[-500:]}")
            return 1
        wrong = check(killed)
        if run.returncode == 0:
            finished += 1
            wrong += [f"{path} is left" for path in killed.iterdir() if ".partial-" in path.name or ".old-" in path.name]
            if trained(killed) != trained(whole):
                wrong.append("the result is not that of the run without kills")
            shutil.rmtree(killed)
        if wrong:
            print(f"after {kills} kills:", *wrong, sep="\n  ")
            return 1
    print(f"{kills} kills, {finished} runs that came to their end: every checkpoint whole, every result the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
