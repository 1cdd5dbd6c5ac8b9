import FireflyBase
import Foundation

/// The tokens that may come next and their probabilities, the most likely first, of equals the lowest id first.
package struct TokenDistribution: Equatable, Sendable {
  package private(set) var ids: [Int32]
  /// The tokens' probabilities, which sum to 1.
  package private(set) var probabilities: [Double]

  /// - Parameters:
  ///   - logits: one row, `[V]`.
  ///   - seen: the tokens that the repetition penalty concerns.
  ///   - generated: how often each token was generated, for the presence and frequency penalties.
  /// - Throws: `FireflyError` when a logit is NaN or none is finite.
  package init(
    logits: [Float], seen: Set<Int32> = [], generated: [Int32: Int] = [:], options: SamplingOptions
  ) throws {
    var logits = logits
    TokenDistribution.penalise(&logits, seen: seen, generated: generated, options: options)
    try self.init(adjusted: logits, options: options)
  }

  /// - Parameter logits: one row, `[V]`, to which bias and penalties have been applied.
  init(adjusted logits: [Float], options: SamplingOptions) throws {
    let best = try TokenDistribution.mostLikely(logits)
    guard options.temperature > 0 else {
      ids = [best]
      probabilities = [1]
      return
    }
    let top = Double(logits[Int(best)])
    let bounded = options.topH.map { share in
      EntropyShare(share, temperature: options.temperature).kept(
        logits, TokenDistribution.largest(EntropyShare.most, of: logits))
    }
    var candidates = TokenDistribution.candidates(bounded ?? logits, options: options)
    var total = 0.0
    for index in candidates.indices {
      let weight = exp((Double(candidates[index].logit) - top) / options.temperature)
      candidates[index].weight = weight
      total += weight
    }
    candidates = TokenDistribution.nucleus(
      candidates, total: total, vocabulary: logits.count, options: options)
    let typicality = Typicality(options)
    if typicality.cuts { candidates = typicality.kept(candidates.map(\.weight)).map { candidates[$0] } }
    total = candidates.reduce(0) { $0 + $1.weight }
    ids = candidates.map(\.id)
    probabilities = candidates.map { $0.weight / total }
  }

  /// The token at the point `u` of the cumulative distribution.
  ///
  /// - Parameter u: uniform in [0, 1).
  package func token(at u: Double) -> Int32 {
    var sum = 0.0
    for (id, probability) in zip(ids, probabilities) {
      sum += probability
      if u < sum { return id }
    }
    return ids[ids.count - 1]
  }

  /// The index of the largest logit, the first of equals.
  static func mostLikely(_ logits: [Float]) throws -> Int32 {
    var best = -1
    var largest = -Float.infinity
    var hasNaN = false
    for (index, logit) in logits.enumerated() {
      hasNaN = hasNaN || logit.isNaN
      if logit > largest {
        largest = logit
        best = index
      }
    }
    guard !hasNaN, best >= 0, largest < .infinity else {
      throw FireflyError(
        "the model's logits are not finite numbers", found: hasNaN ? "NaN" : "\(largest)",
        fix:
          "The weights are damaged or overflow: try --precision float32, and 'firefly inspect' on the model.")
    }
    return Int32(best)
  }

  /// Applies the logit bias and the penalties to logits or log-probabilities, `[V]`.
  static func penalise(
    _ logits: inout [Float], seen: Set<Int32>, generated: [Int32: Int], options: SamplingOptions
  ) {
    for (id, bias) in options.logitBias where logits.indices.contains(Int(id)) {
      logits[Int(id)] += Float(bias)
    }
    penalise(&logits, seen: seen, by: Float(options.repetitionPenalty))
    for (id, count) in generated where logits.indices.contains(Int(id)) {
      logits[Int(id)] -= Float(options.presencePenalty + Double(count) * options.frequencyPenalty)
    }
  }

  static func penalise(_ logits: inout [Float], seen: Set<Int32>, by penalty: Float) {
    guard penalty != 1 else { return }
    for id in seen where logits.indices.contains(Int(id)) {
      let logit = logits[Int(id)]
      logits[Int(id)] = logit < 0 ? logit * penalty : logit / penalty
    }
  }

  /// The tokens that pass top-k, by ascending id.
  private static func candidates(_ logits: [Float], options: SamplingOptions) -> [Candidate] {
    let keepsAll = options.topK == 0 || options.topK >= logits.count
    let threshold = keepsAll ? -Float.infinity : kthLargest(logits, options.topK)
    var kept: [Candidate] = []
    for (index, logit) in logits.enumerated() where logit >= threshold && logit > -.infinity {
      kept.append(Candidate(id: Int32(index), logit: logit))
    }
    return kept
  }

  /// The indices of the `count` largest values, the largest first, of equals the lowest.
  static func largest(_ count: Int, of values: [Float]) -> [Int32] {
    let threshold = count < values.count ? kthLargest(values, count) : -.infinity
    var best: [Int32] = []
    for (index, value) in values.enumerated() where value >= threshold { best.append(Int32(index)) }
    best.sort { (values[Int($1)], $0) < (values[Int($0)], $1) }
    return Array(best.prefix(count))
  }

  /// The K-th largest value, through a heap of the K largest so far with the least on top.
  private static func kthLargest(_ values: [Float], _ k: Int) -> Float {
    var heap = Array(values.prefix(k)).sorted()
    for value in values.dropFirst(k) where value > heap[0] {
      var hole = 0
      while true {
        var child = 2 * hole + 1
        guard child < k else { break }
        if child + 1 < k && heap[child + 1] < heap[child] { child += 1 }
        guard heap[child] < value else { break }
        heap[hole] = heap[child]
        hole = child
      }
      heap[hole] = value
    }
    return heap[0]
  }

  /// Sorts what may be kept, and keeps what top-p and min-p allow; always the most likely token, whose weight is 1.
  private static func nucleus(
    _ candidates: [Candidate], total: Double, vocabulary: Int, options: SamplingOptions
  ) -> [Candidate] {
    // Tokens below this share sum to less than 1 − top-p all together, so the nucleus is among the others.
    let negligible = options.topP < 1 ? (1 - options.topP) / Double(vocabulary) * total : 0
    let least = min(max(negligible, options.minP), 1)
    let sorted = Candidate.sorted(candidates.filter { $0.weight >= least })
    var kept: [Candidate] = []
    var sum = 0.0
    for candidate in sorted {
      guard kept.isEmpty || sum < options.topP * total else { break }
      kept.append(candidate)
      sum += candidate.weight
    }
    return kept
  }
}
