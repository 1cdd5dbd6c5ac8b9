import FireflyBase
import FireflyPretrained
import FireflyText
import FireflyWeights

extension Pretrained {
  /// The generation settings that hold where the user says nothing, and notes on what is not followed.
  ///
  /// Answers stop at the tokens of generation_config.json and at the tokenizer's end of sequence; a chat template
  /// adds its own.
  public func defaults() throws -> (options: GenerationOptions, notes: [String]) {
    var (options, notes) = try GenerationOptions.defaults(
      from: source.generationConfig, source: "\(source.path)/\(ModelFiles.generationConfig)")
    if let eos = tokenizer.eos { options.stopIDs.insert(eos) }
    return (options, notes)
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
  /// - Returns: the options and, for the user to read, one note for each key that is not followed.
  /// - Throws: `FireflyError` for a value of the wrong kind or out of range.
  public static func defaults(from config: JSONValue?, source: String) throws -> (
    options: GenerationOptions, notes: [String]
  ) {
    var options = GenerationOptions()
    guard let config else { return (options, []) }
    let reader = GenerationConfigReader(config: config, source: source)
    let usual = SamplingOptions()
    options.sampling = SamplingOptions(
      temperature: try reader.number("temperature", in: 0...100) ?? usual.temperature,
      topK: try reader.count("top_k") ?? usual.topK,
      topP: try reader.number("top_p", in: Double.leastNonzeroMagnitude...1) ?? usual.topP,
      minP: try reader.number("min_p", in: 0...1) ?? usual.minP,
      repetitionPenalty: try reader.number("repetition_penalty", in: Double.leastNonzeroMagnitude...100)
        ?? usual.repetitionPenalty)
    if config["do_sample"]?.bool == false { options.sampling.temperature = 0 }
    options.numBeams = try reader.count("num_beams", in: 1...mostBeams) ?? options.numBeams
    options.lengthPenalty =
      try reader.number("length_penalty", in: lengthPenalties) ?? options.lengthPenalty
    options.earlyStopping = try reader.earlyStopping() ?? options.earlyStopping
    options.maxNewTokens = try max(1, reader.count("max_new_tokens") ?? options.maxNewTokens)
    options.stopIDs = try reader.ids("eos_token_id")
    options.stopStrings = try reader.texts("stop_strings")
    return (options, reader.notes())
  }
}

private struct GenerationConfigReader {
  let config: JSONValue
  let source: String

  /// Keys that change the result when they differ from the value at which they do nothing.
  private static let unsupported: [(key: String, neutral: Double)] = [
    ("typical_p", 1), ("no_repeat_ngram_size", 0), ("penalty_alpha", 0), ("encoder_no_repeat_ngram_size", 0),
    ("epsilon_cutoff", 0), ("eta_cutoff", 0), ("num_beam_groups", 1), ("diversity_penalty", 0),
    ("num_return_sequences", 1),
  ]

  func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let value = config[key] else { return nil }
    guard let number = value.double, range.contains(number) else {
      throw wrong(key, "a number from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return number
  }

  func count(_ key: String, in range: ClosedRange<Int> = 0...Int.max) throws -> Int? {
    guard let value = config[key] else { return nil }
    guard let number = value.int, range.contains(number) else {
      let bounds =
        range.upperBound == .max ? "" : " from \(range.lowerBound) to \(range.upperBound)"
      throw wrong(key, "a whole number\(bounds)", value)
    }
    return number
  }

  func earlyStopping() throws -> EarlyStopping? {
    let key = "early_stopping"
    guard let value = config[key] else { return nil }
    guard let early = EarlyStopping(value) else { throw wrong(key, "true, false or \"never\"", value) }
    return early
  }

  func ids(_ key: String) throws -> Set<Int32> {
    guard let value = config[key] else { return [] }
    let ids = (value.array ?? [value]).map { $0.int.flatMap { Int32(exactly: $0) } }
    guard let whole = ids as? [Int32] else { throw wrong(key, "a token id or a list of them", value) }
    return Set(whole)
  }

  func texts(_ key: String) throws -> [String] {
    guard let value = config[key] else { return [] }
    let texts = (value.array ?? [value]).map(\.string)
    guard let whole = texts as? [String] else { throw wrong(key, "a text or a list of texts", value) }
    return whole
  }

  func notes() -> [String] {
    var notes = Self.unsupported.compactMap { key, neutral -> String? in
      guard let value = config[key], value.double != neutral else { return nil }
      return "\(source): \(key) is not supported and has no effect (found \(value.text()))"
    }
    if config["do_sample"]?.bool == true, let beams = config["num_beams"]?.int, beams > 1 {
      notes.append("\(source): do_sample has no effect: num_beams \(beams) take the most likely answer")
    }
    return notes
  }

  private func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> FireflyError {
    FireflyError("unusable value", at: "\(source): \(key)", expected: expected, found: value.text())
  }
}
