"""Fixtures/families: one folder a family, its config.json as its models are published with (at toy sizes), its weights in
bfloat16 under their published names, and in float32 the logits and LoRA gradients of the base, of an adapter on it
(`lora`), and of the same adapter on the base in NF4 with double quantization (`nf4`); and the gradients of all weights (`full`).

    python tools/reference/family_fixtures.py Tests/ModelsTests/Fixtures FAMILY …
"""

import copy
import functools
import json
import pathlib
import shutil
import sys
import warnings
import zlib

import bitsandbytes
import equivalent_models
import gpt_oss
import manifest
import plain_families as plain
import plain_latent
import plain_moe
import torch
import transformers
from family_sizes import GROUPED, SIZES, VOCABULARY
from model_case import LEAVES, Case, link_duplicates, make_batch
from recent_families import RECENT
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

PACKED = ["W_pack", "down_proj", "gate_proj", "o_proj", "up_proj"]
NEOX = ["dense", "dense_4h_to_h", "dense_h_to_4h", "query_key_value"]

# The windows are shorter than the longest row.
LONGROPE = {
    "type": "longrope", "short_factor": [1.0, 1.1, 1.25, 1.5], "long_factor": [1.0, 1.5, 2.5, 4.0]}  # fmt: skip
QWEN = dict(
    model_type="qwen", vocab_size=VOCABULARY, hidden_size=48, intermediate_size=160, num_hidden_layers=2,
    num_attention_heads=6, kv_channels=8, layer_norm_epsilon=1e-6, max_position_embeddings=128, seq_length=64,
    no_bias=True, rotary_emb_base=10000, rotary_pct=1.0, scale_attn_weights=True, use_dynamic_ntk=True,
    use_logn_attn=True, tie_word_embeddings=False,
)  # fmt: skip
BLOOM = dict(
    model_type="bloom", vocab_size=VOCABULARY, n_embed=48, n_layer=2, num_attention_heads=6, layer_norm_epsilon=1e-5,
    apply_residual_connection_post_layernorm=False, attention_dropout=0.0, hidden_dropout=0.0, seq_length=128,
    attention_softmax_in_fp32=True, bias_dropout_fusion=True, masked_softmax_fusion=True, offset_alibi=100,
    pretraining_tp=4, skip_bias_add=True, skip_bias_add_qkv=False, n_inner=None, slow_but_exact=False,
    bos_token_id=1, eos_token_id=2, pad_token_id=3, unk_token_id=0,
)  # fmt: skip
CHATGLM = dict(
    model_type="chatglm", padded_vocab_size=VOCABULARY, hidden_size=48, ffn_hidden_size=80, num_layers=2,
    num_attention_heads=4, kv_channels=16, multi_query_attention=True, multi_query_group_num=2, layernorm_epsilon=1e-5,
    seq_length=128, add_bias_linear=False, add_qkv_bias=True, apply_query_key_layer_scaling=True,
    apply_residual_connection_post_layernorm=False, attention_softmax_in_fp32=True, bias_dropout_fusion=True,
    original_rope=True, post_layer_norm=True, rmsnorm=True, quantization_bit=0, pre_seq_len=None,
    prefix_projection=False, tie_word_embeddings=False,
)  # fmt: skip
# The 13B models of Baichuan have `model_max_length` instead.
UNLIMITED = {key: value for key, value in SIZES.items() if key != "max_position_embeddings"}

MIXTRAL_TARGETS = ["gate", "k_proj", "o_proj", "q_proj", "v_proj", "w1", "w2", "w3"]
# Five experts: no power of two.
MIXTRAL = SIZES | GROUPED | dict(
    model_type="mixtral", intermediate_size=32, num_local_experts=5, num_experts_per_tok=2, rope_theta=1e6,
    sliding_window=None, output_router_logits=False, router_aux_loss_coef=0.02, router_jitter_noise=0.0,
)  # fmt: skip
QWEN2_MOE = SIZES | dict(
    model_type="qwen2_moe", num_hidden_layers=4, moe_intermediate_size=16, shared_expert_intermediate_size=32,
    num_experts=5, num_experts_per_tok=3, norm_topk_prob=False, decoder_sparse_step=1, mlp_only_layers=[1],
    num_key_value_heads=6, rope_theta=1e6, use_sliding_window=False, sliding_window=8, max_window_layers=2,
    output_router_logits=False, router_aux_loss_coef=0.01,
)  # fmt: skip
DEEPSEEK = SIZES | dict(
    model_type="deepseek", num_hidden_layers=3, moe_intermediate_size=16, n_shared_experts=2, n_routed_experts=6,
    num_experts_per_tok=3, norm_topk_prob=False, first_k_dense_replace=1, moe_layer_freq=1, scoring_func="softmax",
    aux_loss_alpha=0.01, seq_aux=True, num_key_value_heads=6, attention_bias=False, rope_theta=10000,
)  # fmt: skip

