import FireflyBase

/// The parameters of `/firefly`: keywords of transformers' generate().
enum GenerateKeywords {
  static let table: ParameterTable = {
    var table = ParameterTables.clients
    for name in followed { table[name] = .followed }
    for name in silent { table[name] = .harmless }
    for (name, values) in neutral { table[name] = .only(values) }
    return table
  }()

  private static let followed = [
    "inputs", "model", "max_new_tokens", "do_sample", "temperature", "top_p", "top_k", "min_p",
    "repetition_penalty", "encoder_repetition_penalty", "top_h",
    "typical_p", "epsilon_cutoff", "eta_cutoff", "num_beams", "length_penalty", "early_stopping",
    "max_length",
    "bad_words_ids", "sequence_bias", "exponential_decay_length_penalty", "forced_bos_token_id",
    "forced_eos_token_id", "min_length", "min_new_tokens", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "suppress_tokens", "begin_suppress_tokens", "renormalize_logits",
    "eos_token_id",
    "stop_strings",
  ]

  /// What chooses single tokens, which neither the most likely token nor a search by beams is chosen by, and the values that say
  /// nothing.
  static let tokenChoice: [String: [JSONValue]] = [
    "temperature": [.int(1)], "top_h": [], "top_k": [.int(0), .int(-1), .int(50)], "top_p": [.int(1)],
    "min_p": [.int(0)], "typical_p": [.int(1)], "epsilon_cutoff": [.int(0)], "eta_cutoff": [.int(0)],
  ]

  /// What compares the answers of a search by beams, and the values that say nothing.
  static let beamChoice: [String: [JSONValue]] = [
    "length_penalty": [.int(1)], "early_stopping": [.bool(false)],
  ]

  /// How the answer is computed and what is returned beside it.
  private static let silent = [
    "bos_token_id", "cache_config", "cache_implementation", "compile_config", "disable_compile", "low_memory",
    "output_attentions", "output_hidden_states", "output_logits", "output_scores", "pad_token_id",
    "prefill_chunk_size", "return_dict_in_generate", "return_legacy_cache",
    "synced_gpus",
    "trust_remote_code", "use_cache", "use_model_defaults",
  ]

  /// What is not followed, with the values at which it does nothing; any other is refused by name.
  private static let neutral: [String: [JSONValue]] = {
    var neutral: [String: [JSONValue]] = [:]
    let zero: [JSONValue] = [.int(0), .double(0)]
    let one: [JSONValue] = [.int(1), .double(1)]
    for name in ["constraints", "force_words_ids"] { neutral[name] = [.array([])] }
    for name in [
      "assistant_confidence_threshold", "diversity_penalty", "penalty_alpha", "prompt_lookup_num_tokens",
    ] { neutral[name] = zero }
    for name in ["guidance_scale", "num_beam_groups", "num_return_sequences"] { neutral[name] = one }
    for name in ["remove_invalid_values", "token_healing"] { neutral[name] = [.bool(false)] }
    for name in [
      "custom_generate", "dola_layers", "max_time", "stopping_criteria", "logits_processor",
      "watermarking_config",
    ] { neutral[name] = [] }
    return neutral
  }()
}
