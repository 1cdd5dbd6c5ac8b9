#!/usr/bin/env python3
"""Trains with several ranks under mpirun, and looks whether they do what one process does; prints a table.

    python3 tools/ranks_check/check.py FIREFLY [--model PATH --train-file FILE] [--steps 50] [--ranks 2,3] [--network]

FIREFLY is the program. Without a model the tests' tiny one is trained; a real one, a GGUF file or a folder with short rows, is trained
with QLoRA in float32 and in bfloat16. Checked:
the losses are those of one process, the same count gives the same bytes, a run goes on with other counts, evaluations give the
same bytes with every count, settings that differ are named, and an error, SIGTERM, SIGUSR1, a killed rank and a stopped one end all
ranks, with one message and no hang.
--network also runs two ranks in network namespaces of their own, over a link with delay and little bandwidth (needs root and
ip). Ends with status 1 where something is wrong, and says loudly where mpirun is missing.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from network import Network

MODEL = pathlib.Path(__file__).parents[2] / "Tests/CLITests/Fixtures/model"
# mpirun refuses root, and more ranks than cores, unless it is told.
ENVIRONMENT = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none", "LC_ALL": "C.UTF-8",
}
LONGEST = 600  # seconds that a run may take before it counts as hanging


class Check:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path) -> None:
        self.firefly = options.firefly
        self.folder = folder
        self.steps = options.steps
        self.failures = 0
        rows = [
            {"conversation": [{"human": f"How many apples, {n}?", "assistant": "apples " * (1 + n % 7) + str(n)}]}
            for n in range(60)
        ]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = {
            "model_name_or_path": str(options.model or MODEL),
            "train_file": str(options.train_file or folder / "rows.jsonl"), "template_name": "auto",
            "max_seq_length": 256, "lora_rank": 4, "lora_dropout": 0.1, "precision": "float32",
            "per_device_train_batch_size": 2, "gradient_accumulation_steps": 4, "max_steps": self.steps,
            "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 10000, "data_cache": "off",
        }
        if options.model:
            config |= {
                "max_seq_length": 128, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1,
                "learning_rate": 2e-4,
            }
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(config))

    # What is run

    def train(self, out: str, *more: str) -> list[str]:
        words = [self.firefly, "train", str(self.config), "--set", f"output_dir={self.folder / out}"]
        return words + [word for setting in more for word in ("--set", setting)]

    @staticmethod
    def mpirun(ranks: int, command: list[str]) -> list[str]:
        return ["mpirun", "-n", str(ranks), *command]

    def run(self, command: list[str]) -> tuple[int, str]:
        """Its status and what it said; a status of 124 is a hang."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=LONGEST)
        except subprocess.TimeoutExpired as hang:
            return 124, (hang.stderr or b"").decode()
        return done.returncode, done.stderr

    def losses(self, out: str) -> list[float]:
        state = json.loads((self.folder / out / "trainer_state.json").read_text())
        return [entry["loss"] for entry in state["log_history"] if "loss" in entry]

    def trained(self, out: str) -> str:
        names = ("adapter_model.safetensors", "model.safetensors")
        path = next(path for name in names if (path := self.folder / out / name).exists())
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]

    def tell(self, what: str, fine: bool, found: str, seconds: float) -> None:
        self.failures += not fine
        print(f"{'ok    ' if fine else 'WRONG '} {what:58} {found:46} {seconds:6.1f} s", flush=True)

    # What is checked

    def same_run(self, kind: str, ranks: list[int], *more: str) -> None:
        """The losses of several ranks are those of one process, and the same count gives the same bytes."""
        begun = time.monotonic()
        status, errors = self.run(self.train(f"{kind}-1", *more))
        self.tell(f"{kind}, 1 process", status == 0, errors[-200:] if status else "", time.monotonic() - begun)
        if status:
            return
        one = self.losses(f"{kind}-1")
        for count in ranks:
            begun = time.monotonic()
            status, errors = self.run(self.mpirun(count, self.train(f"{kind}-{count}", *more)))
            if status:
                self.tell(f"{kind}, {count} ranks", False, errors[-400:], time.monotonic() - begun)
                continue
            many = self.losses(f"{kind}-{count}")
            off = max(abs(a - b) / abs(a) for a, b in zip(one, many))
            most = 1e-5 if "float32" in kind else 2e-2
            self.tell(
                f"{kind}, {count} ranks: losses of {len(many)} steps", len(many) == len(one) and off <= most,
                f"off by {off:.1e} of at most {most:.0e}", time.monotonic() - begun)
            begun = time.monotonic()
            status, errors = self.run(self.mpirun(count, self.train(f"{kind}-{count}-again", *more)))
            same = status == 0 and self.trained(f"{kind}-{count}") == self.trained(f"{kind}-{count}-again")
            self.tell(
                f"{kind}, {count} ranks again: the same bytes", same, errors[-400:] if status else "",
                time.monotonic() - begun)

    def resume(self) -> None:
        """Three ranks, then one, then two."""
        begun = time.monotonic()
        thirds = [self.steps // 3, 2 * self.steps // 3, self.steps]
        for ranks, end in zip((3, 1, 2), thirds):
            command = self.train("resumed", f"max_steps={end}", "lr_scheduler_type=constant") + ["--resume"]
            status, errors = self.run(self.mpirun(ranks, command) if ranks > 1 else command)
            if status:
                self.tell(f"resume on {ranks}", False, errors[-400:], time.monotonic() - begun)
                return
        self.run(self.train("whole", "lr_scheduler_type=constant"))
        one, parts = self.losses("whole"), self.losses("resumed")
        off = max(abs(a - b) / abs(a) for a, b in zip(one, parts))
        self.tell(
            "resume: 3, 1, 2 ranks", len(one) == len(parts) and off <= 1e-5, f"off by {off:.1e}",
            time.monotonic() - begun)

    def differing(self) -> None:
        begun = time.monotonic()
        command = self.train("differing")
        status, errors = self.run(
            ["mpirun", "-n", "1", *command, ":", "-n", "1", *command, "--set", "learning_rate=0.5"])
        told = [line for line in errors.splitlines() if line.startswith("firefly:")]
        fine = status not in (0, 124) and len(told) == 1 and "rank 1" in told[0] and "learning_rate" in told[0]
        self.tell("another setting on rank 1 is named, once", fine, told[0][:46] if told else errors[-200:],
                  time.monotonic() - begun)

    def error_of_one(self) -> None:
        begun = time.monotonic()
        command = self.train("error")
        status, errors = self.run(
            ["mpirun", "-n", "1", *command, ":", "-n", "1", *command, "--set", "model_name_or_path=/nowhere"])
        told = [line for line in errors.splitlines() if line.startswith("firefly:")]
        fine = status not in (0, 124) and len(told) == 1 and "rank 1" in told[0]
        self.tell("an error on rank 1 ends all, told once", fine, told[0][:46] if told else errors[-200:],
                  time.monotonic() - begun)

    def interrupted(self, what: str, number: signal.Signals, whom: str, expected: str, most: int = 1) -> None:
        """A signal in the middle of a run: to mpirun, or to rank 1 alone. At most so many messages tell of it."""
        out = f"{what}-out".replace(" ", "-")
        command = self.train(out, "max_steps=1000000", "num_train_epochs=1", "ddp_timeout=5")
        begun = time.monotonic()
        errors = self.folder / f"{out}.txt"
        with errors.open("w") as file:
            process = subprocess.Popen(
                self.mpirun(2, command), env=ENVIRONMENT, stderr=file, stdout=subprocess.DEVNULL)
        ranks: list[int] = []
        while time.monotonic() - begun < LONGEST:
            ranks = children(process.pid)
            if len(ranks) == 2 and "step 3/" in errors.read_text():
                break
            if process.poll() is not None:
                break
            time.sleep(0.05)
        sent = time.monotonic()
        if process.poll() is None:
            os.kill(ranks[1] if whom == "rank" else process.pid, number)
        try:
            status = process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            status = 124
            for pid in [*ranks, process.pid]:
                os.kill(pid, signal.SIGKILL)
        text = errors.read_text()
        told = [line for line in text.splitlines() if line.startswith("firefly:") or "stopped after step" in line]
        while any(map(is_alive, ranks)) and time.monotonic() - sent < 10:
            time.sleep(0.05)
        left = [pid for pid in ranks if is_alive(pid)]
        partial = [path.name for path in (self.folder / out).glob("checkpoint-*.partial-*")]
        fine = status not in (0, 124) and not left and expected in text and len(told) <= most
        if number == signal.SIGUSR1:
            fine = fine and not partial and any((self.folder / out).glob("checkpoint-*/resume_state.json"))
        found = told[0] if told else " ".join(text.split())[-46:]
        self.tell(f"{what}: all end", fine, f"status {status}: {found}"[:46], time.monotonic() - sent)
        if not fine:
            print(f"left: {left}, partial: {partial}, told: {told}")

    def evaluation(self) -> None:
        """What `firefly eval` says and its file of results, by one process, by two and by three, for each kind of task."""
        model = json.loads(self.config.read_text())["model_name_or_path"]
        (self.folder / "problems.jsonl").write_text("".join(
            json.dumps({"question": f"{n} and {n}?", "answer": f"#### {2 * n}"}) + "\n" for n in range(40)))
        for split, count in (("dev", 2), ("test", 30)):
            table = "".join(f"{n} and 1?,{n},{n + 1},{n + 2},{n + 3},B\n" for n in range(count))
            (self.folder / "data" / split).mkdir(parents=True)
            (self.folder / "data" / split / f"anatomy_{split}.csv").write_text(table)
        tasks = {
            "perplexity": ["--file", str(self.folder / "rows.jsonl")],
            "mmlu": ["--data", str(self.folder / "data"), "--shots", "2", "--batch-size", "2"],
            "exact_match": [
                "--file", str(self.folder / "problems.jsonl"), "--max-new-tokens", "8", "--batch-size", "2"],
        }
        for task, words in tasks.items():
            begun = time.monotonic()
            found = []
            for ranks in (1, 2, 3):
                output = self.folder / f"{task}-{ranks}.jsonl"
                command = [self.firefly, "eval", model, "--task", task, "--json", "--output", str(output), *words]
                done = subprocess.run(
                    self.mpirun(ranks, command) if ranks > 1 else command, capture_output=True, text=True,
                    env=ENVIRONMENT, timeout=LONGEST)
                found.append((done.stdout, output.read_bytes()) if done.returncode == 0 else done.stderr[-300:])
            fine = isinstance(found[0], tuple) and found[0] == found[1] == found[2]
            self.tell(f"firefly eval {task}, 1, 2 and 3 ranks: the same bytes", fine,
                      "" if fine else str(found)[:300], time.monotonic() - begun)

    def threads(self) -> None:
        """Threads are the processors that a process may use, shared among ranks that may use the same."""
        begun = time.monotonic()
        first = str(min(os.sched_getaffinity(0)))
        report = subprocess.run(
            ["taskset", "-c", first, self.firefly, "env", "--json"], capture_output=True, text=True, check=True)
        one = json.loads(report.stdout)["threads"]
        self.tell(f"taskset -c {first}: threads", one == 1, f"{one}", time.monotonic() - begun)
        begun = time.monotonic()
        count = max(1, len(os.sched_getaffinity(0)) // 2)
        _, errors = self.run(self.mpirun(2, self.train("threads", "max_steps=1")))
        line = next((line for line in errors.splitlines() if "ranks: 2 on one machine" in line), errors[-200:])
        self.tell("2 unbound ranks share the processors", f" {count} thread" in line, line[6:52], time.monotonic() - begun)

    def network(self) -> None:
        """Two namespaces with a link between them."""
        for delay, rate in ((0, 1000), (1, 100), (10, 20)):  # milliseconds each way, Mbit a second
            begun = time.monotonic()
            with Network(delay / 1e3, rate * 1e6) as network:
                out = f"network-{rate}"
                status, errors = self.run(network.mpirun(self.train(out, "max_steps=10", "save_strategy=no")))
            fine = status == 0 and self.losses(out) == self.losses_of_two()
            speed = json.loads((self.folder / out / "train_results.json").read_text()) if status == 0 else {}
            found = f"{speed.get('train_tokens_per_second', 0):.0f} tokens/s" if speed else errors[-300:]
            self.tell(f"2 namespaces, {delay} ms and {rate} Mbit/s each way", fine, found, time.monotonic() - begun)

    def losses_of_two(self) -> list[float]:
        out = "two"
        if not (self.folder / out).exists():
            self.run(self.mpirun(2, self.train(out, "max_steps=10", "save_strategy=no")))
        return self.losses(out)


def is_alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("firefly")
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--train-file", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--ranks", default="2,3")
    parser.add_argument("--network", action="store_true")
    options = parser.parse_args()
    if not shutil.which("mpirun"):
        print("=" * 100)
        print("SEVERAL RANKS WERE NOT CHECKED: there is no mpirun here. scripts/setup.sh ranks installs it (openmpi-bin).")
        print("=" * 100)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        check = Check(options, pathlib.Path(folder))
        ranks = [int(count) for count in options.ranks.split(",")]
        if options.model:
            check.same_run("qlora float32", ranks)
            check.same_run("qlora bfloat16", ranks, "precision=bfloat16")
        else:
            check.same_run("lora float32", ranks, "train_mode=lora")
            check.same_run("all weights float32", ranks, "train_mode=full")
            check.same_run("qlora float32", ranks[:1])
        check.resume()
        check.differing()
        check.error_of_one()
        check.evaluation()
        check.threads()
        check.interrupted("rank 1 killed", signal.SIGKILL, "rank", "exited on signal 9")
        check.interrupted("rank 1 stopped", signal.SIGSTOP, "rank", "no answer from rank 1")
        check.interrupted("SIGTERM to rank 1", signal.SIGTERM, "rank", "stopped after step")
        check.interrupted("SIGUSR1 to mpirun", signal.SIGUSR1, "mpirun", "stopped after step")
        # mpirun kills its ranks a second later, one after the other: a rank may tell that another one is gone.
        check.interrupted("SIGTERM to mpirun", signal.SIGTERM, "mpirun", "", most=2)
        if options.network:
            check.network()
    print("several ranks: all as it should be" if not check.failures else f"several ranks: {check.failures} wrong")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
