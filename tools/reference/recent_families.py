"""config.json of families published from 2024 on, all of which transformers has, at toy sizes: norms of queries and keys,
norms after a block's halves, windows and angles that differ from layer to layer, caps and factors. Windows are shorter
than the longest row, caps and factors such that leaving one out shows.
"""

import gpt_oss
import plain_moe
from family_sizes import GROUPED, SIZES
from model_case import LEAVES

FUSED_MLP = ["down_proj", "gate_up_proj", "k_proj", "o_proj", "q_proj", "v_proj"]
# Heads whose size is not hidden_size / num_attention_heads.
WIDE = dict(num_attention_heads=4, head_dim=16)
UNCAPPED = {key: value for key, value in SIZES.items() if key != "hidden_act"}
GEMMA = UNCAPPED | WIDE | dict(
    hidden_activation="gelu_pytorch_tanh", num_key_value_heads=2, query_pre_attn_scalar=24, sliding_window=8,
    attention_bias=False, attention_dropout=0.0, tie_word_embeddings=True, pad_token_id=0, cache_implementation="hybrid",
)  # fmt: skip
GEMMA3 = GEMMA | dict(
    model_type="gemma3_text", num_hidden_layers=3, sliding_window_pattern=2, rope_theta=1000000.0,
    rope_local_base_freq=10000.0, rope_scaling={"factor": 8.0, "rope_type": "linear"}, attn_logit_softcapping=None,
    final_logit_softcapping=None, use_bidirectional_attention=False,
)  # fmt: skip
GLM = SIZES | WIDE | dict(
    num_key_value_heads=2, attention_bias=True, attention_dropout=0.0, partial_rotary_factor=0.5, rms_norm_eps=1e-5,
    rope_theta=10000.0,
)  # fmt: skip
OLMO = SIZES | dict(
    num_key_value_heads=2, attention_bias=False, attention_dropout=0.0, rope_scaling=None, rope_theta=500000)
QWEN3 = SIZES | WIDE | GROUPED | dict(
    attention_bias=False, attention_dropout=0.0, rope_scaling=None, rope_theta=1000000, use_sliding_window=False,
    sliding_window=None, max_window_layers=2,
)  # fmt: skip

# The ends of YaRN's ramp are no whole dimensions, and an auxiliary loss is asked for, as it is not in the published files.
GPT_OSS = SIZES | WIDE | GROUPED | dict(
    model_type="gpt_oss", hidden_size=64, intermediate_size=32, num_hidden_layers=3, num_local_experts=5,
    num_experts_per_tok=3, experts_per_token=3, attention_bias=True, attention_dropout=0.0, sliding_window=8,
    initial_context_length=64, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    output_router_logits=True, router_aux_loss_coef=0.02, swiglu_limit=7.0, rms_norm_eps=1e-5, rope_theta=150000,
    pad_token_id=3,
    rope_scaling={
        "beta_fast": 4.0, "beta_slow": 1.0, "factor": 8.0, "original_max_position_embeddings": 64, "rope_type": "yarn",
        "truncate": False},
)  # fmt: skip