LATENT_TARGETS = [
    "down_proj", "gate_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj", "q_a_proj", "q_b_proj", "up_proj"]  # fmt: skip
# Heads of two parts and values of another size, none of them alike.
DEEPSEEK_V2 = DEEPSEEK | dict(
    model_type="deepseek_v2", num_hidden_layers=3, n_routed_experts=8, num_experts_per_tok=3, kv_lora_rank=16,
    q_lora_rank=32, qk_nope_head_dim=10, qk_rope_head_dim=4, v_head_dim=12, topk_method="group_limited_greedy",
    n_group=4, topk_group=2, routed_scaling_factor=1.5, ep_size=1, rope_scaling=None,
)  # fmt: skip
# The norms of the short vectors have an epsilon of their own, whatever this one is.
DEEPSEEK_V2_LITE = DEEPSEEK_V2 | dict(
    q_lora_rank=None, topk_method="greedy", n_group=1, topk_group=1, routed_scaling_factor=1.0, rms_norm_eps=0.1,
    rope_scaling={
        "type": "yarn", "factor": 8, "original_max_position_embeddings": 16, "beta_fast": 4, "beta_slow": 1,
        "mscale": 0.6, "mscale_all_dim": 0.8},
)  # fmt: skip
# Values of hidden_size / num_attention_heads.
MINICPM3 = SIZES | dict(
    model_type="minicpm3", num_key_value_heads=6, tie_word_embeddings=True, kv_lora_rank=16, q_lora_rank=32,
    qk_nope_head_dim=12, qk_rope_head_dim=8, scale_emb=3, scale_depth=1.4, dim_model_base=16, rms_norm_eps=1e-5,
    attention_bias=False, attention_dropout=0.0, rope_theta=10000.0,
    rope_scaling=LONGROPE | {"original_max_position_embeddings": 16},
)  # fmt: skip

