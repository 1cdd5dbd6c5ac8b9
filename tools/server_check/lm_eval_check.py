#!/usr/bin/env python3
"""lm-eval, unchanged, against a running `firefly serve`; the same items through transformers and through `firefly eval`.

    python tools/server_check/lm_eval_check.py http://127.0.0.1:8000 MODEL FOLDER [--transformers]
        [--firefly .build/release/firefly] [--problems test.jsonl --adapter NAME=DIR]

FOLDER is the served model's. Needs lm-eval[api]; with --transformers also torch. With --firefly the multiple choice is
asked of `firefly eval` too, in the same words; with --problems also worked answers, as chats with the adapter that is
served as NAME. Of each comparison at most one item may differ. Serve with --precision float32.
"""

import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import lm_eval
from lm_eval.tasks import TaskManager

HERE = pathlib.Path(__file__).resolve().parent
CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Germany": "Berlin", "Japan": "Tokyo", "Egypt": "Cairo", "Greece": "Athens",
    "Russia": "Moscow", "China": "Beijing", "Portugal": "Lisbon", "Austria": "Vienna", "Ireland": "Dublin",
    "Poland": "Warsaw", "Norway": "Oslo", "Peru": "Lima", "Cuba": "Havana", "Kenya": "Nairobi",
}  # fmt: skip
FACTS = [
    ("Which animal says meow?", "a cat", ["a dog", "a cow", "a fish"]),
    ("What do bees make?", "honey", ["milk", "bread", "glass"]),
    ("What colour is grass?", "green", ["purple", "black", "orange"]),
    ("What is frozen water called?", "ice", ["steam", "sand", "oil"]),
    ("Which season is the coldest?", "winter", ["summer", "spring", "autumn"]),
    ("What do you use to cut paper?", "scissors", ["a spoon", "a pillow", "a cup"]),
    ("How many legs does a spider have?", "eight", ["two", "three", "twelve"]),
    ("Which planet do we live on?", "Earth", ["Mars", "Venus", "Jupiter"]),
]


SUBJECT = "miscellaneous"  # one of MMLU's


def choice_rows() -> list[dict]:
    rows, names = [], list(CAPITALS.items())
    for index, (country, capital) in enumerate(names):
        wrong = [names[(index + step) % len(names)][1] for step in (3, 5, 7)]
        rows.append((f"What is the capital of {country}?", capital, wrong))
    result = []
    for index, (question, right, wrong) in enumerate([*rows, *FACTS]):
        place = index % 4
        choices = [*wrong[:place], right, *wrong[place:]]
        result.append({"question": question, "choices": choices, "answer": place})
    return result


def answer_rows() -> list[dict]:
    rows = [{"question": f"What is the capital of {name}?", "answer": capital} for name, capital in CAPITALS.items()]
    sums = [(a, b) for a in range(2, 12, 3) for b in (1, 4, 6)]
    return rows + [{"question": f"What is {a} plus {b}?", "answer": str(a + b)} for a, b in sums]


def problem_rows(path: str) -> list[dict]:
    """Question and result of the last turn of each conversation in the original's format."""
    rows = []
    for line in pathlib.Path(path).read_text().splitlines():
        turn = json.loads(line)["conversation"][-1]
        rows.append({"question": turn["human"], "answer": turn["assistant"].split("####")[-1].strip()})
    return rows


def write_data(folder: pathlib.Path, problems: str | None) -> None:
    files = {"choice": choice_rows(), "answers": answer_rows()}
    if problems:
        files["problems"] = problem_rows(problems)
    for name, rows in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mmlu" / "test").mkdir(parents=True)
    with open(folder / "mmlu" / "test" / f"{SUBJECT}_test.csv", "w", newline="") as file:
        for row in files["choice"]:
            csv.writer(file).writerow([row["question"], *row["choices"], "ABCD"[row["answer"]]])
    for file in (HERE / "lm_eval_tasks").glob("*.yaml"):
        if problems or file.stem != "firefly_problems":
            (folder / file.name).write_text(file.read_text().replace("DATA", str(folder)))


