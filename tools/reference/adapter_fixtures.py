#!/usr/bin/env python3
"""Writes Tests/ModelsTests/Fixtures/adapters: what PEFT computes when it loads folders whose adapter_config.json says
unusual things. The base is Fixtures/gqa; every adapter is read by PeftModel.from_pretrained from files, in float32.

    python tools/reference/adapter_fixtures.py

cases.json: for each case the tensors' file, changes to adapter_config.json (a list of pairs keeps the order of patterns), and
whether PEFT's answers are those of the base with s·B·A added. experts/FAMILY: adapters that PEFT makes of experts whose matrices
lie in one tensor a layer, on Fixtures/families; and which modules of the base PEFT gives a pair of which rank and factor by random
keys (choices). expected.safetensors: the logits of the batch's first 8 rows, and gradients for
the case on the head.
"""

import json
import pathlib
import random
import shutil
import tempfile
import warnings

import peft
import torch
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import manifest
from model_case import evaluate

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Tests/ModelsTests/Fixtures"
OUT = FIXTURES / "adapters"
ROWS = 8
CHOICES = 60
PLAIN = {
    "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "..", "bias": "none", "r": 4,
    "lora_alpha": 8, "lora_dropout": 0.0, "inference_mode": True, "init_lora_weights": True,
    "target_modules": ["q_proj", "k_proj", "down_proj"],
}  # fmt: skip

# Of pairs in another case's file: which ranks the modules have.
RANKS = [["layers\\.0\\..*_proj", 2], [".*down_proj", 3]]
CASES = {
    "plain": {},
    "first_pattern": {"alpha_pattern": [["layers.0.self_attn.q_proj", 1], ["q_proj", 64]]},
    "first_pattern_reversed": {"alpha_pattern": [["q_proj", 64], ["layers.0.self_attn.q_proj", 1]]},
    "many_patterns": {"alpha_pattern": [[name, value] for value, name in enumerate(
        ["x", "model.layers.1.mlp.down_proj", "proj", "(q|k)_proj", "layers.[01].*", "q_proj", "k_proj", "down_proj"], 1)]},
    "expression_of_alphas": {"alpha_pattern": [["(?:q|k)_proj", 3], [r"model\.layers\.\d+\.mlp\..*", 5]]},
    "expression_of_ranks": {"tensors": "ranks", "rank_pattern": RANKS, "use_rslora": True},
    "some_layers": {"layers_to_transform": [1]},
    "one_layer_by_name": {"layers_to_transform": 0, "layers_pattern": "layers"},
    "a_layer_of_another_name": {"layers_to_transform": [0], "layers_pattern": ["h", "layers"]},
    "a_layer_of_the_first_name": {"layers_to_transform": [0], "layers_pattern": ["mlp", "model.layers", "layers"]},
    "a_whole_path_of_another_layer": {
        "layers_to_transform": [0], "target_modules": ["q_proj", "model.layers.1.mlp.down_proj"]},
    "biases_of_none": {"bias": "lora_only"},
    "excluded": {"exclude_modules": ["down_proj", "layers.0.self_attn.k_proj"]},
    "excluded_by_expression": {"exclude_modules": r".*\.1\..*"},
    "targets_by_expression": {"target_modules": r".*layers\.0\..*(q|down)_proj"},
    "other_targets": {"target_modules": ["q_proj", "v_proj"]},
    "fan_in_fan_out": {"fan_in_fan_out": True},
    "velora": {"velora_config": {"num_groups": 1, "scale": 1.0, "init_type": "random"}},
    "head": {"tensors": "head", "target_modules": ["q_proj", "lm_head"]},
}  # fmt: skip
# A pair of each of the experts' parameters, of both by the names that their layers had before, and of one beside a module's.
EXPERTS = {
    "qwen3_moe": {
        "target_modules": ["q_proj"], "target_parameters": ["mlp.experts.gate_up_proj", "experts.down_proj"],
        "rank_pattern": {r".*experts\.gate_up_proj": 3}, "alpha_pattern": {"experts.down_proj": 7}},
    "deepseek_v2": {"target_modules": ["o_proj", "gate_proj", "up_proj", "down_proj"], "use_rslora": True},
    "qwen2_moe": {
        "target_modules": ["k_proj"], "target_parameters": ["experts.down_proj", "shared_expert.gate_proj.weight"]},
}  # fmt: skip
STARTS = [False, "gaussian", "orthogonal", "eva", "mica", "pissa", "pissa_niter_4", "olora", "lora_ga", "loftq", "corda"]


