"""Whether every configuration file of the original passes `firefly train --dry-run` unchanged, but for where the model and
the rows lie: makes a tiny folder for each model that the files name, of its family, and runs them all.

    python train_args_check.py FIREFLY TRAIN_ARGS [--keep FOLDER]

TRAIN_ARGS is the original's folder of that name. The weights are those of Tests/ModelsTests/Fixtures, their vocabulary made
larger; the tokenizer is a small one of our own that has every template's special tokens.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import tempfile

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/ModelsTests/Fixtures"

# What a model's name holds, in lower case, and the fixture of its family; the first that fits.
FAMILIES = [
    ("minicpm3", "families/minicpm3"), ("minicpm", "families/minicpm"), ("qwen1.5-moe", "families/qwen2_moe"),
    ("qwen1.5", "families/qwen2"), ("qwen2", "families/qwen2"), ("qwen", "families/qwen"),
    ("chatglm2", "families/chatglm2"), ("chatglm3", "families/chatglm3"), ("baichuan2-13b", "families/baichuan2_13b"),
    ("baichuan2", "families/baichuan2_7b"), ("baichuan-13b", "families/baichuan_13b"),
    ("baichuan", "families/baichuan_7b"), ("bloom", "families/bloom"), ("deepseek-moe", "families/deepseek_moe"),
    ("deepseek", "gqa"), ("gemma", "families/gemma"), ("internlm2", "families/internlm2"),
    ("internlm", "families/internlm"), ("vicuna", "gqa"), ("ziya", "gqa"), ("llama", "gqa"),
    ("phi-3", "families/phi3"), ("mixtral", "families/mixtral"), ("mistral", "families/mistral"),
    ("zephyr", "families/mistral"), ("orion", "families/orion"), ("xverse", "families/xverse"),
    ("yi-1.5", "gqa"), ("yi", "families/yi"),
]  # fmt: skip

SPECIAL = """<unk> <s> </s> <pad> <|endoftext|> <|im_start|> <|im_end|> [gMASK] sop <|system|> <|user|> <|assistant|>
    <|observation|> <reserved_102> <reserved_103> <reserved_106> <reserved_107> <bos> <eos> <start_of_turn> <end_of_turn>
    <|end|> <|begin_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|> <用户> <AI>""".split()
SPECIAL.append("<\uff5cend\u2581of\u2581sentence\uff5c>")
VOCABULARY = 320


def byte_alphabet() -> dict[str, int]:
    """GPT-2's spelling of each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


def write_tokenizer(folder: pathlib.Path) -> None:
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    added = [
        dict(id=256 + n, content=text, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
        for n, text in enumerate(SPECIAL)
    ]
    model = dict(
        type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None,
        fuse_unk=False, byte_fallback=False, vocab=byte_alphabet(), merges=[])  # fmt: skip
    tokenizer = dict(
        version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None, pre_tokenizer=byte_level,
        post_processor=None, decoder=byte_level, model=model)  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))
    settings = dict(tokenizer_class="PreTrainedTokenizerFast", bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def write_model(name: str, folder: pathlib.Path) -> None:
    fixture = next(FIXTURES / fixture for part, fixture in FAMILIES if part in name.lower())
    if not fixture.exists():
        raise FileNotFoundError(f"there is no fixture of this family: {fixture.name}")
    folder.mkdir(parents=True)
    config = json.loads((fixture / "config.json").read_text())
    key = "padded_vocab_size" if "padded_vocab_size" in config else "vocab_size"
    tensors = {}
    # Opened through torch's names for bfloat16, which numpy has no type for: the bits are what counts.
    with safe_open(fixture / "model.safetensors", framework="pt") as file:
        for tensor in file.keys():
            value = file.get_tensor(tensor)
            if value.shape[0] == config[key]:
                value = value.repeat(VOCABULARY // config[key] + 1, *[1] * (value.dim() - 1))[:VOCABULARY]
            tensors[tensor] = value.float().numpy().astype(numpy.float32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config | {key: VOCABULARY}, indent=2))
    write_tokenizer(folder)


def write_rows(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """A file of rows for each task_type; for pretraining a folder, as the original has it, with the cache that it leaves."""
    numbers = range(20)
    talk = [{"conversation": [{"human": f"How much is {n} + 1?", "assistant": f"{n + 1}"}]} for n in numbers]
    texts = [{"text": f"{n} and one make {n + 1}. " * 40} for n in numbers]
    pairs = [
        {"chosen": [{"role": "user", "content": f"{n} + 1?"}, {"role": "assistant", "content": str(n + 1)}],
         "rejected": [{"role": "user", "content": f"{n} + 1?"}, {"role": "assistant", "content": "no idea"}]}
        for n in numbers
    ]  # fmt: skip
    files = {"sft": folder / "sft.jsonl", "pretrain": folder / "pretrain", "dpo": folder / "dpo.jsonl"}
    cache = files["pretrain"] / "cache/texts"
    cache.mkdir(parents=True)
    (cache / "dataset_info.json").write_text('{"builder_name": "json"}')
    for path, rows in [
        (files["sft"], talk), (files["pretrain"] / "texts.jsonl", texts), (files["dpo"], pairs)
    ]:  # fmt: skip
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return files


def check(firefly: pathlib.Path, file: pathlib.Path, models: pathlib.Path, rows: dict[str, pathlib.Path]) -> str:
    """What stopped the run; nothing when it passed."""
    settings = json.loads(file.read_text())
    model = models / settings["model_name_or_path"]
    if not model.exists():
        try:
            write_model(settings["model_name_or_path"], model)
        except FileNotFoundError as error:
            return str(error)
    run = subprocess.run(
        [firefly, "train", file, "--dry-run", "--set", f"model_name_or_path={model}", "--set",
         f"train_file={rows[settings.get('task_type', 'sft')]}"],
        cwd=models, capture_output=True, text=True)  # fmt: skip
    if run.returncode == 0 and "everything is in order" in run.stdout:
        return ""
    told = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
    return re.sub(r"\s+", " ", told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firefly", type=pathlib.Path)
    parser.add_argument("train_args", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="leave the tiny models there")
    arguments = parser.parse_args()
    firefly, folder = arguments.firefly.resolve(), arguments.train_args.resolve()
    files = sorted(file for file in folder.glob("*/*/*.json"))
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.keep.resolve() if arguments.keep else pathlib.Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        (work / "models").mkdir(exist_ok=True)
        rows = write_rows(work / "rows")
        results = {file: check(firefly, file, work / "models", rows) for file in files}
    for file, problem in results.items():
        print(f"{'FAILS' if problem else 'ok   '}  {file.relative_to(folder)}{problem and '  ' + problem}")
    reasons = collections.Counter(problem.split(": ", 1)[-1] for problem in results.values() if problem)
    print(f"\n{sum(not problem for problem in results.values())} of {len(results)} pass")
    for reason, count in reasons.most_common():
        print(f"{count:4}  {reason}")
    raise SystemExit(bool(reasons))


if __name__ == "__main__":
    main()
