#!/usr/bin/env python3
"""llama.cpp on the tiny model of every family that the tests have: what `firefly export` makes of it gives the log-probabilities
that Firefly gives with the folder, with its adapter beside it too, and Firefly reads it back. Exits 1 where numbers differ.

    python tools/reference/gguf_fixture_families.py --firefly .build/release/firefly --logits PROGRAM [--only NAME …]

PROGRAM is llama_logits.cpp beside this file, compiled with llama.cpp (its first lines say how). Needs numpy, torch and safetensors.
The fixtures have 97 tokens and no tokenizer: rows and that of the tests' tiny model are added. llama.cpp knows Baichuan's ALiBi
by 40 layers; those of such fixtures are repeated. With an adapter on glm4 llama.cpp itself stops at an assertion.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import save_file
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAMILIES = ROOT / "Tests/ModelsTests/Fixtures/families"
TOKENIZER = ROOT / "Tests/CLITests/Fixtures/model"
ROWS, ALIBI_LAYERS = 320, 40
PROMPTS = ["Tom has 12 apples", "1 2 3 4 5 6 7 8 9 10 11 12 13 14"]
# llama.cpp looks GELU up in a table of float16.
TOLERANCE, OF_TABLE = 1e-3, 0.02


def run(*words) -> bytes:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True).stdout


def is_table(name: str) -> bool:
    return bool(re.search(r"embed|^wte|transformer.wte|lm_head|output_layer|^output\.|tok_embeddings", name)) and "norm" not in name


def fill_hidden(config: dict, tensors: dict, generator: np.random.Generator) -> None:
    """Heads that are together as wide as the model, as llama.cpp takes for granted of ChatGLM, and as all published ones are."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    groups, size = config.get("multi_query_group_num", config.get("num_key_value_heads")), hidden // heads
    config["kv_channels" if "kv_channels" in config else "head_dim"] = size
    rows = {"query_key_value": (heads + 2 * groups) * size, "q_proj": hidden, "k_proj": groups * size, "v_proj": groups * size}
    for key, value in tensors.items():
        part = key.split(".")[-2]
        if part in rows:
            tensors[key] = generator.normal(0, value.std(), (rows[part],) + value.shape[1:]).astype(np.float32)
        elif part in ("o_proj", "dense"):
            tensors[key] = generator.normal(0, value.std(), (hidden, hidden)).astype(np.float32)


def write(name: str, folder: pathlib.Path) -> None:
    """The fixture with more rows, and more layers where llama.cpp asks for them."""
    shutil.copytree(FAMILIES / name, folder)
    config = json.loads((folder / "config.json").read_text())
    tensors = {key: value.float().numpy() for key, value in load_file(folder / "model.safetensors").items()}
    rows, generator = 97, np.random.default_rng(3)
    for key, value in tensors.items():
        if value.ndim == 2 and value.shape[0] == rows and is_table(key):
            more = generator.normal(0, value.std(), (ROWS - rows, value.shape[1]))
            tensors[key] = np.concatenate([value, more.astype(np.float32)])
    if re.fullmatch("chatglm.|glm", name):
        fill_hidden(config, tensors, generator)
        shutil.rmtree(folder / "adapter_lora")
    if re.fullmatch("baichuan2?_13b", name):
        for layer in range(config["num_hidden_layers"], ALIBI_LAYERS):
            source = f"layers.{layer % config['num_hidden_layers']}."
            tensors |= {key.replace(source, f"layers.{layer}."): value for key, value in tensors.items() if source in key}
        config["num_hidden_layers"] = ALIBI_LAYERS
    if name == "mistral":  # as long as the texts: llama.cpp knows no window here
        config["sliding_window"] = config["max_position_embeddings"]
    if name == "gpt_oss":  # llama.cpp rounds the ends of YaRN's ramp, which does nothing then
        config["rope_scaling"]["factor"] = 1.0
    if name == "deepseek_v2_lite":  # as in the published models: one ε and one scale of YaRN, which is what llama.cpp knows
        config["rms_norm_eps"] = 1e-6
        config["rope_scaling"]["mscale"] = config["rope_scaling"]["mscale_all_dim"]
    for key in ("vocab_size", "padded_vocab_size"):
        if key in config:
            config[key] = ROWS
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for path in TOKENIZER.glob("tokenizer*"):
        shutil.copy(path, folder)


def answers(firefly: str, model: pathlib.Path, *options) -> list[dict]:
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    output = run(firefly, "generate", model, "--raw", "--greedy", "--json", "--precision", "float32", "--max-new-tokens", 12,
                 "--top-logprobs", 20, *options, *words)  # fmt: skip
    return [json.loads(line) for line in output.decode().splitlines()]


def difference(logits: str, file: pathlib.Path, found: list[dict], *options) -> float:
    """The largest one of log-probabilities after the same tokens."""
    worst = 0.0
    for answer in found:
        ids = answer["prompt_ids"] + answer["ids"]
        rows = np.frombuffer(run(logits, file, *options, *ids), np.float32).reshape(len(ids), -1).astype(np.float64)
        rows -= rows.max(-1, keepdims=True)
        rows -= np.log(np.exp(rows).sum(-1, keepdims=True))
        for row, top in zip(rows[len(answer["prompt_ids"]) - 1 : -1], answer["top_logprobs"], strict=True):
            gap = max(abs(row[entry["id"]] - entry["logprob"]) for entry in top)
            worst = gap if not gap <= worst else worst
    return worst


def apart(first: list[dict], second: list[dict]) -> float:
    pairs = zip((p for answer in first for p in answer["top_logprobs"]), (p for answer in second for p in answer["top_logprobs"]))
    return max(max(abs(a["logprob"] - b["logprob"]) for a, b in zip(one, other)) for one, other in pairs)


def check(options: argparse.Namespace, name: str) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        folder, file, lora = (pathlib.Path(scratch) / part for part in ("model", "model.gguf", "lora.gguf"))
        write(name, folder)
        adapter = folder / "adapter_lora"
        try:
            ours = answers(options.firefly, folder)
            run(options.firefly, "export", folder, file, "--type", "f32")
        except subprocess.CalledProcessError as error:
            print(f"{name:18} not compared: {' '.join(error.stderr.decode().split())[:150]}", flush=True)
            return name not in options.only
        results = {}
        try:
            results["llama.cpp"] = difference(options.logits, file, ours)
            if not re.search("13b|deepseek_v2", name):  # written only
                results["read back"] = apart(ours, answers(options.firefly, file))
            if adapter.exists() and not re.search("moe|mixtral|13b|glm4|deepseek", name):
                run(options.firefly, "export", folder, lora, "--adapter", adapter, "--adapter-only", "--type", "f32")
                adapted = answers(options.firefly, folder, "--adapter", adapter)
                results["with its adapter"] = difference(options.logits, file, adapted, "--lora", lora)
                assert apart(adapted, ours) > 1e-3, "the adapter changes nothing"
        except subprocess.CalledProcessError as error:
            results["failed: " + " ".join(error.stderr.decode().split())[:150]] = float("inf")
        tolerance = OF_TABLE if re.search("gemma|bloom", name) else TOLERANCE
        fine = all(value <= tolerance for value in results.values())
        print(f"{name:18} " + ", ".join(f"{key} {value:.2g}" for key, value in results.items()) + ("" if fine else "  WRONG"),
              flush=True)  # fmt: skip
        return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", required=True)
    parser.add_argument("--logits", required=True)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    names = options.only or sorted(path.name for path in FAMILIES.iterdir())
    return 0 if all([check(options, name) for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main())
