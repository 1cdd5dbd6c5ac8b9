/// The tokens of a prompt and its answer so far, as far as penalties concern them.
struct TokenHistory {
  private let options: SamplingOptions
  private var seen: Set<Int32>
  private var counts: [Int32: Int] = [:]  // of what was generated

  init(prompt: [Int32], options: SamplingOptions) {
    self.options = options
    seen = options.repetitionPenalty == 1 ? [] : Set(prompt)
  }

  /// Takes a token of the answer.
  mutating func add(_ id: Int32) {
    if options.repetitionPenalty != 1 { seen.insert(id) }
    if options.countsTokens { counts[id, default: 0] += 1 }
  }

  /// Applies the logit bias and the penalties to one row of logits or log-probabilities, `[V]`.
  func penalise(_ scores: inout [Float]) {
    TokenDistribution.penalise(&scores, seen: seen, generated: counts, options: options)
  }

  /// What may come after it.
  ///
  /// - Parameter logits: one row, `[V]`.
  /// - Throws: `FireflyError` when a logit is NaN or none is finite.
  func distribution(_ logits: [Float]) throws -> TokenDistribution {
    try TokenDistribution(logits: logits, seen: seen, generated: counts, options: options)
  }
}
