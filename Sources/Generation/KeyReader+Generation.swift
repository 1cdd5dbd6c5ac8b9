import FireflyBase

// The kinds of values that generation_config.json has.

extension KeyTable {
  /// GenerationConfig's keys that nobody asks for.
  static let generation = KeyTable(
    harmless: [
      // Who made it.
      "transformers_version", "_from_model_config", "_commit_hash", "do_sample",
      // Tokens that prompts have already, or that pad batches.
      "bos_token_id", "pad_token_id", "decoder_start_token_id",
      // How another program computes the same.
      "cache_config", "cache_implementation", "compile_config", "continuous_batching_config",
      "disable_compile", "low_memory", "max_cache_len", "prefill_chunk_size", "use_cache", "use_mtp",
      // Guessing ahead with another model or from the prompt, which changes no answer.
      "assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight",
      "assistant_lookbehind", "is_assistant", "max_matching_ngram_size", "num_assistant_tokens",
      "num_assistant_tokens_schedule",
      "prompt_lookup_num_tokens", "speculation_type", "target_lookbehind",
      // What a call returns.
      "output_attentions", "output_hidden_states", "output_logits", "output_scores",
      "return_dict_in_generate",
      // ChatGLM's and Qwen's own: the template and the context's length say it.
      "chat_format", "max_window_size", "max_context_size",
    ],
    told: [
      "constraints": [], "diversity_penalty": [.int(0)], "dola_layers": [],
      "force_words_ids": [], "guidance_scale": [.int(1)], "max_time": [], "num_beam_groups": [.int(1)],
      "num_return_sequences": [.int(1)], "penalty_alpha": [.int(0)], "remove_invalid_values": [.bool(false)],
      "token_healing": [.bool(false)], "watermarking_config": [],
    ])
}

extension KeyReader {
  func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
    try read(key, "a number from \(range.lowerBound) to \(range.upperBound)") {
      $0.double.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  func count(_ key: String, in range: ClosedRange<Int> = 0...Int.max) throws -> Int? {
    let bounds = range.upperBound == .max ? "" : " from \(range.lowerBound) to \(range.upperBound)"
    return try read(key, "a whole number\(bounds)") { $0.int.flatMap { range.contains($0) ? $0 : nil } }
  }

  func earlyStopping() throws -> EarlyStopping? {
    try read("early_stopping", "true, false or \"never\"", EarlyStopping.init)
  }

  /// A token's id or a list of them; empty where absent.
  package func ids(_ key: String) throws -> [Int32] {
    try read(key, "a token id or a list of them") { value in
      (value.array == nil ? .array([value]) : value).tokens
    } ?? []
  }

  /// Lists of tokens' ids, none of them empty.
  package func sequences(_ key: String) throws -> [[Int32]] {
    try read(key, "a list of lists of token ids") { value in
      let sequences = value.array?.map(\.tokens)
      guard let whole = sequences as? [[Int32]], !whole.contains([]) else { return nil }
      return whole
    } ?? []
  }

  /// `[[[ids], bias], …]`; of a sequence that comes twice the last bias counts.
  package func sequenceBias() throws -> [LogitRules.SequenceBias] {
    try read("sequence_bias", "a list of pairs of token ids and a number: [[[1, 2], -0.5]]") { value in
      guard let pairs = value.array else { return nil }
      var biases: [LogitRules.SequenceBias] = []
      for pair in pairs {
        guard let parts = pair.array, parts.count == 2, let ids = parts[0].tokens, !ids.isEmpty,
          let bias = parts[1].double
        else { return nil }
        biases.removeAll { $0.sequence == ids }
        biases.append(LogitRules.SequenceBias(ids, bias))
      }
      return biases
    } ?? []
  }

  /// `[start, factor]`.
  package func lengthDecay() throws -> LogitRules.LengthDecay? {
    try read("exponential_decay_length_penalty", "a whole number and a factor: [10, 1.05]") { value in
      guard let pair = value.array, pair.count == 2, let start = pair[0].int, let factor = pair[1].double,
        factor > 0
      else { return nil }
      return LogitRules.LengthDecay(start: start, factor: factor)
    }
  }

  func texts(_ key: String) throws -> [String] {
    try read(key, "a text or a list of texts") { ($0.array ?? [$0]).map(\.string) as? [String] } ?? []
  }

  private func read<Value>(
    _ key: String, _ expected: String, _ convert: (JSONValue) -> Value?
  ) throws -> Value? {
    guard let value = value(key) else { return nil }
    guard let converted = convert(value) else {
      throw FireflyError("unusable value", at: "\(source): \(key)", expected: expected, found: value.excerpt)
    }
    return converted
  }
}

extension JSONValue {
  /// A list of tokens' ids; nil for anything else.
  fileprivate var tokens: [Int32]? {
    array?.map { $0.int.flatMap { Int32(exactly: $0) } } as? [Int32]
  }
}
