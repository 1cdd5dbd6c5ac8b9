"""Writes Tests/TrainingTests/Fixtures/configuration_keys.json: every key of transformers' TrainingArguments, TRL's SFTConfig and
DPOConfig and PEFT's LoraConfig, as the installed libraries have them, with its default and with other values.

    python configuration_keys.py            (needs transformers, trl and peft)

Other values are derived from a key's type; where that says too little, they are listed below.
"""

import dataclasses
import enum
import importlib.metadata
import json
import pathlib
import types
import typing

import peft
import transformers
import trl

OUT = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Fixtures/configuration_keys.json"

# Values that a type does not tell.
OTHERS = {
    "eval_strategy": ["steps", "epoch"], "logging_strategy": ["no", "epoch"], "save_strategy": ["no", "epoch", "best"],
    "lr_scheduler_type": [kind.value for kind in transformers.SchedulerType],
    "optim": [name.value for name in transformers.training_args.OptimizerNames],
    "hub_strategy": ["end", "checkpoint"], "log_level": ["info"], "log_level_replica": ["error"],
    "report_to": ["all", "tensorboard", ["wandb", "tensorboard"], [], ["none"]],
    "warmup_steps": [0.1, 1, 100.0], "logging_steps": [0.05, 10, 10.0], "save_steps": [0.25, 20],
    "eval_steps": [0, 0.1, 50], "save_total_limit": [3], "max_steps": [10, 0], "seed": [7], "data_seed": [3],
    "include_num_input_tokens_seen": ["all", "non_padding", True], "debug": ["underflow_overflow", []],
    "lr_scheduler_kwargs": [{"num_cycles": 2}, "{}", "{\"num_cycles\": 2}"],
    "train_sampling_strategy": ["sequential", "group_by_length"],
    "metric_for_best_model": ["loss", "eval_loss", "eval_accuracy"],
    "resume_from_checkpoint": ["out/checkpoint-5", True], "output_dir": ["elsewhere"],
    "accelerator_config": [{"split_batches": True}, "accelerator.json"], "trackio_static_space_id": ["Org/Name"],
    "fsdp": ["full_shard auto_wrap", True], "fsdp_config": [{"min_num_params": 2000}],
    "deepspeed": ["ds.json", {"zero_optimization": {"stage": 2}}],
    "optim_target_modules": [["q_proj"], "all-linear"], "optim_args": ["beta3=0.9"],
    "torch_compile_backend": ["inductor"], "loss_type": ["dft", ["sigmoid"], ["ipo"], "hinge"],
    "loss_weights": [[1.0], [0.5, 1.0]], "f_divergence_type": ["js_divergence"], "truncation_mode": ["keep_end"],
    "packing_strategy": ["wrapped"], "pad_to_multiple_of": [8], "dataset_text_field": ["content"],
    "chat_template_path": ["template.jinja"], "max_length": [512],
    "r": [16], "target_modules": [["q_proj", "v_proj"], "all-linear"], "exclude_modules": [["lm_head"]],
    "lora_alpha": [32], "bias": ["all", "lora_only"],
    "init_lora_weights": [False, "gaussian", "pissa", "olora", "eva", "loftq"], "task_type": ["CAUSAL_LM"],
    "peft_type": ["LORA", "IA3"], "layers_to_transform": [[0, 1], 3], "layers_pattern": ["layers"],
    "rank_pattern": [{"q_proj": 8}], "alpha_pattern": [{"q_proj": 8}], "layer_replication": [[[0, 4], [2, 5]]],
    "trainable_token_indices": [[1, 2]], "modules_to_save": [["embed_tokens"]],
    "target_parameters": [["mlp.gate_up_proj"]], "revision": ["main", "v1.0"],
    "max_grad_norm": [0, 0.3], "num_train_epochs": [1, 2.5], "label_smoothing_factor": [0, 0.1],
    "neftune_noise_alpha": [0, 5], "adam_beta1": [0.8], "adam_beta2": [0.95], "adam_epsilon": [1e-6],
    "learning_rate": [1e-4], "weight_decay": [0.01], "eval_delay": [5],
}  # fmt: skip


def plain(value):
    """The value as JSON has it; None for what it cannot write."""
    if isinstance(value, enum.Enum):
        return value.value
    try:
        return json.loads(json.dumps(value))
    except TypeError:
        return None


def default(field):
    if field.default is not dataclasses.MISSING:
        return plain(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return plain(field.default_factory())
    return None


def kinds(annotation) -> set:
    """The simple types that an annotation allows."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return set().union(*map(kinds, typing.get_args(annotation)))
    return {typing.get_origin(annotation) or annotation}


def others(field, annotation) -> list:
    if field.name in OTHERS:
        return OTHERS[field.name]
    own = default(field)
    values = []
    for kind in kinds(annotation):
        if kind is bool:
            values += [True, False] if own is None else [not own]
        elif kind is int:
            values.append((own or 0) + 3)
        elif kind is float:
            values.append((own or 0) + 0.25)
        elif kind is str:
            values.append("other")
        elif kind is dict:
            values.append({"key": 1})
        elif kind is list:
            values.append(["other"])
        elif dataclasses.is_dataclass(kind):
            values.append({"key": 1})
    return sorted(values, key=repr)


def keys_of(config) -> list:
    annotations = typing.get_type_hints(config)
    return [
        {"key": field.name, "default": default(field), "others": others(field, annotations[field.name])}
        for field in dataclasses.fields(config)
    ]


def main() -> None:
    classes = {
        "TrainingArguments": transformers.TrainingArguments, "SFTConfig": trl.SFTConfig, "DPOConfig": trl.DPOConfig,
        "LoraConfig": peft.LoraConfig,
    }  # fmt: skip
    versions = {name: importlib.metadata.version(name) for name in ["transformers", "trl", "peft"]}
    lists = {name: keys_of(config) for name, config in classes.items()}
    shared = {entry["key"]: entry for entry in lists["TrainingArguments"]}
    for name in ["SFTConfig", "DPOConfig"]:
        lists[name] = [entry for entry in lists[name] if shared.get(entry["key"]) != entry]
    lines = []
    for name, entries in lists.items():
        lines.append(f" {json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(entry) for entry in entries) + "\n ]")
    OUT.write_text("{\n" + f' "versions": {json.dumps(versions)},\n' + ",\n".join(lines) + "\n}\n")
    print(OUT, {name: len(entries) for name, entries in lists.items()})


if __name__ == "__main__":
    main()