def write_tensors(base) -> None:
    """Three files of random pairs: of rank 4, of RANKS' ranks, and one on the head."""
    generator = torch.Generator().manual_seed(3)
    modules = {name: module for name, module in base.named_modules() if isinstance(module, torch.nn.Linear)}

    def pairs(leaves: list[str], rank) -> dict:
        tensors = {}
        for name, module in modules.items():
            if name.split(".")[-1] in leaves:
                r = rank(name)
                key = f"base_model.model.{name}"
                tensors[f"{key}.lora_A.weight"] = 0.1 * torch.randn(r, module.in_features, generator=generator)
                tensors[f"{key}.lora_B.weight"] = 0.1 * torch.randn(module.out_features, r, generator=generator)
        return tensors

    leaves = PLAIN["target_modules"]
    files = {
        "plain": pairs(leaves, lambda name: 4),
        "ranks": pairs(leaves, lambda name: 2 if "layers.0." in name else 3 if "down_proj" in name else 4),
        "head": pairs(["q_proj", "lm_head"], lambda name: 4),
    }
    for name, tensors in files.items():
        save_file(tensors, OUT / f"{name}.safetensors")


def config(changes: dict) -> dict:
    changes = {key: value for key, value in changes.items() if key != "tensors"}
    for key in ("alpha_pattern", "rank_pattern"):
        if key in changes:
            changes[key] = dict(changes[key])
    return PLAIN | changes