# Family: config.json, LoRA's targets, and the plain decoder; none: transformers'.
FAMILIES = {
    "mistral": (SIZES | GROUPED | dict(model_type="mistral", sliding_window=7, rope_theta=1e6), LEAVES, None),
    "qwen2": (
        SIZES | GROUPED | dict(
            model_type="qwen2", tie_word_embeddings=True, rope_theta=1e6, use_sliding_window=True,
            sliding_window=8, max_window_layers=1),
        LEAVES, None),
    "phi3": (
        SIZES | GROUPED | dict(
            model_type="phi3", rope_scaling=LONGROPE, original_max_position_embeddings=16, sliding_window=9,
            pad_token_id=0),
        ["down_proj", "gate_up_proj", "o_proj", "qkv_proj"], None),
    "yi": (SIZES | GROUPED | dict(model_type="Yi", rope_theta=5e6), LEAVES, plain.yi),
    "xverse": (SIZES | dict(model_type="xverse"), LEAVES, plain.xverse),
    "internlm": (SIZES | dict(model_type="internlm", bias=True), LEAVES, plain.internlm),
    "internlm2": (
        SIZES | GROUPED | dict(model_type="internlm2", bias=False, rope_theta=1000000),
        ["w1", "w2", "w3", "wo", "wqkv"], plain.InternLM2),
    "minicpm": (
        SIZES | GROUPED | dict(
            model_type="minicpm", tie_word_embeddings=True, scale_emb=3, scale_depth=1.4, dim_model_base=16),
        LEAVES, plain.MiniCPM),
    "minicpm4": (
        SIZES | GROUPED | dict(
            model_type="minicpm", tie_word_embeddings=True, scale_emb=3, scale_depth=1.4, dim_model_base=16,
            mup_denominator=32, pad_token_id=2,
            rope_scaling={
                "rope_type": "longrope", "short_factor": [1.0, 1.1, 1.25, 1.5], "long_factor": [1.0, 1.5, 2.5, 4.0],
                "original_max_position_embeddings": 16}),
        LEAVES, equivalent_models.minicpm4),
    "orion": (SIZES | GROUPED | dict(model_type="orion", rms_norm_eps=1e-5), LEAVES, plain.orion),
    "gemma": (
        SIZES | dict(
            model_type="gemma", head_dim=16, num_attention_heads=4, num_key_value_heads=1, hidden_act="gelu",
            hidden_activation=None, tie_word_embeddings=True, pad_token_id=0),
        LEAVES, None),
    "baichuan_7b": (SIZES | dict(model_type="baichuan"), PACKED, plain.baichuan),
    "baichuan2_7b": (
        SIZES | dict(model_type="baichuan", model_max_length=128, z_loss_weight=0), PACKED,
        functools.partial(plain.baichuan, second=True)),
    "baichuan_13b": (
        UNLIMITED | dict(model_type="baichuan", model_max_length=128), PACKED,
        functools.partial(plain.baichuan, alibi=True)),
    "baichuan2_13b": (
        UNLIMITED | dict(model_type="baichuan", model_max_length=128, z_loss_weight=0), PACKED,
        functools.partial(plain.baichuan, alibi=True, second=True)),
    "bloom": (BLOOM, NEOX, None),
    "chatglm2": (CHATGLM, NEOX, plain.ChatGLM),
    "chatglm3": (CHATGLM | dict(rope_ratio=50), NEOX, plain.ChatGLM),
    "qwen": (QWEN, ["c_attn", "c_proj", "w1", "w2"], plain.Qwen),
    "mixtral": (MIXTRAL, MIXTRAL_TARGETS, plain_moe.mixtral),
    "qwen2_moe": (QWEN2_MOE, LEAVES + ["gate", "shared_expert_gate"], plain_moe.qwen2_moe),
    "deepseek_moe": (DEEPSEEK, LEAVES, plain_moe.DeepSeek),
    "deepseek_v2": (DEEPSEEK_V2, LATENT_TARGETS, plain_latent.DeepSeekV2),
    "deepseek_v2_lite": (
        DEEPSEEK_V2_LITE, sorted(set(LATENT_TARGETS) - {"q_a_proj", "q_b_proj"} | {"q_proj"}),
        plain_latent.DeepSeekV2),
    "minicpm3": (MINICPM3, LATENT_TARGETS, None),
} | RECENT  # fmt: skip


def randomise(model: torch.nn.Module, seed: int, norm_center: float) -> None:
    """Weights of a size that makes attention sharp and logits differ; all of them exact in bfloat16."""
    generator = torch.Generator().manual_seed(seed)
    embedding = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    for name, value in model.named_parameters():
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith("bias"):
            noise = 0.3 * noise
        elif value.dim() == 1:
            noise = norm_center + 0.2 * noise
        elif id(value) in embedding:
            noise = 0.5 * noise
        else:
            noise = noise * 1.3 / value.shape[1] ** 0.5
        value.data = noise.bfloat16().float()


