import FireflyBase

/// The tokens of a prompt and its answer so far, as far as penalties and rules concern them.
struct TokenHistory {
  private let options: SamplingOptions
  private var seen: Set<Int32>
  private var counts: [Int32: Int] = [:]  // of what was generated
  /// nil where there are no rules.
  private var ruled: RuledText?

  /// - Parameter limit: the most tokens of the answer.
  init(prompt: [Int32], options: GenerationOptions, limit: Int) {
    self.options = options.sampling
    seen = options.sampling.repetitionPenalty == 1 ? [] : Set(prompt)
    ruled = RuledText(prompt: prompt, options: options, limit: limit)
  }

  /// Takes a token of the answer.
  mutating func add(_ id: Int32) {
    if options.repetitionPenalty != 1 { seen.insert(id) }
    if options.countsTokens { counts[id, default: 0] += 1 }
    ruled?.add(id)
  }

  /// Applies biases, penalties and rules to one row of logits or log-probabilities, `[V]`.
  ///
  /// - Throws: `FireflyError` when a number is NaN or none is finite, before or after.
  func adjust(_ scores: inout [Float]) throws {
    guard let ruled else {
      return TokenDistribution.penalise(&scores, seen: seen, generated: counts, options: options)
    }
    _ = try TokenDistribution.mostLikely(scores)
    ruled.addBias(&scores)
    TokenDistribution.penalise(&scores, seen: seen, generated: counts, options: options)
    ruled.apply(&scores)
    guard scores.contains(where: { $0 > -.infinity }) else {
      throw FireflyError(
        "what is forbidden leaves no token that may come next",
        fix: "Remove some of suppress_tokens, bad_words_ids or no_repeat_ngram_size (the model's "
          + "generation_config.json has them), or of a request's bad_words, min_tokens or allowed_token_ids.")
    }
  }

  /// What may come after it.
  ///
  /// - Parameter logits: one row, `[V]`.
  /// - Throws: `FireflyError` when a logit is NaN or none is finite.
  func distribution(_ logits: [Float]) throws -> TokenDistribution {
    var scores = logits
    try adjust(&scores)
    return try TokenDistribution(adjusted: scores, options: options)
  }
}
