#!/usr/bin/env python3
"""llama.cpp on the tiny model of every family that the tests have: what `firefly export` makes of it gives the log-probabilities
that Firefly gives with the folder, with its adapter beside it too, and Firefly reads it back. Exits 1 where numbers differ.
What is refused, the model or its adapter as a file, is printed with its reason and counts as well.

    python tools/reference/gguf_fixture_families.py --firefly .build/release/firefly --logits PROGRAM [--only NAME …]

PROGRAM is llama_logits.cpp beside this file, compiled with llama.cpp (its first lines say how). Needs numpy, torch and safetensors.
The fixtures have 97 tokens and no tokenizer: rows and that of the tests' tiny model are added; what llama.cpp takes for granted of a
family, as published models have it, takes the place of what a fixture has. With an adapter on glm4 llama.cpp itself stops at an assertion.
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
ROWS = 320
# llama.cpp knows Baichuan's ALiBi by 40 layers; the others' layers differ with their number.
LAYERS = {"baichuan2?_13b": 40, "gemma3_text": 6, "smollm3": 4}
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


def fit_adapter(folder: pathlib.Path, tensors: dict, generator: np.random.Generator) -> None:
    """Pairs for the heads that are other ones now."""
    path = folder / "adapter_lora/adapter_model.safetensors"
    pairs = {key: value.float().numpy() for key, value in load_file(path).items()}
    for key, value in pairs.items():
        outputs, inputs = tensors[key.removeprefix("base_model.model.").rsplit(".", 2)[0] + ".weight"].shape
        shape = (value.shape[0], inputs) if ".lora_A." in key else (outputs, value.shape[1])
        pairs[key] = generator.normal(0, value.std(), shape).astype(np.float32)
    save_file(pairs, path, metadata={"format": "pt"})


def repeat_layers(tensors: dict, have: int, want: int) -> dict:
    """With the layers once more until there are enough."""
    more = {}
    for layer in range(have, want):
        source = f"layers.{layer % have}."
        more |= {key.replace(source, f"layers.{layer}."): value for key, value in tensors.items() if source in key}
    return tensors | more


def as_published(name: str, config: dict) -> None:
    """What llama.cpp takes for granted of a family, where the fixture has it otherwise."""
    if re.fullmatch("gemma2|gemma3_text", name):
        config["query_pre_attn_scalar"] = config["head_dim"]
    if name == "gemma3_text":
        config["sliding_window_pattern"] = 6
    if name == "smollm3":
        config["no_rope_layers"] = [1, 1, 1, 0]
        config.pop("layer_types")
    if name == "qwen2":
        config["use_sliding_window"] = False
    if re.fullmatch("phi3|phi4_mini|mistral", name):  # as long as the texts: llama.cpp knows no window here
        config["sliding_window"] = config["max_position_embeddings"]
    if re.fullmatch("phi3|phi4_mini|minicpm4|internlm3", name):  # scalings that its files cannot hold
        config["rope_scaling"], config["max_position_embeddings"] = None, 128
    if name == "minicpm3":  # the published model's factors, one ε, and the same LongRoPE for all lengths
        config |= {"scale_emb": 12, "dim_model_base": 256, "rms_norm_eps": 1e-6}
        config["rope_scaling"]["long_factor"] = config["rope_scaling"]["short_factor"]
    if name == "gpt_oss":  # llama.cpp rounds the ends of YaRN's ramp, which does nothing then
        config["rope_scaling"]["factor"] = 1.0
    if name == "deepseek_v2_lite":  # one ε and one scale of YaRN
        config["rms_norm_eps"] = 1e-6
        config["rope_scaling"]["mscale"] = config["rope_scaling"]["mscale_all_dim"]


def with_experts_alone(folder: pathlib.Path, config: dict, tensors: dict) -> dict:
    """Every layer like the first: llama.cpp has experts in all. The adapter, too."""
    def like_first(pairs: dict) -> dict:
        kept = {key: value for key, value in pairs.items() if ".layers." not in key or ".layers.0." in key}
        return repeat_layers(kept, 1, config["num_hidden_layers"])

    config["mlp_only_layers"] = []
    path = folder / "adapter_lora/adapter_model.safetensors"
    save_file({key: value.float().numpy() for key, value in like_first(load_file(path)).items()}, path, metadata={"format": "pt"})
    return like_first(tensors)


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
        fit_adapter(folder, tensors, generator)
    for kind, count in LAYERS.items():
        if re.fullmatch(kind, name):
            tensors = repeat_layers(tensors, config["num_hidden_layers"], count)
            config["num_hidden_layers"] = count
    if re.fullmatch("qwen._moe", name):
        tensors = with_experts_alone(folder, config, tensors)
    as_published(name, config)
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


def export_adapter(options: argparse.Namespace, folder: pathlib.Path, lora: pathlib.Path) -> bool:
    """Whether the adapter can be a file for llama.cpp."""
    words = [options.firefly, "export", folder, lora, "--adapter", folder / "adapter_lora", "--adapter-only", "--type", "f32"]
    done = subprocess.run([str(word) for word in words], capture_output=True)
    if done.returncode and b"uses no adapter" not in done.stderr:
        raise subprocess.CalledProcessError(done.returncode, words, stderr=done.stderr)
    if done.returncode:
        print(f"{folder.name:18} {' '.join(done.stderr.decode().split())[:150]}", flush=True)
    return done.returncode == 0


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
            if adapter.exists() and name != "glm4" and export_adapter(options, folder, lora):
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
