import FireflyBase

extension Architecture {
  /// config.json's keys that no family asks for. Those that a family does ask for are not here: it follows or refuses them.
  static let configKeys = KeyTable(
    harmless: whatItIs.union(howItRuns).union(names).union(ofOtherFiles).union(leftOvers),
    told: switchedOff)

  /// Who made the files, and what they are.
  private static let whatItIs: Set = [
    "_commit_hash", "_model_name_or_path", "_name_or_path", "architectures", "auto_map", "custom_pipelines",
    "language", "license",
    "model_name", "name_or_path", "transformers.js_config", "transformers_version", "unsloth_fixed",
    "unsloth_version",
  ]

  /// How another program computes the same: caches, kernels, types, the order of products.
  private static let howItRuns: Set = [
    "_attn_implementation", "_attn_implementation_autoset", "_flash_attn_2_enabled",
    "attention_softmax_in_fp32",
    "attn_implementation", "bf16", "chunk_size_feed_forward", "dtype", "fp16", "fp32",
    "gradient_checkpointing",
    "onnx_safe", "pretraining_tp", "slow_but_exact", "softmax_in_fp32", "tensor_parallel_degree",
    "torch_dtype",
    "torchscript", "use_cache", "use_cache_kernel", "use_flash_attention", "use_flash_attn",
    "use_memory_efficient_attention", "ep_size", "seq_parallel", "masked_softmax_fusion", "offset_alibi",
    // What a call returns.
    "output_attentions", "output_hidden_states", "output_router_logits", "return_dict",
    "return_dict_in_generate",
    "output_scores", "output_logits",
  ]

  /// Labels of other heads than a language model's, and of the transformers that preceded decoders.
  private static let names: Set = [
    "classifier_dropout", "classifier_dropout_prob", "id2label", "label2id", "num_labels", "problem_type",
    "finetuning_task", "task_specific_params", "is_decoder", "add_cross_attention",
    "cross_attention_hidden_size",
    "tie_encoder_decoder", "pruned_heads", "tf_legacy_loss", "use_bfloat16", "prefix", "classifier_bias",
  ]

  /// What other files of the folder say, or other readers ask for: tokens, answers, 4 bits.
  private static let ofOtherFiles: Set<String> = GenerationKeys.all.union([
    "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "cls_token_id",
    "mask_token_id",
    "gmask_token_id", "eod_token_id", "decoder_start_token_id", "tokenizer_class", "chat_format",
    "quantization_config",
  ])

  /// How weights began, and what follows from other keys.
  private static let leftOvers: Set = [
    "initializer_range", "init_method", "mup_init", "mup_denominator", "n_inner", "attention_head_size",
    "qk_head_dim",
    "head_dim",
    "padded_vocab_size", "num_hidden_layers", "num_layers", "n_layer", "n_head", "n_embed",
    "apply_query_key_layer_scaling", "prefix_projection", "interleaved_qkv", "skip_bias_add",
    "skip_bias_add_qkv", "bias_dropout_fusion", "hidden_size",
    "tie_word_embeddings", "rms_norm_eps", "router_aux_loss_coef", "vocab_size",
    "original_max_position_embeddings",
    // ALiBi's and Qwen's lengths, which their families take from other keys.
    "max_position_embeddings", "model_max_length", "seq_length", "max_length", "max_sequence_length",
  ]

  /// Noise in training that Firefly does not make, and parts that these families' code does not have.
  private static let switchedOff: [String: [JSONValue]] = {
    let dropouts = [
      "attention_dropout", "attention_dropout_prob", "attn_dropout_prob", "attn_pdrop", "dropout",
      "embd_pdrop",
      "emb_dropout_prob", "embedding_dropout", "ffn_dropout", "hidden_dropout", "hidden_dropout_prob",
      "resid_pdrop",
      "residual_dropout",
      "router_jitter_noise",
    ]
    var table = Dictionary(uniqueKeysWithValues: dropouts.map { ($0, [JSONValue.int(0)]) })
    for key in [
      "fp32_residual_connection", "use_bidirectional_attention", "use_sliding_window", "use_qk_norm",
      "use_logn_attn",
      "use_dynamic_ntk", "rope_interleave",
    ] {
      table[key] = [.bool(false)]
    }
    table["partial_rotary_factor"] = [.int(1)]
    // MiniCPM 4's choice of keys in long contexts; all of them are read.
    table["sparse_config"] = [.null]
    table["num_nextn_predict_layers"] = [.int(0)]
    return table
  }()
}
