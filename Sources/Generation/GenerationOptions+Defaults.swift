import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyText
import FireflyWeights

extension Pretrained {
  /// The generation settings that hold where the user says nothing, and notes on what is not followed.
  ///
  /// Answers stop at the tokens of generation_config.json and at the tokenizer's end of sequence; a chat template
  /// adds its own. A folder without that file may have the same keys in config.json.
  public func defaults() throws -> (options: GenerationOptions, notes: [String]) {
    let file = source.generationConfig == nil ? ModelFiles.config : ModelFiles.generationConfig
    var (options, notes) = try GenerationOptions.defaults(
      from: source.generationConfig ?? source.config.generationMembers, source: "\(source.path)/\(file)",
      vocabularySize: try Architecture.read(source).architecture.vocabularySize)
    if let eos = tokenizer.eos { options.stopIDs.insert(eos) }
    return (options, notes)
  }
}

extension JSONValue {
  /// Of config.json the keys that old folders have there for want of generation_config.json.
  fileprivate var generationMembers: JSONValue {
    .object((object ?? [:]).filter { GenerationKeys.all.contains($0.key) || $0.key == "eos_token_id" })
  }
}

extension GenerationOptions {
  /// Firefly's defaults (temperature 0.35, top-p 0.9, top-k 50, 500 tokens), replaced by what the model's
  /// generation_config.json says: precedence is the user, then the model, then Firefly.
  ///
  /// `do_sample: false` is greedy; `num_beams` above 1 is a beam search in either case. Keys that would change the
  /// result and are not followed are reported.
  /// - Parameters:
  ///   - config: generation_config.json; nil when the model has none.
  ///   - source: its name in errors.
  ///   - vocabularySize: the model's tokens, where they are known: ids beyond them are reported, as no answer has or ends
  ///     by one.
  /// - Returns: the options and, for the user to read, one note for each key that is not followed.
  /// - Throws: `FireflyError` for a value of the wrong kind or out of range.
  public static func defaults(
    from config: JSONValue?, source: String, vocabularySize: Int? = nil
  ) throws -> (options: GenerationOptions, notes: [String]) {
    var options = GenerationOptions()
    guard let config else { return (options, []) }
    let keys = KeyReader(config, source: source)
    options.sampling = try sampling(keys)
    let samples = keys.has("do_sample") ? try keys.bool("do_sample", default: true) : nil
    if samples == false { options.sampling.temperature = 0 }
    options.numBeams = try keys.count("num_beams", in: 1...mostBeams) ?? options.numBeams
    options.lengthPenalty = try keys.number("length_penalty", in: lengthPenalties) ?? options.lengthPenalty
    options.earlyStopping = try keys.earlyStopping() ?? options.earlyStopping
    options.stopIDs = Set(try keys.ids("eos_token_id"))
    options.stopStrings = try keys.texts("stop_strings")
    options.rules = try rules(keys)
    try options.takeLengths(keys)
    var notes = try keys.finish(.generation)
    if samples == true, options.numBeams > 1 {
      notes.append(
        "\(source): do_sample has no effect: num_beams \(options.numBeams) take the most likely answer")
    }
    if let vocabularySize { notes += options.unknownTokens(source: source, vocabularySize: vocabularySize) }
    return (options, notes)
  }

  /// A note for each key that names a token which the model does not have.
  private func unknownTokens(source: String, vocabularySize: Int) -> [String] {
    let named: [(key: String, ids: [Int32])] = [
      ("eos_token_id", stopIDs.sorted()), ("forced_bos_token_id", rules.forcedFirst.map { [$0] } ?? []),
      ("forced_eos_token_id", rules.forcedLast), ("suppress_tokens", rules.suppressed),
      ("begin_suppress_tokens", rules.suppressedFirst), ("bad_words_ids", rules.badWords.flatMap { $0 }),
      ("sequence_bias", rules.sequenceBias.flatMap(\.sequence)),
    ]
    return named.compactMap { key, ids in
      guard let id = ids.first(where: { $0 < 0 || $0 >= vocabularySize }) else { return nil }
      return "\(source): \(key) names token \(id), which has no effect: the model has \(vocabularySize) "
        + "tokens"
    }
  }

  private static func sampling(_ keys: KeyReader) throws -> SamplingOptions {
    let usual = SamplingOptions()
    let share = Double.leastNonzeroMagnitude...1
    var sampling = SamplingOptions(
      temperature: try keys.number("temperature", in: 0...100) ?? usual.temperature,
      topK: try keys.count("top_k") ?? usual.topK,
      // 0 leaves the most likely token.
      topP: try keys.number("top_p", in: 0...1).map { max($0, .leastNonzeroMagnitude) } ?? usual.topP,
      minP: try keys.number("min_p", in: 0...1) ?? usual.minP,
      repetitionPenalty: try keys.number("repetition_penalty", in: Double.leastNonzeroMagnitude...100)
        ?? usual.repetitionPenalty)
    sampling.topH = try keys.number("top_h", in: share)
    sampling.typicalP = try keys.number("typical_p", in: share) ?? usual.typicalP
    // At 1 neither cuts in transformers.
    let (epsilon, eta) = (
      try keys.number("epsilon_cutoff", in: 0...1), try keys.number("eta_cutoff", in: 0...1)
    )
    sampling.epsilonCutoff = epsilon.flatMap { $0 < 1 ? $0 : nil } ?? usual.epsilonCutoff
    sampling.etaCutoff = eta.flatMap { $0 < 1 ? $0 : nil } ?? usual.etaCutoff
    return sampling
  }

  private static func rules(_ keys: KeyReader) throws -> LogitRules {
    var rules = LogitRules()
    rules.sequenceBias = try keys.sequenceBias()
    rules.uniqueSequenceLength = try keys.count("no_repeat_ngram_size") ?? 0
    rules.promptFavour =
      try keys.number("encoder_repetition_penalty", in: Double.leastNonzeroMagnitude...100) ?? 1
    rules.newSequenceLength = try keys.count("encoder_no_repeat_ngram_size") ?? 0
    rules.badWords = try keys.sequences("bad_words_ids")
    rules.minLength = try keys.count("min_length") ?? 0
    rules.minNewTokens = try keys.count("min_new_tokens")
    rules.forcedFirst = try keys.ids("forced_bos_token_id").first
    rules.forcedLast = try keys.ids("forced_eos_token_id")
    rules.lengthDecay = try keys.lengthDecay()
    rules.suppressed = try keys.ids("suppress_tokens")
    rules.suppressedFirst = try keys.ids("begin_suppress_tokens")
    rules.renormalizes = try keys.bool("renormalize_logits", default: false)
    return rules
  }

  /// As in transformers, `max_new_tokens` goes before `max_length`.
  private mutating func takeLengths(_ keys: KeyReader) throws {
    let length = try keys.count("max_length", in: 1...Int(Int32.max))
    if let count = try keys.count("max_new_tokens") {
      maxNewTokens = max(1, count)
    } else if let length {
      maxNewTokens = length
      maxLength = length
    }
  }
}
