#!/usr/bin/env python3
"""`firefly eval` against transformers on the same items, both in float32: perplexity and token accuracy of plain text
and of conversations, and MMLU by letter and by likelihood. Prompts, windows and tokens are made here anew, so that they
are compared too. Exits 1 when perplexities differ by more than 1e-4 (relative), or one choice differs.

    python tools/reference/eval_check.py --model FOLDER --firefly .build/release/firefly --mmlu mmlu.zip \
        [--rows rows.jsonl] [--text text.txt] [--subjects anatomy,astronomy] [--limit 100] [--shots 5]

FOLDER: a Hugging Face folder whose template is ChatML.
"""

import argparse
import csv
import io
import json
import math
import pathlib
import subprocess
import sys
import zipfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import chat_rows

LETTERS = "ABCD"


def firefly(options: argparse.Namespace, *words) -> dict:
    command = [options.firefly, "eval", options.model, "--precision", "float32", "--json", *words]
    return json.loads(subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE).stdout)


class Scorer:
    """A model's log-probabilities."""

    def __init__(self, folder: pathlib.Path):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids

    @torch.no_grad()
    def targets(self, ids: list[int], positions: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probability of each target position's token, and whether it is the most likely."""
        where = torch.tensor(positions)
        hidden = self.model.model(input_ids=torch.tensor([ids])).last_hidden_state[0, where - 1]
        logits = self.model.lm_head(hidden).float()  # [targets, V]
        wanted = torch.tensor(ids)[where]
        picked = torch.log_softmax(logits, dim=-1).gather(1, wanted[:, None])[:, 0]
        return picked, logits.argmax(-1) == wanted


def text_items(scorer: Scorer, text: str, length: int, stride: int):
    """Ids and target positions of each window: every token but the first is a target once."""
    ids = scorer.encode(text)
    begin, done = 0, 1
    while done < len(ids):
        end = min(begin + length, len(ids))
        yield ids[begin:end], list(range(done - begin, end - begin))
        begin, done = begin + stride, end


def row_items(scorer: Scorer, path: pathlib.Path, limit: int, length: int):
    for row in chat_rows.read(path)[:limit]:
        ids, labels = chat_rows.render(row, scorer.tokenizer, length)
        positions = [place for place, label in enumerate(labels) if label != chat_rows.IGNORED and place > 0]
        if positions:
            yield ids, positions


def check_perplexity(name: str, scorer: Scorer, items, found: dict) -> bool:
    loss, correct, count = 0.0, 0, 0
    for ids, positions in items:
        picked, best = scorer.targets(ids, positions)
        loss -= picked.double().sum().item()
        correct += int(best.sum())
        count += len(positions)
    perplexity = math.exp(loss / count)
    difference = abs(found["perplexity"] - perplexity) / perplexity
    accuracy = correct / count
    good = difference <= 1e-4 and found["targets"] == count and abs(found["token_accuracy"] - accuracy) <= 2 / count
    print(f"{name}: {count} targets, perplexity {perplexity:.5f} and {found['perplexity']:.5f} "
          f"(relative difference {difference:.1e}), token accuracy {accuracy:.5f} and {found['token_accuracy']:.5f}"
          f"{'' if good else '  WRONG'}")  # fmt: skip
    return good


class Tables:
    """MMLU's CSV files in a zip archive."""

    def __init__(self, path: pathlib.Path):
        self.archive = zipfile.ZipFile(path)

    def rows(self, subject: str, split: str) -> list[list[str]]:
        name = next(name for name in self.archive.namelist() if name.endswith(f"{split}/{subject}_{split}.csv"))
        return list(csv.reader(io.StringIO(self.archive.read(name).decode("utf-8"), newline="")))


def question(row: list[str], method: str) -> str:
    if method == "likelihood":
        return f"Question: {row[0].strip()}\nAnswer:"
    return row[0].strip() + "".join(f"\n{letter}. {text}" for letter, text in zip(LETTERS, row[1:5])) + "\nAnswer:"


def answer(row: list[str], method: str) -> str:
    return " " + (row[5] if method == "letter" else row[1 + LETTERS.index(row[5])])


def prompt(subject: str, examples: list[list[str]], row: list[str], method: str) -> str:
    kind = "multiple choice questions" if method == "letter" else "questions"
    head = f"The following are {kind} (with answers) about {subject.replace('_', ' ')}.\n\n"
    return head + "".join(question(e, method) + answer(e, method) + "\n\n" for e in examples) + question(row, method)


@torch.no_grad()
def option_scores(scorer: Scorer, context: str, options: list[str]) -> list[float]:
    """Each option's tokens are those of the whole text behind as many as the prompt alone has; the prompt is read once."""
    start = scorer.encode(context)
    read = scorer.model.model(input_ids=torch.tensor([start]), use_cache=True)
    scores = []
    for option in options:
        whole = scorer.encode(context + option)
        assert whole[: len(start)] == start, f"{option!r} changes the prompt's tokens"
        ids = whole[len(start) :]
        hidden = read.last_hidden_state[0, -1:]
        if len(ids) > 1:
            more = scorer.model.model(
                input_ids=torch.tensor([ids[:-1]]), past_key_values=read.past_key_values, use_cache=True)
            hidden = torch.cat([hidden, more.last_hidden_state[0]])
            read.past_key_values.crop(1 - len(ids))  # what the option added
        picked = torch.log_softmax(scorer.model.lm_head(hidden).float(), dim=-1).gather(1, torch.tensor(ids)[:, None])
        scores.append(picked.double().sum().item())
    return scores


def check_mmlu(options: argparse.Namespace, scorer: Scorer, method: str) -> bool:
    found = firefly(options, "--task", "mmlu", "--data", options.mmlu, "--subjects", options.subjects, "--limit",
                    options.limit, "--shots", options.shots, "--method", method)  # fmt: skip
    theirs = {item["id"]: item for item in found["questions"]}
    tables = Tables(options.mmlu)
    count = correct = 0
    worst, differing = 0.0, []
    for subject in options.subjects.split(","):
        examples = tables.rows(subject, "dev")[: options.shots]
        for number, row in enumerate(tables.rows(subject, "test")[: options.limit]):
            choices = list(LETTERS) if method == "letter" else row[1:5]
            scores = option_scores(
                scorer, prompt(subject, examples, row, method), [" " + choice for choice in choices])
            item = theirs[f"{subject}/{number}"]
            worst = max([worst] + [abs(a - b) for a, b in zip(scores, item["log_likelihoods"])])
            choice = LETTERS[scores.index(max(scores))]
            count += 1
            correct += choice == row[5]
            if choice != item["choice"]:
                differing.append(f"{subject}/{number}: {choice} {scores}, {item['choice']} {item['log_likelihoods']}")
    good = not differing and count == found["total"]["questions"] and correct == found["total"]["correct"]
    print(f"MMLU by {method}: {count} questions, accuracy {correct / count:.4f} and {found['total']['accuracy']:.4f}, "
          f"{len(differing)} choices differ, largest difference of a log-likelihood {worst:.1e}")  # fmt: skip
    for line in differing:
        print("  " + line)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--mmlu", type=pathlib.Path)
    parser.add_argument("--rows", type=pathlib.Path)
    parser.add_argument("--text", type=pathlib.Path)
    parser.add_argument("--subjects", default="anatomy,astronomy")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--shots", type=int, default=5)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--stride", type=int, default=256)
    options = parser.parse_args()
    scorer = Scorer(options.model)
    results = []
    if options.text:
        found = firefly(options, "--task", "perplexity", "--file", options.text, "--max-length", options.window,
                        "--stride", options.stride)  # fmt: skip
        items = text_items(scorer, options.text.read_text(encoding="utf-8"), options.window, options.stride)
        results.append(check_perplexity("plain text", scorer, items, found))
    if options.rows:
        found = firefly(options, "--task", "perplexity", "--file", options.rows, "--template", "qwen", "--limit",
                        options.limit, "--max-length", options.window)  # fmt: skip
        items = row_items(scorer, options.rows, options.limit, options.window)
        results.append(check_perplexity("conversations", scorer, items, found))
    if options.mmlu:
        results += [check_mmlu(options, scorer, method) for method in ("letter", "likelihood")]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
