import FireflyBase
import Foundation

/// Why an answer ended.
public enum FinishReason: String, Sendable {
  /// A stop token or stop string came.
  case stop
  /// `maxNewTokens` or the model's longest sequence was reached.
  case length
  /// The caller stopped it.
  case cancelled
}

/// A token and the natural logarithm of its probability.
public struct TokenLogProbability: Equatable, Sendable {
  public var id: Int32
  public var logProbability: Double

  /// The `count` most likely tokens by the model's own softmax, before any sampling option; of equals the lowest id
  /// first.
  ///
  /// - Parameter logits: one row, `[V]`, finite.
  public static func top(_ count: Int, of logits: [Float]) -> [TokenLogProbability] {
    guard count > 0, let largest = logits.max() else { return [] }
    let logSum = Double(largest) + log(logits.reduce(0.0) { $0 + exp(Double($1) - Double(largest)) })
    let threshold = count < logits.count ? TokenDistribution.kthLargest(logits, count) : -.infinity
    let best = logits.enumerated().filter { $0.element >= threshold }.sorted {
      ($1.element, $0.offset) < ($0.element, $1.offset)
    }
    return best.prefix(count).map {
      TokenLogProbability(id: Int32($0.offset), logProbability: Double($0.element) - logSum)
    }
  }
}

/// A finished answer.
public struct GenerationResult: Equatable, Sendable {
  /// What was generated, the stop token included.
  public var ids: [Int32]
  /// What was generated without special tokens and without what stopped it.
  public var text: String
  public var finishReason: FinishReason
  /// For each of `ids`, the most likely tokens at that step; empty unless asked for.
  public var topLogProbabilities: [[TokenLogProbability]]

  public init(
    ids: [Int32] = [], text: String = "", finishReason: FinishReason = .length,
    topLogProbabilities: [[TokenLogProbability]] = []
  ) {
    self.ids = ids
    self.text = text
    self.finishReason = finishReason
    self.topLogProbabilities = topLogProbabilities
  }
}
