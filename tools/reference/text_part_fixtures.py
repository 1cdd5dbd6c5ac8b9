#!/usr/bin/env python3
"""Writes Tests/ModelsTests/Fixtures/text_parts: adapters that PEFT trained, as it were, on whole models of texts and images, and the
logits of texts under them. The text part's weights are those of Fixtures/families.

    python tools/reference/text_part_fixtures.py

Each adapter targets modules by names that what reads images has as well, and has a rank and an alpha of its own for one of the
text part's. written.json is how Firefly's configuration of the same adapter differs, of the text part alone: PEFT must load the
adapter under it and give the same logits.
"""

import json
import pathlib
import tempfile

import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Mistral3Config, Mistral3ForConditionalGeneration

import manifest

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Tests/ModelsTests/Fixtures"
OUT = FIXTURES / "text_parts"
VISION = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 8,
}  # fmt: skip
KINDS = {
    "gemma3": ("gemma3_text", Gemma3Config, Gemma3ForConditionalGeneration, "siglip_vision_model"),
    "mistral3": ("ministral3", Mistral3Config, Mistral3ForConditionalGeneration, "pixtral"),
}  # fmt: skip
TARGETS = ["q_proj", "v_proj", "down_proj"]
WRITTEN = {
    "target_modules": r".*\.language_model\.(.*\.)?(down_proj|q_proj|v_proj)",
    "rank_pattern": {r"model\.language_model\.layers\.1\.mlp\.down_proj": 2},
    "alpha_pattern": {r"model\.language_model\.layers\.0\.self_attn\.q_proj": 3},
}


def whole(name: str) -> tuple[torch.nn.Module, pathlib.Path]:
    family, config, model, vision = KINDS[name]
    folder = FIXTURES / "families" / family
    text = json.loads((folder / "config.json").read_text())
    vision_config = VISION | {"model_type": vision}
    if vision == "pixtral":
        vision_config["head_dim"] = 8
    made = model(config(text_config=text, vision_config=vision_config, tie_word_embeddings=text.get("tie_word_embeddings", True)))
    weights = {"model.language_model." + key.removeprefix("model.") if key.startswith("model.") else key: value.float()
               for key, value in load_file(folder / "model.safetensors").items()}  # fmt: skip
    missing, unexpected = made.load_state_dict(weights, strict=False)
    if unexpected or any("language_model" in key for key in missing):
        raise SystemExit(f"{name}: missing {missing}, unexpected {unexpected}")
    made.tie_weights()
    return made.float().eval(), folder


def logits(model: torch.nn.Module, folder: pathlib.Path) -> torch.Tensor:
    case = json.loads((folder / "case.json").read_text())
    ids, starts = torch.tensor(case["tokens"]), case["starts"]
    with torch.no_grad():
        return torch.cat([
            model(input_ids=ids[start:end][None]).logits[0] for start, end in zip(starts, starts[1:])])  # fmt: skip


def adapter(name: str) -> tuple[torch.nn.Module, pathlib.Path]:
    model, folder = whole(name)
    config = peft.LoraConfig(
        r=4, lora_alpha=8, target_modules=TARGETS, task_type="CAUSAL_LM", rank_pattern={"language_model.layers.1.mlp.down_proj": 2},
        alpha_pattern={"language_model.layers.0.self_attn.q_proj": 3})  # fmt: skip
    torch.manual_seed(6)
    adapted = peft.get_peft_model(model, config).eval()
    for key, value in adapted.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(value, std=0.05)
    return adapted, folder


def check_written(name: str, out: pathlib.Path, expected: torch.Tensor) -> None:
    """PEFT loads the text part's tensors under WRITTEN."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        config = json.loads((out / "adapter_config.json").read_text()) | WRITTEN
        (folder / "adapter_config.json").write_text(json.dumps(config))
        tensors = load_file(out / "adapter_model.safetensors")
        save_file({key: value for key, value in tensors.items() if "language_model" in key}, folder / "adapter_model.safetensors")
        model, fixture = whole(name)
        adapted = peft.PeftModel.from_pretrained(model, folder).eval()
        strangers = [key for key, _ in adapted.named_parameters() if "lora" in key and "language_model" not in key]
        difference = (logits(adapted, fixture) - expected).abs().max().item()
    if strangers or not difference <= 1e-5:
        raise SystemExit(f"{name}: as Firefly writes it the adapter differs by {difference}, {strangers}")


def main() -> None:
    for name in KINDS:
        adapted, folder = adapter(name)
        adapted.save_pretrained(OUT / name)
        (OUT / name / "README.md").unlink(missing_ok=True)
        expected = logits(adapted, folder).contiguous()
        save_file({"logits": expected}, OUT / name / "expected.safetensors")
        check_written(name, OUT / name, expected)
    (OUT / "written.json").write_text(json.dumps(WRITTEN, indent=1) + "\n")
    manifest.write(OUT, "tools/reference/text_part_fixtures.py", ["torch", "transformers", "peft", "safetensors"])


if __name__ == "__main__":
    main()
