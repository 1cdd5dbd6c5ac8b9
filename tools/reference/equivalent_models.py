"""For plain decoders: the model of transformers that computes the same function under other names, with their weights.

A check of plain_families.py that does not rest on our reading alone: rotation, norms, scales, masks and the MLP are those of
transformers; what remains ours is how the published tensors are cut into its own (the order of fused rows, which of w1, w2, w3 is
which). The 13B Baichuans have no counterpart: transformers has ALiBi only in blocks of another kind (BLOOM's).
"""

import torch
import transformers
from model_case import evaluate


def renamed(state: dict, *pairs: tuple[str, str]) -> dict:
    """Every name with each of `pairs` replaced, in order."""
    result = {}
    for name, value in state.items():
        for old, new in pairs:
            name = name.replace(old, new)
        result[name] = value
    return result


def split(state: dict, part: str, names: list[str], cut) -> dict:
    """Tensors whose name has `part` become several: `cut` gives the rows of each of `names`."""
    result = {}
    for name, value in state.items():
        if f".{part}." in name:
            result |= {name.replace(part, new): rows for new, rows in zip(names, cut(value))}
        else:
            result[name] = value
    return result


def llama_config(config: dict, kind=transformers.LlamaConfig, **changes):
    keys = (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "rms_norm_eps", "max_position_embeddings", "tie_word_embeddings",
    )  # fmt: skip
    values = {key: config[key] for key in keys if key in config}
    values["rope_parameters"] = {"rope_type": "default", "rope_theta": config.get("rope_theta", 10000.0)}
    return kind(**(values | changes))


QKV = ["q_proj", "k_proj", "v_proj"]


def llama(config: dict, state: dict):
    state = renamed(state, ("ln1", "input_layernorm"), ("ln2", "post_attention_layernorm"))
    return transformers.LlamaForCausalLM(llama_config(config, attention_bias=config.get("bias", False))), state


def baichuan(config: dict, state: dict):
    state = split(state, "W_pack", QKV, lambda rows: rows.chunk(3))
    if "z_loss_weight" in config:
        head = state["lm_head.weight"]
        state["lm_head.weight"] = head / head.norm(dim=1, keepdim=True)
    return transformers.LlamaForCausalLM(llama_config(config)), state


def internlm2(config: dict, state: dict):
    kv, heads = config["num_key_value_heads"], config["num_attention_heads"]
    size = config["hidden_size"] // heads
    group = heads // kv * size

    def cut(rows):
        parts = rows.reshape(kv, group + 2 * size, -1).split([group, size, size], 1)
        return [part.reshape(-1, rows.shape[1]) for part in parts]

    state = split(state, "wqkv", QKV, cut)
    state = renamed(
        state, ("attention_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
        ("attention.", "self_attn."), ("wo.", "o_proj."), ("feed_forward.w1", "mlp.gate_proj"),
        ("feed_forward.w3", "mlp.up_proj"), ("feed_forward.w2", "mlp.down_proj"),
        ("tok_embeddings", "embed_tokens"), ("output.", "lm_head."))  # fmt: skip
    return transformers.LlamaForCausalLM(llama_config(config)), state


def orion(config: dict, state: dict):
    settings = llama_config(
        config, transformers.StableLmConfig, layer_norm_eps=config["rms_norm_eps"],
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0})  # fmt: skip
    return transformers.StableLmForCausalLM(settings), state


def minicpm(config: dict, state: dict):
    settings = llama_config(
        config, transformers.GraniteConfig, embedding_multiplier=config["scale_emb"],
        residual_multiplier=config["scale_depth"] / config["num_hidden_layers"] ** 0.5,
        logits_scaling=config["hidden_size"] / config["dim_model_base"],
        attention_multiplier=(config["hidden_size"] / config["num_attention_heads"]) ** -0.5)  # fmt: skip
    return transformers.GraniteForCausalLM(settings), state


