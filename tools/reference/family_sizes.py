"""The sizes of the toy models in Fixtures/families."""

VOCABULARY = 97

# 6 heads: no power of two, for ALiBi. Matrices of whole quantization blocks (a multiple of 64 elements), though not by row.
SIZES = dict(
    vocab_size=VOCABULARY, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=6,
    hidden_act="silu", rms_norm_eps=1e-6, max_position_embeddings=128, tie_word_embeddings=False,
    bos_token_id=1, eos_token_id=2, use_cache=True,
)  # fmt: skip
GROUPED = dict(num_key_value_heads=2)
