/// Rows laid end to end: no padding, no mask; only attention and positions look at `starts`.
public struct Batch: Equatable, Sendable {
  public let tokens: [Int32]  // [T]
  /// What each position is to predict, already shifted; −1 where nothing is learnt.
  public let labels: [Int32]  // [T]
  /// Where each row begins, and at the end T.
  public let starts: [Int32]  // [rows + 1]
  /// Each row's line in its file.
  public let lines: [Int]  // [rows]
  /// How many labels count.
  public let targetCount: Int

  public init(_ samples: some Sequence<Sample>) {
    var tokens: [Int32] = []
    var labels: [Int32] = []
    var starts: [Int32] = [0]
    var lines: [Int] = []
    var targetCount = 0
    for sample in samples {
      tokens += sample.tokens
      labels += sample.labels
      starts.append(Int32(tokens.count))
      lines.append(sample.line)
      targetCount += sample.targetCount
    }
    self.tokens = tokens
    self.labels = labels
    self.starts = starts
    self.lines = lines
    self.targetCount = targetCount
  }
}
