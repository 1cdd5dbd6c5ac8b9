import FireflyBase
import FireflyTensors

/// Which rows each optimizer step sees: a function of the step alone, so that a run continues anywhere.
public struct DataOrder {
  public let rows: Int
  /// Rows of a micro-batch.
  public let microBatchSize: Int
  /// Micro-batches of a step.
  public let accumulation: Int
  public let dropsLastBatch: Bool
  public let shuffle: Bool
  public let seed: UInt64
  /// The order of the epoch looked at last.
  private var current: (epoch: Int, rows: [Int])?

  public init(
    rows: Int, microBatchSize: Int, accumulation: Int, dropsLastBatch: Bool = false, shuffle: Bool = true,
    seed: UInt64
  ) {
    precondition(rows > 0 && microBatchSize > 0 && accumulation > 0)
    self.rows = rows
    self.microBatchSize = microBatchSize
    self.accumulation = accumulation
    self.dropsLastBatch = dropsLastBatch
    self.shuffle = shuffle
    self.seed = seed
  }

  /// Micro-batches of an epoch; the last one may be short.
  public var batchesPerEpoch: Int {
    dropsLastBatch && rows >= microBatchSize
      ? rows / microBatchSize : (rows + microBatchSize - 1) / microBatchSize
  }

  /// Optimizer steps of an epoch. What is left behind the last whole accumulation makes a shorter step, as with
  /// transformers since 4.46.
  public var stepsPerEpoch: Int { (batchesPerEpoch + accumulation - 1) / accumulation }

  /// Micro-batches of an epoch's last step, where they are fewer than `accumulation`; nil where every step has them all.
  public var batchesOfShortStep: Int? {
    let rest = batchesPerEpoch % accumulation
    return rest == 0 ? nil : rest
  }

  /// Epochs that are done after `step` steps, by micro-batches: a shorter step is a smaller part.
  public func epoch(after step: Int) -> Double {
    let (epochs, rest) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    return Double(epochs) + Double(rest * accumulation) / Double(batchesPerEpoch)
  }

  /// Optimizer steps of a run.
  public func totalSteps(epochs: Double, maxSteps: Int?) -> Int {
    maxSteps ?? max(1, Int(saturating: (epochs * Double(stepsPerEpoch)).rounded(.up)))
  }

  /// The micro-batches of a step as row numbers.
  ///
  /// - Parameter step: completed steps, from 0.
  public mutating func microBatches(step: Int) -> [[Int]] {
    let order = order(epoch: step / stepsPerEpoch)
    let first = step % stepsPerEpoch * accumulation
    return (first..<min(first + accumulation, batchesPerEpoch)).map { batch in
      Array(order[batch * microBatchSize..<min((batch + 1) * microBatchSize, rows)])
    }
  }

  private mutating func order(epoch: Int) -> [Int] {
    if let current, current.epoch == epoch { return current.rows }
    var order = Array(0..<rows)
    if shuffle {
      var random = CounterRandom(seed: seed, stream: UInt64(epoch))
      random.shuffle(&order)
    }
    current = (epoch, order)
    return order
  }
}