# As FAMILIES in family_fixtures.py.
RECENT = {
    "qwen3": (QWEN3 | dict(model_type="qwen3", tie_word_embeddings=True), LEAVES, None),
    "qwen3_moe": (
        QWEN3 | dict(
            model_type="qwen3_moe", num_hidden_layers=3, moe_intermediate_size=16, num_experts=5, num_experts_per_tok=3,
            norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[1], router_aux_loss_coef=0.01,
            output_router_logits=False),
        LEAVES + ["gate"], plain_moe.qwen3_moe),
    "gpt_oss": (GPT_OSS, ["k_proj", "o_proj", "q_proj", "v_proj"], gpt_oss.make),
    "gemma2": (
        GEMMA | dict(
            model_type="gemma2", hidden_act="gelu_pytorch_tanh", attn_logit_softcapping=3.0, final_logit_softcapping=4.0,
            rope_theta=10000.0),
        LEAVES, None),
    "gemma3_text": (GEMMA3, LEAVES, None),
    "smollm3": (
        SIZES | GROUPED | dict(
            model_type="smollm3", num_hidden_layers=3, tie_word_embeddings=True, attention_bias=False,
            attention_dropout=0.0, mlp_bias=False, no_rope_layers=[1, 0, 1], no_rope_layer_interval=4,
            layer_types=["full_attention"] * 3, max_window_layers=28, rope_theta=5000000.0, rope_scaling=None,
            sliding_window=None, use_sliding_window=False, pad_token_id=0),
        LEAVES, None),
    "glm": (GLM | dict(model_type="glm", pad_token_id=3), FUSED_MLP, None),
    "glm4": (GLM | dict(model_type="glm4", pad_token_id=3), FUSED_MLP, None),
    "olmo2": (OLMO | dict(model_type="olmo2", pad_token_id=1), LEAVES, None),
    "olmo3": (
        OLMO | dict(
            model_type="olmo3", num_hidden_layers=4, pad_token_id=1, sliding_window=8,
            rope_scaling={
                "attention_factor": 1.2, "beta_fast": 32.0, "beta_slow": 1.0, "factor": 8.0,
                "original_max_position_embeddings": 16, "rope_type": "yarn"},
            layer_types=["sliding_attention"] * 3 + ["full_attention"]),
        LEAVES, None),
    "granite": (
        SIZES | GROUPED | dict(
            model_type="granite", tie_word_embeddings=True, attention_bias=False, attention_dropout=0.0, mlp_bias=False,
            attention_multiplier=0.25, embedding_multiplier=12.0, logits_scaling=8.0, residual_multiplier=0.22,
            rope_scaling=None, rope_theta=10000000.0, pad_token_id=0),
        LEAVES, None),
    # Queries grow with their positions from the eighth on.
    "ministral": (
        SIZES | WIDE | dict(
            model_type="ministral", num_hidden_layers=3, num_key_value_heads=2, attention_dropout=0.0, sliding_window=8, rope_theta=1e8,
            layer_types=["full_attention", "sliding_attention", "sliding_attention"]),
        LEAVES, None),
    "ministral3": (
        SIZES | WIDE | dict(
            model_type="ministral3", num_key_value_heads=2, attention_dropout=0.0, sliding_window=None, rms_norm_eps=1e-5,
            pad_token_id=0,
            rope_parameters={
                "beta_fast": 32.0, "beta_slow": 1.0, "factor": 16.0, "llama_4_scaling_beta": 0.5, "mscale": 1.0,
                "mscale_all_dim": 1.0, "original_max_position_embeddings": 8, "rope_theta": 1000000.0,
                "rope_type": "yarn", "type": "yarn"}),
        LEAVES, None),
    "seed_oss": (
        SIZES | WIDE | dict(
            model_type="seed_oss", num_key_value_heads=2, attention_bias=True, attention_out_bias=False,
            attention_dropout=0.0, residual_dropout=0.0, mlp_bias=False, rope_scaling={"rope_type": "default"},
            rope_theta=10000000.0, pad_token_id=1),
        LEAVES, None),
    "ernie4_5": (
        SIZES | WIDE | dict(
            model_type="ernie4_5", num_key_value_heads=2, use_bias=False, tie_word_embeddings=True, rope_scaling=None,
            rope_theta=500000.0, rms_norm_eps=1e-5, pad_token_id=0),
        LEAVES, None),
    "hunyuan_v1_dense": (
        SIZES | WIDE | dict(
            model_type="hunyuan_v1_dense", num_key_value_heads=2, attention_bias=False, attention_dropout=0.0,
            attention_head_dim=16, tie_word_embeddings=True, use_qk_norm=True, use_cla=False, mlp_bias=False,
            rope_theta=10000.0, rms_norm_eps=1e-5, pad_token_id=0,
            rope_scaling={
                "alpha": 1000.0, "beta_fast": 32, "beta_slow": 1, "factor": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0,
                "type": "dynamic"}),
        LEAVES, None),
    "internlm3": (
        SIZES | WIDE | dict(
            model_type="internlm3", num_key_value_heads=2, bias=True, qkv_bias=True, attention_dropout=0.0,
            max_position_embeddings=16, rope_scaling={"factor": 6.0, "rope_type": "dynamic"}, rope_theta=50000000,
            rms_norm_eps=1e-5, pad_token_id=2),
        LEAVES, None),
    "phi4_mini": (
        SIZES | GROUPED | dict(
            model_type="phi3", tie_word_embeddings=True, partial_rotary_factor=0.75, attention_bias=False,
            rope_scaling={
                "type": "longrope", "short_factor": [1.0, 1.2, 1.5], "long_factor": [1.0, 2.0, 4.0]},
            original_max_position_embeddings=16, sliding_window=64, pad_token_id=0),
        ["down_proj", "gate_up_proj", "o_proj", "qkv_proj"], None),
}  # fmt: skip