def to_nf4(model: torch.nn.Module, targets: list[str]) -> None:
    """Every target's weight as bitsandbytes decodes it from NF4. Its CPU decoder (0.50.2) misreads rows that are not whole
    blocks, so it gets rows of one block: the blocks are the same."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name.rpartition(".")[2] in targets:
            module.weight.data = through_nf4(module.weight.data)
    gpt_oss.each_linear(model, through_nf4)


def through_nf4(weight: torch.Tensor) -> torch.Tensor:
    blocks = weight.reshape(-1, 64).contiguous()
    codes, state = bitsandbytes.functional.quantize_4bit(
        blocks, blocksize=64, quant_type="nf4", compress_statistics=True)
    return bitsandbytes.functional.dequantize_4bit(codes, state).reshape(weight.shape).float()


SAVED = "mistral"  # the family with an adapter that brings embedding and head
ROUTERS = {"gate", "shared_expert_gate"}  # never quantised


def check_routed(model: torch.nn.Module, case: Case) -> str:
    """Whether transformers computes the same from the written folder; what it has no model for is not checked."""
    batch, name, family = case.batch, type(model).__name__, model.settings["model_type"]
    assert model.margin() > 1e-4, f"a router's choice hangs on rounding: {model.margin()}"
    model.balance_loss()
    if family == "deepseek":
        return "plain PyTorch, tools/reference/plain_moe.py"
    has_loss = "router_aux_loss_coef" in model.settings
    theirs = AutoModelForCausalLM.from_pretrained(
        case.folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager")
    with torch.no_grad():
        for start, end in zip(batch["starts"], batch["starts"][1:]):
            tokens = torch.tensor([batch["tokens"][start:end]])
            ours, found = model(input_ids=tokens).logits, theirs(input_ids=tokens, output_router_logits=has_loss)
            assert (ours - found.logits).abs().max() < 2e-5, name
            balance = model.balance_loss()
            if has_loss:
                assert (balance - model.settings["router_aux_loss_coef"] * found.aux_loss).abs() < 1e-6, name
    script = "plain_moe.py" if has_loss else "plain_latent.py"
    reference = f"plain PyTorch, tools/reference/{script}, equal to transformers {type(theirs).__name__}"
    return reference if has_loss else reference + " in its logits"


def save_weights(model: torch.nn.Module, path: pathlib.Path, prefix: str) -> None:
    """The state dict in bfloat16 without what follows from config.json, and without `prefix`."""
    state, seen = {}, set()
    for name, value in model.state_dict(keep_vars=True).items():
        if isinstance(value, torch.nn.Parameter) and id(value) not in seen:
            seen.add(id(value))
            state[name.removeprefix(prefix)] = value.detach().bfloat16().contiguous()
    save_file(state, path, metadata={"format": "pt"})


def write_family(out: pathlib.Path, name: str) -> str:
    """Returns what the numbers are of."""
    config, targets, make = FAMILIES[name]
    case = Case(out / name, make_batch(VOCABULARY))
    (case.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if make is None:
        settings = AutoConfig.from_pretrained(case.folder, attn_implementation="eager")
        model = AutoModelForCausalLM.from_config(settings, dtype=torch.float32, attn_implementation="eager")
        reference = f"transformers {type(model).__name__}"
    else:
        model = make(config)
        reference = "plain PyTorch, tools/reference/plain_families.py"
        if isinstance(model, transformers.PreTrainedModel):
            reference = f"transformers {type(model).__name__}, with the published factors as its own"
    model.eval()
    randomise(model, zlib.crc32(name.encode()), norm_center=0.0 if name.startswith("gemma") else 1.0)
    if name == "gpt_oss":
        gpt_oss.spread(model)
        reference = "transformers GptOssForCausalLM, its auxiliary loss over all rows of the batch"
    counterpart = equivalent_models.check(name, config, model, case.batch) if make else None
    if counterpart:
        reference += f"; its logits are those of transformers' {counterpart} with the weights renamed and split"
    save_weights(model, case.folder / "model.safetensors", "transformer." if name == "bloom" else "")
    task = None if make and name != "gpt_oss" else "CAUSAL_LM"
    if isinstance(model, plain_moe.SparseModel):
        model(input_ids=torch.tensor([case.batch["tokens"]]))
        reference = check_routed(model, case)
    case.record("base", model)
    case.record_full(model)
    case.record_adapter("lora", model, targets, rank=4, task=task)
    if name == SAVED:
        case.record_adapter(
            "saved", copy.deepcopy(model), targets, ("lora_", "modules_to_save"), rank=4, task=task,
            modules_to_save=["embed_tokens", "lm_head"])  # fmt: skip
    to_nf4(model, [target for target in targets if target not in ROUTERS])
    case.record_adapter("nf4", model, targets, rank=4, task=task, saves=False)
    case.finish()
    return reference


def write(out: pathlib.Path, names: list[str] = list(FAMILIES)) -> dict[str, str]:
    return {f"families/{name}": write_family(out, name) for name in names}


def main() -> None:
    """Adds or renews the named families and leaves the others as they are: their last bits depend on the machine."""
    out, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    for name in names:
        shutil.rmtree(out / "families" / name, ignore_errors=True)
    references = write(out / "families", names)
    folders = [out / "families" / name for name in names]
    link_duplicates(out, folders)
    manifest.add(out, folders, references)


if __name__ == "__main__":
    main()
