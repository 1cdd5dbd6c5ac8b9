#!/usr/bin/env python3
"""lm-eval, unchanged, against a running `firefly serve`, and the same tasks through transformers.

    python tools/server_check/lm_eval_check.py http://127.0.0.1:8000 MODEL TOKENIZER_FOLDER [--transformers]

Needs lm-eval; with --transformers also torch: then the folder's model answers too, and every item's score must be the
same but for one. Serve with --precision float32 to compare with a float32 folder.
"""

import json
import pathlib
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


def write_data(folder: pathlib.Path) -> None:
    choices, answers = [], []
    names = list(CAPITALS.items())
    for index, (country, capital) in enumerate(names):
        wrong = [names[(index + step) % len(names)][1] for step in (3, 5, 7)]
        rows = [capital, *wrong]
        place = index % 4
        rows[0], rows[place] = rows[place], rows[0]
        choices.append({"question": f"What is the capital of {country}?", "choices": rows, "answer": place})
        answers.append({"question": f"What is the capital of {country}?", "answer": capital})
    for index, (question, right, wrong) in enumerate(FACTS):
        rows = [*wrong, right]
        place = index % 4
        rows[3], rows[place] = rows[place], rows[3]
        choices.append({"question": question, "choices": rows, "answer": place})
    for a in range(2, 12, 3):
        for b in (1, 4, 6):
            answers.append({"question": f"What is {a} plus {b}?", "answer": str(a + b)})
    for name, rows in (("choice", choices), ("answers", answers)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def evaluate(model: str, arguments: dict, tasks: TaskManager) -> dict:
    return lm_eval.simple_evaluate(
        model=model, model_args=arguments, tasks=["firefly_choice", "firefly_answers"], task_manager=tasks,
        log_samples=True, bootstrap_iters=0)  # fmt: skip


def items(result: dict, task: str, metric: str) -> list[float]:
    return [sample[metric] for sample in sorted(result["samples"][task], key=lambda sample: sample["doc_id"])]


def main() -> None:
    url, model, folder = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as data:
        write_data(pathlib.Path(data))
        for file in (HERE / "lm_eval_tasks").glob("*.yaml"):
            (pathlib.Path(data) / file.name).write_text(file.read_text().replace("DATA", data))
        tasks = TaskManager(include_path=data, include_defaults=False)
        served = evaluate(
            "local-completions",
            {"base_url": url + "/v1/completions", "model": model, "tokenizer": folder, "num_concurrent": 4,
             "tokenizer_backend": "huggingface", "batch_size": 4, "max_length": 2048}, tasks)  # fmt: skip
        scores = [("firefly_choice", "acc"), ("firefly_choice", "acc_norm"), ("firefly_answers", "exact_match")]
        for task, metric in scores:
            found = items(served, task, metric)
            print(f"{task} {metric}: {sum(found):.0f} of {len(found)}")
        if "--transformers" not in sys.argv:
            return
        reference = evaluate("hf", {"pretrained": folder, "dtype": "float32", "device": "cpu", "batch_size": 4}, tasks)
        failed = False
        for task, metric in scores:
            found, wanted = items(served, task, metric), items(reference, task, metric)
            differ = sum(a != b for a, b in zip(found, wanted, strict=True))
            print(f"{task} {metric}: transformers {sum(wanted):.0f} of {len(wanted)}, {differ} items differ")
            failed = failed or differ > 1
        sys.exit(failed)


if __name__ == "__main__":
    main()
