/// Rows laid end to end: no padding, no mask; only attention and positions look at `starts` and `trunks`.
public struct Batch: Equatable, Sendable {
  /// The sequences of a preference pair's two answers.
  public struct Pair: Equatable, Sendable {
    public let chosen: Int
    public let rejected: Int
  }

  public private(set) var tokens: [Int32] = []  // [T]
  /// What each position is to predict, already shifted; −1 where nothing is learnt.
  public private(set) var labels: [Int32] = []  // [T]
  /// Where each sequence begins, and at the end T.
  public private(set) var starts: [Int32] = [0]  // [S + 1]
  /// The sequence that each one continues, or −1; empty where none does.
  public private(set) var trunks: [Int32] = []  // [S]
  /// Empty but in preference training.
  public private(set) var pairs: [Pair] = []
  /// The log-probability that the reference gives each sequence's targets, added up; empty where there is none.
  public var reference: [Float] = []  // [S]
  /// Each row's line in its file; a pair is one row.
  public private(set) var lines: [Int] = []
  /// How many labels count.
  public private(set) var targetCount = 0

  /// Each sample a sequence of its own.
  public init(_ samples: some Sequence<Sample>) {
    for sample in samples {
      add(tokens: sample.tokens[...], labels: sample.labels[...])
      lines.append(sample.line)
    }
  }

  /// Preference pairs.
  ///
  /// - Parameter sharesPrompts: a pair's prompt stands there once, and both answers continue it. The prompt's last token
  ///   stands before each answer, whose first token it predicts.
  public init(pairs samples: some Sequence<(chosen: Sample, rejected: Sample)>, sharesPrompts: Bool) {
    for (chosen, rejected) in samples {
      let prompt = chosen.targets.first?.lowerBound ?? 0
      let shared = sharesPrompts ? max(0, prompt - 1) : 0
      var trunk: Int32 = -1
      if shared > 0 {
        trunk = Int32(starts.count - 1)
        add(tokens: chosen.tokens[..<shared], labels: chosen.labels[..<shared])
      }
      for sample in [chosen, rejected] {
        add(tokens: sample.tokens[shared...], labels: sample.labels[shared...], trunk: trunk)
      }
      pairs.append(Pair(chosen: starts.count - 3, rejected: starts.count - 2))
      lines.append(chosen.line)
    }
  }

  private mutating func add(tokens own: ArraySlice<Int32>, labels next: ArraySlice<Int32>, trunk: Int32 = -1)
  {
    tokens += own
    labels += next
    targetCount += next.count { $0 >= 0 }
    if trunk >= 0 && trunks.isEmpty { trunks = [Int32](repeating: -1, count: starts.count - 1) }
    if !trunks.isEmpty || trunk >= 0 { trunks.append(trunk) }
    starts.append(Int32(tokens.count))
  }
}

extension Samples {
  /// The two answers of preference pair `index`.
  public func pair(_ index: Int) -> (chosen: Sample, rejected: Sample) {
    (self[2 * index], self[2 * index + 1])
  }
}
