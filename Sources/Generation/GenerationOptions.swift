import FireflyBase

/// How an answer is generated and when it ends.
public struct GenerationOptions: Equatable, Sendable {
  public var sampling: SamplingOptions
  /// Beginnings that go on at each step of a beam search, 1...`mostBeams`; 1 searches nothing and takes one token after
  /// the other by `sampling`. Beams take the most likely answer: of `sampling`, only the penalties and the bias count.
  public var numBeams = 1
  /// Beam search compares answers by (sum of log-probabilities) / (tokens ^ this): above 0 favours long ones, below 0
  /// short ones.
  public var lengthPenalty = 1.0
  /// When a beam search ends that has found `numBeams` answers.
  public var earlyStopping = EarlyStopping.no
  /// What the model asks of the logits beside `sampling`.
  public var rules = LogitRules()
  /// The most tokens to generate, the stop token included; 0 only reads the prompt. Who sets it takes `maxLength` away.
  public var maxNewTokens: Int {
    didSet { maxLength = nil }
  }
  /// The most tokens of prompt and answer together, where the model says it so (`max_length`).
  public var maxLength: Int?
  /// Tokens that end the answer; they belong to its ids but not to its text.
  public var stopIDs: Set<Int32>
  /// Texts that end the answer; they do not belong to its text. One may spell special tokens, shown or not.
  public var stopStrings: [String]
  /// Whether the stop string that ends an answer belongs to its text after all.
  public var keepsStopString = false
  /// Whether special tokens are left out of the text.
  public var skipsSpecialTokens = true
  /// Those that are not, because what reads the text looks for them.
  public var shownTokens: Set<Int32> = []
  /// What the text must be; nil: anything. Not for several beams. Where nothing may follow, the answer ends.
  public var constraint: TextConstraint?
  /// How many of the most likely tokens to report at each step; 0 reports none.
  public var topLogProbabilities: Int
  /// Whether to report each generated token's own log-probability; so it is when the most likely ones are.
  public var reportsLogProbabilities = false
  /// Whether to report the log-probability of each token of the prompt after the first; it is then read as a whole.
  public var scoresPrompt = false
  /// Whether the prompt's states are to be pooled into an embedding, and how; nothing is then generated.
  public var pooling: Pooling?
  /// Equal seeds give equal answers.
  public var seed: UInt64

  public init(
    sampling: SamplingOptions = SamplingOptions(), maxNewTokens: Int = 500, stopIDs: Set<Int32> = [],
    stopStrings: [String] = [], topLogProbabilities: Int = 0, seed: UInt64 = 42
  ) {
    self.sampling = sampling
    self.maxNewTokens = maxNewTokens
    self.stopIDs = stopIDs
    self.stopStrings = stopStrings
    self.topLogProbabilities = topLogProbabilities
    self.seed = seed
  }

  /// Whether something of every token of the prompt is reported, so that none may be known from before.
  var readsWholePrompt: Bool { scoresPrompt || pooling != nil }

  /// Allows no more new tokens than `most`, beside what else is said of the length.
  package mutating func capNewTokens(at most: Int) {
    let length = maxLength
    maxNewTokens = min(maxNewTokens, most)
    maxLength = length
  }

  /// The most tokens of an answer to a prompt of so many.
  package func limit(prompt count: Int) -> Int {
    maxLength.map { min(maxNewTokens, $0 - count) } ?? maxNewTokens
  }
}

/// When a beam search that has found as many answers as it has beams ends; by the names of transformers'
/// `early_stopping`.
public enum EarlyStopping: String, CaseIterable, Sendable {
  /// When the best beam, if it ended now, would not come before the worst of the answers.
  case no = "false"
  /// Ends at once.
  case yes = "true"
  /// When the best beam cannot come before the worst of the answers whatever follows: with a length penalty above 0, if
  /// all tokens up to the longest answer were certain.
  case never

  /// transformers' spelling: true, false or "never"; nil for anything else.
  package init?(_ value: JSONValue) {
    switch value {
    case .bool(let isEarly): self = isEarly ? .yes : .no
    case .string("never"): self = .never
    default: return nil
    }
  }
}

extension GenerationOptions {
  /// The most beams that may be asked for: each has keys and values of its own.
  public static let mostBeams = 256
  /// The length penalties that may be asked for.
  public static let lengthPenalties = -10.0...10.0
}
