import FireflyBase
import FireflyModels
import FireflyRanks
import FireflyText
import Foundation

/// What a model makes of a text, as sums over its targets that can be added up.
public struct TargetSums: Sendable, Equatable {
  /// Σ −log p of the targets, nats.
  public var loss: Double
  /// Tokens that were to be predicted.
  public var targets: Int
  /// Targets that are the model's own first choice.
  public var correct: Int
  /// Tokens read, context included.
  public var tokens: Int
  public var rows: Int

  public init(loss: Double = 0, targets: Int = 0, correct: Int = 0, tokens: Int = 0, rows: Int = 0) {
    self.loss = loss
    self.targets = targets
    self.correct = correct
    self.tokens = tokens
    self.rows = rows
  }

  /// Nats per target; NaN without targets, as are the two below.
  public var meanLoss: Double { targets > 0 ? loss / Double(targets) : .nan }
  /// exp of the mean loss.
  public var perplexity: Double { exp(meanLoss) }
  /// The share of targets that are the model's first choice, 0…1.
  public var accuracy: Double { targets > 0 ? Double(correct) / Double(targets) : .nan }

  /// The ranks' sums together.
  package func sum(over ranks: Ranks) throws -> TargetSums {
    if ranks.isAlone { return self }
    let counts = [targets, correct, tokens, rows].map(Double.init)
    let sums = try ranks.sum([loss] + counts)
    return TargetSums(
      loss: sums[0], targets: Int(sums[1]), correct: Int(sums[2]), tokens: Int(sums[3]), rows: Int(sums[4]))
  }

  package static func += (left: inout TargetSums, right: TargetSums) {
    left.loss += right.loss
    left.targets += right.targets
    left.correct += right.correct
    left.tokens += right.tokens
    left.rows += right.rows
  }
}

/// Measures the loss of samples' targets: perplexity and token accuracy.
///
/// Rows are packed end to end and do not see each other, so the figures do not depend on how they are grouped but for
/// rounding; equal calls give equal bits.
public struct Perplexity {
  public let model: Transformer
  /// The most rows of a batch.
  public var maxRows: Int
  /// The most tokens of a batch; a longer row is a batch of its own.
  public var maxTokens: Int

  public init(model: Transformer, maxRows: Int = .max, maxTokens: Int = 2048) {
    precondition(maxRows > 0 && maxTokens > 0)
    self.model = model
    self.maxRows = maxRows
    self.maxTokens = maxTokens
  }

  /// The sums over all rows.
  ///
  /// - Parameters:
  ///   - samples: each with a target, ids within the model's vocabulary; one batch of them is held at a time.
  ///   - place: names a sample's file in errors.
  ///   - onBatch: gets each finished batch's rows and their sums; what it throws ends the measurement.
  /// - Throws: `FireflyError` when a loss is not a finite number.
  public func measure<Rows: RandomAccessCollection<Sample>>(
    _ samples: Rows, place: String = "row",
    onBatch: (Range<Int>, [TargetSums]) throws -> Void = { _, _ in }
  ) throws -> TargetSums where Rows.Index == Int {
    var total = TargetSums()
    for range in batches(samples) {
      let sums = try measure(Array(samples[range]), place)
      sums.forEach { total += $0 }
      try onBatch(range, sums)
    }
    return total
  }

  /// How rows are grouped: in their order, as many as fit.
  package func batches<Rows: RandomAccessCollection<Sample>>(_ samples: Rows) -> [Range<Int>]
  where Rows.Index == Int {
    var batches: [Range<Int>] = []
    var start = samples.startIndex
    var tokens = 0
    for (index, sample) in zip(samples.indices, samples) {
      if index > start && (index - start == maxRows || tokens + sample.tokens.count > maxTokens) {
        batches.append(start..<index)
        start = index
        tokens = 0
      }
      tokens += sample.tokens.count
    }
    if start < samples.endIndex { batches.append(start..<samples.endIndex) }
    return batches
  }

  /// One batch, row by row.
  package func measure(_ samples: some Collection<Sample>, _ place: String) throws -> [TargetSums] {
    let batch = Batch(samples)
    let scores = model.scores(tokens: batch.tokens, labels: batch.labels, starts: batch.starts)
    var next = 0
    return try samples.map { sample in
      var sums = TargetSums(targets: sample.targetCount, tokens: sample.tokens.count, rows: 1)
      for score in scores[next..<next + sample.targetCount] {
        sums.loss += Double(score.loss)
        if score.isBest { sums.correct += 1 }
      }
      next += sample.targetCount
      guard sums.loss.isFinite else {
        throw FireflyError(
          "the row's loss is not a finite number", at: "\(place):\(sample.line)", found: "\(sums.loss)",
          fix: "The weights are damaged or overflow: try float32, and 'firefly inspect' on the model.")
      }
      return sums
    }
  }
}
