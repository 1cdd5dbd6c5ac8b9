#!/usr/bin/env python3
"""llama.cpp against Firefly on small random models of every kind that `firefly export` writes: SentencePiece and
byte-level vocabularies, rotary scalings, biases, tied heads, LoRA adapters. For each: the same ids for the same texts,
and the same log-probabilities after them. Exits 1 where they differ.

    python tools/reference/gguf_families.py --firefly .build/release/firefly --tokenizers ../shared/tokenizers \\
        [--out DIR] [--only NAME …]

Needs llama-cpp-python, numpy, safetensors. The models have two layers, weights that float16 and bfloat16 hold exactly
and a fixed seed.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import llama_cpp
import numpy as np
from gguf_check import run
from safetensors.numpy import save_file

HIDDEN, INNER, LAYERS, HEADS, KEY_VALUE_HEADS = 128, 256, 2, 4, 2
DECOMPOSED = "cafe\u0301"
TEXTS = [
    "Hello, world!", " leading and trailing ", "two  spaces   three", "\n", "line\nline\n\nline\r\n\ttab", " ", "a",
    "Don't STOP: 12345 sheep, 3.14159 and 1e-5 €", "def f(x):\n        return x**2  # comment_with_under_scores",
    "https://example.org/?q=1&amp;r=<b>", "小明有 24 颗糖，平均分给 6 个朋友，每人几颗？", "　全角　空格。中文和English混排",
    "二〇二四年12月，第１２３号", "日本語のテスト 한국어 Русский العربية हिन्दी ไทย", "café ﬁ Å ½ x²",
    DECOMPOSED, "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇳 😀", "\u200bzero\u00a0width", "𠮷野家 𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "", "▁already▁marked",
]  # fmt: skip
SPECIAL = ["a{0}b", "{0}", "{0} {0}\n{0}", "x {0} y", "{0}user\nhi{0}\n"]
PROMPTS = ["The capital of France", "小明有 24 颗糖，平均分给 6 个朋友，每人几颗？", "def f(x):\n    return x\n\nprint(f(3))"]


@dataclasses.dataclass
class Case:
    """A model: config.json's members beside the sizes, its tokenizer's files, and what is special about its weights."""

    family: str
    tokenizer: str
    files: dict[str, str]
    vocabulary: int
    config: dict = dataclasses.field(default_factory=dict)
    biases: tuple[str, ...] = ()

    @property
    def tied(self) -> bool:
        return self.config.get("tie_word_embeddings", False)


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def rope(kind: str, **members) -> dict:
    return {"rope_scaling": {"rope_type": kind, **members}}


SETTINGS = same("tokenizer_config.json", "special_tokens_map.json")
QWEN = same("tokenizer.json", "tokenizer_config.json")
SMOL = same("tokenizer.json", "chat_template.jinja")
QKV = ("q_proj", "k_proj", "v_proj")
CASES = {
    "llama2": Case("llama", "llama2", SETTINGS | same("tokenizer.model", "tokenizer.json"), 32000),
    "llama2-model": Case("llama", "llama2", SETTINGS | same("tokenizer.model"), 32000),
    "llama2-json": Case("llama", "llama2", SETTINGS | same("tokenizer.json"), 32000),
    "llama2-bare": Case("llama", "llama2", same("tokenizer.model"), 32000),
    "chinese-alpaca-2": Case("llama", "chinese-llama-alpaca-2", SETTINGS | same("tokenizer.model"), 55296),
    "wide-heads": Case("llama", "chinese-llama-alpaca-2", same("tokenizer.model"), 55296, {"head_dim": 64}),
    "biases": Case("llama", "llama2", same("tokenizer.model"), 32064, {"attention_bias": True, "mlp_bias": True},
                   QKV + ("o_proj", "gate_proj", "up_proj", "down_proj")),
    "smollm2-tied": Case("llama", "smollm2", SMOL, 49152, {"tie_word_embeddings": True}),
    "gpt2-vocabulary": Case("llama", "gpt2", same("tokenizer.json"), 50257),
    "linear": Case("llama", "smollm2", SMOL, 49152, rope("linear", factor=4.0)),
    "yarn": Case("llama", "smollm2", SMOL, 49152, rope("yarn", factor=4.0, original_max_position_embeddings=16)),
    "llama3": Case("llama", "smollm2", SMOL, 49152, rope("llama3", factor=8.0, low_freq_factor=1.0,
                   high_freq_factor=4.0, original_max_position_embeddings=64) | {"rope_theta": 500000.0}),
    "mistral-v1": Case("mistral", "mistral", {"tokenizer.model.v1": "tokenizer.model"}, 32000, {"sliding_window": 4096}),
    "mistral-v3": Case("mistral", "mistral", {"mistral_instruct_tokenizer_240323.model.v3": "tokenizer.model"}, 32768),
    "qwen2": Case("qwen2", "qwen2", QWEN, 151936, {"rope_theta": 1e6}, QKV),
    "qwen2-tied": Case("qwen2", "qwen2", QWEN, 151936, {"tie_word_embeddings": True, "use_sliding_window": False,
                       "sliding_window": 32768, "max_window_layers": 28}, QKV),
    "qwen2-yarn": Case("qwen2", "qwen2", QWEN, 151936,
                       rope("yarn", factor=4.0, original_max_position_embeddings=16), QKV),
}  # fmt: skip


def linears(case: Case) -> dict[str, tuple[int, int]]:
    """A block's linear layers, by what stands behind `model.layers.N.`: outputs and inputs."""
    head = case.config.get("head_dim", HIDDEN // HEADS)
    queries, keys = HEADS * head, KEY_VALUE_HEADS * head
    return {
        "self_attn.q_proj": (queries, HIDDEN), "self_attn.k_proj": (keys, HIDDEN), "self_attn.v_proj": (keys, HIDDEN),
        "self_attn.o_proj": (HIDDEN, queries), "mlp.gate_proj": (INNER, HIDDEN), "mlp.up_proj": (INNER, HIDDEN),
        "mlp.down_proj": (HIDDEN, INNER),
    }  # fmt: skip


# MARK: - Writing models


def numbers(generator: np.random.Generator, shape: tuple[int, ...], scale: float, around: float = 0) -> np.ndarray:
    """Multiples of 1/1024 below 1 (of 1/64 around 1): exact in float16 and bfloat16."""
    step = 64 if around else 1024
    x = np.clip(np.round(generator.normal(0, scale, shape) * step), -step // 8, step // 8) / step
    return (around + x).astype(np.float16)


def write_model(case: Case, tokenizers: pathlib.Path, folder: pathlib.Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = {
        "model_type": case.family, "vocab_size": case.vocabulary, "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KEY_VALUE_HEADS,
        "hidden_act": "silu", "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "torch_dtype": "float16",
    } | case.config  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name, target in case.files.items():
        shutil.copy(tokenizers / case.tokenizer / name, folder / target)
    generator = np.random.default_rng(7)
    tensors = {"model.embed_tokens.weight": numbers(generator, (case.vocabulary, HIDDEN), 0.05)}
    if not case.tied:
        tensors["lm_head.weight"] = numbers(generator, (case.vocabulary, HIDDEN), 0.05)
    for layer in range(LAYERS):
        for name, shape in linears(case).items():
            tensors[f"model.layers.{layer}.{name}.weight"] = numbers(generator, shape, 0.06)
            if name.split(".")[1] in case.biases:
                tensors[f"model.layers.{layer}.{name}.bias"] = numbers(generator, shape[:1], 0.1)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{layer}.{name}.weight"] = numbers(generator, (HIDDEN,), 0.1, around=1)
    tensors["model.norm.weight"] = numbers(generator, (HIDDEN,), 0.1, around=1)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def write_adapter(case: Case, folder: pathlib.Path, rank: int, alpha: int, rslora: bool) -> None:
    """As PEFT saves one, with a B that is not zero, on every linear layer."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name.split(".")[1] for name in linears(case)]
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": alpha, "lora_dropout": 0.0,
        "use_rslora": rslora, "target_modules": names, "bias": "none", "fan_in_fan_out": False, "inference_mode": True,
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    generator = np.random.default_rng(8)
    tensors = {}
    for layer in range(LAYERS):
        for name, (outputs, inputs) in linears(case).items():
            prefix = f"base_model.model.model.layers.{layer}.{name}"
            tensors[prefix + ".lora_A.weight"] = generator.normal(0, 0.1, (rank, inputs)).astype(np.float32)
            tensors[prefix + ".lora_B.weight"] = generator.normal(0, 0.02, (outputs, rank)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})


# MARK: - Comparing


def load(path: pathlib.Path, **options) -> llama_cpp.Llama:
    f32 = llama_cpp.GGML_TYPE_F32
    return llama_cpp.Llama(str(path), n_ctx=512, verbose=False, type_k=f32, type_v=f32, flash_attn=False, **options)


def firefly_ids(firefly: pathlib.Path, model: pathlib.Path, texts: list[str], *options: str) -> list[list[int]]:
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    output = subprocess.run([str(firefly), "tokenize", str(model), "--json", *options], input=lines, check=True,
                            capture_output=True, text=True).stdout  # fmt: skip
    return [json.loads(line)["ids"] for line in output.splitlines()]


def special_tokens(llama: llama_cpp.Llama, firefly: pathlib.Path, model: pathlib.Path) -> list[str]:
    """Up to eight of the file's control tokens; without those that llama.cpp makes into such by their names alone."""
    control = {id: llama_cpp.llama_vocab_get_text(llama._model.vocab, id).decode() for id in range(llama.n_vocab())
               if llama_cpp.llama_vocab_is_control(llama._model.vocab, id)}  # fmt: skip
    ours = firefly_ids(firefly, model, list(control.values()), "--parse-special")
    names = [name for (id, name), found in zip(control.items(), ours, strict=True) if found == [id]]
    return names[:4] + names[-4:]


def check_tokens(llama: llama_cpp.Llama, firefly: pathlib.Path, model: pathlib.Path, beside: bool) -> list[str]:
    """The texts that have other ids; those beside special tokens only when asked for."""
    tokens = special_tokens(llama, firefly, model)
    texts = TEXTS + (tokens if not beside else [text.format(token) for token in tokens for text in SPECIAL])
    if llama.metadata["tokenizer.ggml.pre"] == "qwen2":
        texts.remove(DECOMPOSED)  # llama.cpp composes nothing
    wrong = []
    for parse in (True, False):
        for bos in (True, False):
            options = ["--parse-special" if parse else "--no-parse-special"] + (["--add-special"] if bos else [])
            for text, ours in zip(texts, firefly_ids(firefly, model, texts, *options), strict=True):
                theirs = llama.tokenize(text.encode(), add_bos=bos, special=parse)
                if theirs != ours:
                    wrong.append(f"{' '.join(options)} {text!r}: llama.cpp {theirs}, firefly {ours}")
    return wrong


def answers(firefly: pathlib.Path, model: pathlib.Path, *options) -> list[dict]:
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    output = run(firefly, "generate", model, "--raw", "--greedy", "--json", "--precision", "float32",
                 "--max-new-tokens", 24, "--top-logprobs", 20, *options, *words)  # fmt: skip
    return [json.loads(line) for line in output.splitlines()]


def check_logits(llama: llama_cpp.Llama, ours: list[dict]) -> float:
    """The largest difference of the most likely tokens' log-probabilities, after the same tokens."""
    worst = 0.0
    for answer in ours:
        llama.reset()
        llama.eval(answer["prompt_ids"])
        for token, top in zip(answer["ids"], answer["top_logprobs"], strict=True):
            logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llama.ctx, -1), (llama.n_vocab(),))
            logits = logits.astype(np.float64)
            theirs = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
            difference = max(abs(theirs[entry["id"]] - entry["logprob"]) for entry in top)
            worst = difference if not difference <= worst else worst
            llama.eval([token])
    return worst


# MARK: - The cases


class Checker:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.good = True

    def report(self, name: str, worst: float, tolerance: float) -> None:
        fine = worst <= tolerance
        self.good &= fine
        print(f"{name:34} largest difference of log-probabilities {worst:.2g}{'' if fine else '  WRONG'}", flush=True)

    def export(self, model: pathlib.Path, out: pathlib.Path, *options) -> tuple[pathlib.Path, str]:
        """The file, and what Firefly remarked."""
        words = [self.options.firefly, "export", model, out, "--overwrite", *options]
        done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
        return out, done.stderr

    def check(self, name: str, case: Case) -> None:
        folder, firefly = self.options.out / name, self.options.firefly
        model = folder / "model"
        write_model(case, self.options.tokenizers, model)
        ours = answers(firefly, model)
        path, remarks = self.export(model, folder / "f32.gguf", "--type", "f32")
        llama = load(path)
        beside = "beside special tokens" not in remarks
        print(f"{name}: BOS {llama.token_bos()}, EOS {llama.token_eos()}, "
              f"{'' if beside else 'told that it is not '}the same beside special tokens")  # fmt: skip
        for source in (model, path):
            if wrong := check_tokens(llama, firefly, source, beside):
                print(f"{name}: {source.name} has other ids for {len(wrong)} texts", *wrong[:6], sep="\n    ", flush=True)
                self.good = False
        self.report(name + " f32", check_logits(llama, ours), 1e-3)
        # llama.cpp rounds the activations, as the weights are or to 8 bits; Firefly does not, neither with the folder
        # nor with the file that it reads back.
        for kind, tolerance in {"f16": 0.02, "bf16": 0.05, "q8_0": 0.1, "q4_0": 0.1}.items():
            path, _ = self.export(model, folder / f"{kind}.gguf", "--type", kind)
            back = answers(firefly, path) if kind.startswith("q") else ours
            self.report(f"{name} {kind}", check_logits(load(path), back), tolerance)
        self.check_adapters(name, case, model, folder)

    def check_adapters(self, name: str, case: Case, model: pathlib.Path, folder: pathlib.Path) -> None:
        for kind, rank, alpha, rslora in (("lora", 8, 12, False), ("rslora", 4, 8, True)):
            adapter = folder / kind
            write_adapter(case, adapter, rank, alpha, rslora)
            ours = answers(self.options.firefly, model, "--adapter", adapter)
            base = answers(self.options.firefly, model)
            if [answer["ids"] for answer in ours] == [answer["ids"] for answer in base]:
                print(f"{name} {kind}: the adapter changes nothing")
                self.good = False
            merged, _ = self.export(model, folder / f"{kind}-merged.gguf", "--type", "f32", "--adapter", adapter)
            self.report(f"{name} {kind}, merged", check_logits(load(merged), ours), 1e-3)
            lora, _ = self.export(model, folder / f"{kind}.gguf", "--type", "f32", "--adapter", adapter,
                                  "--adapter-only")  # fmt: skip
            llama = load(folder / "f32.gguf", lora_path=str(lora))
            self.report(f"{name} {kind}, loaded", check_logits(llama, ours), 1e-3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firefly", type=pathlib.Path, required=True)
    parser.add_argument("--tokenizers", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/gguf-families"))
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    checker = Checker(options)
    for name in options.only:
        try:
            checker.check(name, CASES[name])
        except subprocess.CalledProcessError as error:
            print(f"{name}: {error.stderr.strip()}", flush=True)
            checker.good = False
        shutil.rmtree(options.out / name, ignore_errors=True)
    if not checker.good:
        sys.exit("not the same")


if __name__ == "__main__":
    main()