def load(changes: dict):
    """The adapter on a fresh base, as PEFT reads it from a folder."""
    base = AutoModelForCausalLM.from_pretrained(FIXTURES / "gqa", dtype=torch.float32, attn_implementation="eager")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(OUT / f"{changes.get('tensors', 'plain')}.safetensors", folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text(json.dumps(config(changes)))
        return peft.PeftModel.from_pretrained(base, folder)


def experts(family: str) -> torch.Tensor:
    """The logits of a fresh adapter with random values, which is saved."""
    folder = OUT / "experts" / family
    base = AutoModelForCausalLM.from_pretrained(
        FIXTURES / "families" / family, dtype=torch.float32, attn_implementation="eager")  # fmt: skip
    model = peft.get_peft_model(base, peft.LoraConfig(r=2, lora_alpha=4, task_type="CAUSAL_LM", **EXPERTS[family]))
    generator = torch.Generator().manual_seed(5)
    for name, value in model.named_parameters():
        if "lora_" in name:
            value.data = 0.1 * torch.randn(value.shape, generator=generator)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    written = json.loads((folder / "adapter_config.json").read_text())
    written["base_model_name_or_path"] = family
    for key in ("target_modules", "target_parameters"):
        written[key] = sorted(written[key])
    (folder / "adapter_config.json").write_text(json.dumps(written, indent=2) + "\n")
    batch = json.loads((FIXTURES / "families" / family / "case.json").read_text())
    return evaluate(model, batch)[0][:ROWS].detach().contiguous()


def choice(draw: random.Random) -> dict | None:
    """Random keys, and by module the rank and the factor that they give; nothing where PEFT refuses them."""
    leaves = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    keys = {"target_modules": draw.choice([
        "all-linear", draw.sample(leaves, 3), [f"layers.{draw.randrange(2)}.mlp.{draw.choice(leaves[4:])}", "q_proj"],
        [f"model.layers.1.self_attn.{draw.choice(leaves[:4])}", "up_proj", "lm_head"],
        rf".*\.{draw.randrange(2)}\..*({draw.choice(leaves)}|{draw.choice(leaves)})", r".*(self_attn|lm_head).*"])}  # fmt: skip
    if draw.random() < 0.5:
        keys["exclude_modules"] = draw.choice([[draw.choice(leaves)], rf".*\.{draw.randrange(2)}\..*", ["mlp.up_proj"]])
    if isinstance(keys["target_modules"], list) and draw.random() < 0.6:
        keys["layers_to_transform"] = draw.choice([0, 1, [1], [0, 1], []])
        if keys["layers_to_transform"] != [] and draw.random() < 0.5:
            keys["layers_pattern"] = draw.choice(["layers", ["h", "layers"], "model.layers"])
    for key, values in [("rank_pattern", [1, 3, 7]), ("alpha_pattern", [1, 5, 32])]:
        if draw.random() < 0.5:
            leaf = draw.choice(leaves)
            keys[key] = {draw.choice([leaf, rf"layers\.0\..*{leaf}", f"{leaf[:2]}.*", ".*proj"]): draw.choice(values)}
    base = AutoModelForCausalLM.from_pretrained(FIXTURES / "gqa", dtype=torch.float32)
    try:
        model = peft.get_peft_model(base, peft.LoraConfig(r=4, lora_alpha=8, **keys)).base_model.model
    except ValueError:
        return None
    layers = {name: module for name, module in model.named_modules() if isinstance(module, peft.tuners.lora.LoraLayer)}
    for key in ("rank_pattern", "alpha_pattern"):
        # Firefly refuses a pattern that fits nothing.
        if key in keys and all(get_pattern_key(keys[key], name) == name for name in layers):
            return None
    return {"keys": keys, "modules": {
        name: [module.r["default"], module.scaling["default"]] for name, module in layers.items()}}  # fmt: skip


def main() -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    base = AutoModelForCausalLM.from_pretrained(FIXTURES / "gqa", dtype=torch.float32)
    write_tensors(base)
    batch = json.loads((FIXTURES / "gqa/case.json").read_text())
    expected, cases = {}, {}
    for name, changes in CASES.items():
        model = load(changes)
        logits, loss = evaluate(model, batch)
        expected[f"{name}.logits"] = logits[:ROWS].detach().contiguous()
        cases[name] = changes
        if name == "head":
            for key, value in model.named_parameters():
                value.requires_grad_("lora_" in key)
            _, loss = evaluate(model, batch)
            (loss / batch["targets"]).backward()
            for key, value in model.named_parameters():
                if value.requires_grad:
                    expected[f"head.gradient.{key.replace('.default', '')}"] = value.grad.contiguous()
    for family in EXPERTS:
        expected[f"experts.{family}.logits"] = experts(family)
    starts = {}
    for start in STARTS:
        changes = {"init_lora_weights": start}
        if start == "loftq":
            changes["loftq_config"] = {"loftq_bits": 4, "loftq_iter": 1}
        try:
            logits = evaluate(load(changes), batch)[0][:ROWS].detach()
        except Exception as error:  # CorDA wants what only training has.
            starts[json.dumps(start)] = f"refused: {type(error).__name__}"
            continue
        same = torch.allclose(logits, expected["plain.logits"], atol=1e-5)
        starts[json.dumps(start)] = "plain" if same else "changes the base"
    draw = random.Random(9)
    choices = [one for one in (choice(draw) for _ in range(CHOICES)) if one]
    save_file(expected, OUT / "expected.safetensors")
    (OUT / "cases.json").write_text(json.dumps({"config": PLAIN, "cases": cases, "starts": starts}, indent=1) + "\n")
    (OUT / "choices.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in choices) + "\n]\n")
    manifest.write(OUT, "tools/reference/adapter_fixtures.py", ["torch", "transformers", "peft", "safetensors"])
    print(json.dumps(starts, indent=1))


if __name__ == "__main__":
    main()
