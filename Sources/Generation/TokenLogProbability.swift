import FireflyBase
import FireflyTensors

/// A token and the natural logarithm of its probability.
public struct TokenLogProbability: Equatable, Sendable {
  public var id: Int32
  public var logProbability: Double

  public init(id: Int32, logProbability: Double) {
    self.id = id
    self.logProbability = logProbability
  }

  /// The `count` most likely tokens by the model's own softmax, before any sampling option; of equals the lowest id
  /// first.
  ///
  /// - Parameter logits: one row, `[V]`, finite.
  package static func top(_ count: Int, of logits: [Float]) -> [TokenLogProbability] {
    guard count > 0, !logits.isEmpty else { return [] }
    return LogSoftmax(logits).top(count)
  }
}

/// A token that stands in a text, its log-probability there, and the most likely tokens in its place.
public struct TokenScore: Equatable, Sendable {
  public var id: Int32
  public var logProbability: Double
  public var top: [TokenLogProbability]

  public init(id: Int32, logProbability: Double, top: [TokenLogProbability] = []) {
    self.id = id
    self.logProbability = logProbability
    self.top = top
  }

  /// The scores of `ids`, each under its own row of logits.
  ///
  /// - Parameters:
  ///   - logits: `[ids, V]` float32.
  ///   - top: how many of the most likely tokens to report.
  static func of(_ ids: [Int32], logits: Tensor, top: Int) -> [TokenScore] {
    var scores = [TokenScore?](repeating: nil, count: ids.count)
    scores.withUnsafeMutableBufferPointer { scores in
      nonisolated(unsafe) let scores = scores
      Parallel.run(ids.count) { row in
        let softmax = LogSoftmax(logits.slice(row..<row + 1).floats)
        scores[row] = TokenScore(
          id: ids[row], logProbability: softmax.of(ids[row]), top: softmax.top(top))
      }
    }
    return scores.compactMap { $0 }
  }
}

/// The model's own distribution at one position.
struct LogSoftmax {
  private let logits: [Float]
  private let logSum: Double

  /// - Parameter logits: `[V]`, not empty.
  init(_ logits: [Float]) {
    self.logits = logits
    logSum = CPU.logSum(of: logits)
  }

  func of(_ id: Int32) -> Double { Double(logits[Int(id)]) - logSum }

  /// `[V]`
  var logProbabilities: [Float] { logits.map { Float(Double($0) - logSum) } }

  /// The most likely first, of equals the lowest id.
  func top(_ count: Int) -> [TokenLogProbability] {
    guard count > 0 else { return [] }
    return TokenDistribution.largest(count, of: logits).map {
      TokenLogProbability(id: $0, logProbability: of($0))
    }
  }
}