def minicpm4(config: dict) -> transformers.GraniteForCausalLM:
    """MiniCPM whose angles LongRoPE stretches, which transformers has with factors under Granite's names."""
    model, _ = minicpm(config, {})
    rope = config["rope_scaling"] | {"rope_theta": config.get("rope_theta", 10000.0)}
    model.config.rope_parameters = rope
    model.config._attn_implementation = "eager"
    return transformers.GraniteForCausalLM(model.config)


def qwen(config: dict, state: dict):
    state = split(state, "attn.c_attn", [f"self_attn.{name}" for name in QKV], lambda rows: rows.chunk(3))
    state = renamed(
        state, ("transformer.wte", "model.embed_tokens"), ("transformer.h.", "model.layers."),
        ("transformer.ln_f", "model.norm"), ("ln_1", "input_layernorm"), ("ln_2", "post_attention_layernorm"),
        ("attn.c_proj", "self_attn.o_proj"), ("mlp.c_proj", "mlp.down_proj"), ("mlp.w2", "mlp.gate_proj"),
        ("mlp.w1", "mlp.up_proj"))  # fmt: skip
    settings = llama_config(
        config, transformers.Qwen2Config, intermediate_size=config["intermediate_size"] // 2,
        num_key_value_heads=config["num_attention_heads"], rms_norm_eps=config["layer_norm_epsilon"])  # fmt: skip
    return transformers.Qwen2ForCausalLM(settings), state


def chatglm(config: dict, state: dict):
    width = config["num_attention_heads"] * config["kv_channels"]
    narrow = config["multi_query_group_num"] * config["kv_channels"]
    state = split(state, "query_key_value", QKV, lambda rows: rows.split([width, narrow, narrow]))
    state = renamed(
        state, ("transformer.embedding.word_embeddings", "model.embed_tokens"),
        ("transformer.encoder.final_layernorm", "model.norm"), ("transformer.encoder.", "model."),
        ("transformer.output_layer", "lm_head"), ("self_attention.", "self_attn."), ("dense.", "o_proj."),
        ("dense_h_to_4h", "gate_up_proj"), ("dense_4h_to_h", "down_proj"))  # fmt: skip
    settings = transformers.GlmConfig(
        vocab_size=config["padded_vocab_size"], hidden_size=config["hidden_size"],
        intermediate_size=config["ffn_hidden_size"], num_hidden_layers=config["num_layers"],
        num_attention_heads=config["num_attention_heads"], num_key_value_heads=config["multi_query_group_num"],
        head_dim=config["kv_channels"], rms_norm_eps=config["layernorm_epsilon"], pad_token_id=None,
        rope_parameters={
            "rope_type": "default", "rope_theta": 10000.0 * config.get("rope_ratio", 1), "partial_rotary_factor": 0.5,
        })  # fmt: skip
    return transformers.GlmForCausalLM(settings), state


EQUIVALENTS = {
    "yi": llama, "xverse": llama, "internlm": llama, "internlm2": internlm2, "minicpm": minicpm, "orion": orion,
    "baichuan_7b": baichuan, "baichuan2_7b": baichuan, "qwen": qwen, "chatglm2": chatglm, "chatglm3": chatglm,
}  # fmt: skip


def check(name: str, config: dict, plain: torch.nn.Module, batch: dict) -> str | None:
    """Compares logits; returns what was compared with, None where transformers has nothing like it."""
    if name not in EQUIVALENTS:
        return None
    model, state = EQUIVALENTS[name](config, dict(plain.state_dict()))
    model.config._attn_implementation = "eager"
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise SystemExit(f"{name}: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    with torch.no_grad():
        difference = (evaluate(model.eval(), batch)[0] - evaluate(plain, batch)[0]).abs().max().item()
    if not difference <= 1e-4:
        raise SystemExit(f"{name}: logits of {type(model).__name__} differ by {difference}")
    return type(model).__name__
