import FireflyBase
import FireflyGeneration

/// What a request to `/firefly` asks of the logits beside temperature and the usual cuts, in place of what the model's
/// generation_config.json says; the same words, read as there.
struct GenerateRules {
  let parameters: Parameters
  let shape: Service.Shape

  func read(into options: inout GenerationOptions) throws {
    try readCuts(&options.sampling)
    try readLengths(&options.rules)
    try readTokens(&options.rules)
    try readSequences(&options.rules)
  }

  private func readCuts(_ sampling: inout SamplingOptions) throws {
    let share = 0...1.0.nextDown
    sampling.topH = try parameters.number("top_h", in: Double.leastNonzeroMagnitude...1) ?? sampling.topH
    sampling.epsilonCutoff = try parameters.number("epsilon_cutoff", in: share) ?? sampling.epsilonCutoff
    sampling.etaCutoff = try parameters.number("eta_cutoff", in: share) ?? sampling.etaCutoff
  }

  private func readLengths(_ rules: inout LogitRules) throws {
    let counts = 0...shape.maxPositions
    rules.minLength = try parameters.whole("min_length", in: counts) ?? rules.minLength
    rules.minNewTokens = try parameters.whole("min_new_tokens", in: counts) ?? rules.minNewTokens
    rules.uniqueSequenceLength =
      try parameters.whole("no_repeat_ngram_size", in: counts) ?? rules.uniqueSequenceLength
    rules.newSequenceLength =
      try parameters.whole("encoder_no_repeat_ngram_size", in: counts) ?? rules.newSequenceLength
    rules.promptFavour =
      try parameters.number("encoder_repetition_penalty", in: 0.01...100) ?? rules.promptFavour
    rules.renormalizes = try parameters.flag("renormalize_logits") ?? rules.renormalizes
    rules.lengthDecay =
      try value("exponential_decay_length_penalty") { try $0.lengthDecay() } ?? rules.lengthDecay
  }

  private func readTokens(_ rules: inout LogitRules) throws {
    rules.forcedFirst = try tokens("forced_bos_token_id")?.first ?? rules.forcedFirst
    rules.forcedLast = try tokens("forced_eos_token_id") ?? rules.forcedLast
    rules.suppressed = try tokens("suppress_tokens") ?? rules.suppressed
    rules.suppressedFirst = try tokens("begin_suppress_tokens") ?? rules.suppressedFirst
  }

  private func readSequences(_ rules: inout LogitRules) throws {
    if let words = try value("bad_words_ids", { try $0.sequences("bad_words_ids") }) {
      try check(words.flatMap(\.self), "bad_words_ids")
      rules.badWords = words
    }
    if let biases = try value("sequence_bias", { try $0.sequenceBias() }) {
      try check(biases.flatMap(\.sequence), "sequence_bias")
      rules.sequenceBias = biases
    }
  }

  // MARK: - Values

  /// A token's id, or a list of them.
  private func tokens(_ name: String) throws -> [Int32]? {
    let ids = try value(name) { try $0.ids(name) }
    try check(ids ?? [], name)
    return ids
  }

  /// What generation_config.json's reader makes of a parameter.
  private func value<Value>(_ name: String, _ read: (KeyReader) throws -> Value) throws -> Value? {
    guard let value = parameters[name] else { return nil }
    do {
      return try read(KeyReader(.object([name: value]), source: "request"))
    } catch let error as FireflyError {
      throw parameters.wrong(name, error.expected ?? "another value", value)
    }
  }

  private func check(_ ids: [Int32], _ name: String) throws {
    guard let value = parameters[name], !ids.allSatisfy({ (0..<shape.vocabularySize).contains(Int($0)) })
    else { return }
    throw parameters.wrong(name, "token ids below \(shape.vocabularySize), alone or in lists", value)
  }
}