def evaluate(model: str, arguments: dict, tasks: list[str], folder: pathlib.Path, chat: bool = False) -> dict:
    return lm_eval.simple_evaluate(
        model=model, model_args=arguments, tasks=tasks, log_samples=True, bootstrap_iters=0, apply_chat_template=chat,
        task_manager=TaskManager(include_path=str(folder), include_defaults=False))  # fmt: skip


def items(result: dict, task: str, metric: str) -> list[float]:
    return [float(sample[metric]) for sample in sorted(result["samples"][task], key=lambda sample: sample["doc_id"])]


def compare(name: str, found: list[float], other: str, wanted: list[float]) -> bool:
    differ = sum(a != b for a, b in zip(found, wanted, strict=True))
    print(f"{name}: lm-eval {sum(found):.0f} of {len(found)}, {other} {sum(wanted):.0f}, {differ} items differ")
    return differ <= 1


def firefly(options: argparse.Namespace, *words) -> dict:
    command = [options.firefly, "eval", options.folder, "--precision", "float32", "--json", *words]
    return json.loads(subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE).stdout)


def compare_completions(options: argparse.Namespace, folder: pathlib.Path) -> bool:
    tasks = ["firefly_choice", "firefly_answers"]
    served = evaluate(
        "local-completions",
        {"base_url": options.url + "/v1/completions", "model": options.model, "tokenizer": options.folder,
         "num_concurrent": 4, "tokenizer_backend": "huggingface", "batch_size": 4, "max_length": 2048},
        tasks, folder)  # fmt: skip
    good = True
    scores = [("firefly_choice", "acc"), ("firefly_choice", "acc_norm"), ("firefly_answers", "exact_match")]
    if options.transformers:
        arguments = {"pretrained": options.folder, "dtype": "float32", "device": "cpu", "batch_size": 4}
        reference = evaluate("hf", arguments, tasks, folder)
        for task, metric in scores:
            wanted = items(reference, task, metric)
            good = compare(f"{task} {metric}", items(served, task, metric), "transformers", wanted) and good
    if options.firefly:
        ours = firefly(options, "--task", "mmlu", "--data", folder / "mmlu", "--method", "likelihood", "--shots", 0)
        wanted = [float(item["choice"] == item["answer"]) for item in ours["questions"]]
        good = compare("firefly_choice acc", items(served, *scores[0]), "firefly eval", wanted) and good
    return good


def compare_problems(options: argparse.Namespace, folder: pathlib.Path) -> bool:
    name, adapter = options.adapter.split("=", 1)
    served = evaluate(
        "local-chat-completions",
        {"base_url": options.url + "/v1/chat/completions", "model": name, "num_concurrent": 8, "batch_size": 1},
        ["firefly_problems"], folder, chat=True)  # fmt: skip
    ours = firefly(options, "--task", "exact_match", "--file", options.problems, "--adapter", adapter,
                   "--max-new-tokens", 200)  # fmt: skip
    wanted = [float(answer["correct"]) for answer in ours["answers"]]
    return compare("firefly_problems", items(served, "firefly_problems", "exact_match"), "firefly eval", wanted)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("url", "model", "folder"):
        parser.add_argument(name)
    parser.add_argument("--transformers", action="store_true")
    for name in ("--firefly", "--problems", "--adapter"):
        parser.add_argument(name)
    options = parser.parse_args()
    if options.problems and not (options.firefly and options.adapter):
        parser.error("--problems needs --firefly and --adapter")
    with tempfile.TemporaryDirectory() as data:
        folder = pathlib.Path(data)
        write_data(folder, options.problems)
        good = compare_completions(options, folder)
        if options.problems:
            good = compare_problems(options, folder) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
