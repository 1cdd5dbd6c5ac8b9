/// Why an answer ended.
public enum FinishReason: String, Sendable {
  /// A stop token or stop string came.
  case stop
  /// `maxNewTokens` or the model's longest sequence was reached.
  case length
  /// The caller stopped it.
  case cancelled
}

/// One token of an answer.
public struct GeneratedToken: Equatable, Sendable {
  public var id: Int32
  /// UTF-8 bytes of what was decoded before it; a stop string cuts the text, not the tokens.
  public var offset: Int
  /// The token's log-probability by the model's own softmax, before any sampling option; nil unless asked for.
  public var logProbability: Double?
  /// The most likely tokens in its place; empty unless asked for.
  public var top: [TokenLogProbability]

  public init(id: Int32, offset: Int, logProbability: Double? = nil, top: [TokenLogProbability] = []) {
    self.id = id
    self.offset = offset
    self.logProbability = logProbability
    self.top = top
  }

  /// A token with what `options` ask to be reported of it; its offset is not yet known.
  init(_ id: Int32, options: GenerationOptions, softmax: @autoclosure () -> LogSoftmax) {
    self.init(id: id, offset: 0)
    guard options.reportsLogProbabilities || options.topLogProbabilities > 0 else { return }
    let softmax = softmax()
    logProbability = softmax.of(id)
    top = softmax.top(options.topLogProbabilities)
  }
}

/// A finished answer.
public struct GenerationResult: Equatable, Sendable {
  /// What was generated, the stop token included.
  public var tokens: [GeneratedToken]
  /// What was generated without special tokens and without what stopped it.
  public var text: String
  public var finishReason: FinishReason
  /// The scores of the prompt's tokens after the first; empty unless asked for.
  public var promptScores: [TokenScore]
  /// The pooled states of the prompt, `[C]`; empty unless asked for.
  public var embedding: [Float] = []
  /// Tokens of the prompt that were known from before and not read again.
  public var reusedCount: Int
  /// Beam search: (sum of the tokens' log-probabilities after penalties) / (tokens ^ length penalty); otherwise nil.
  public var beamScore: Double?

  public init(
    tokens: [GeneratedToken] = [], text: String = "", finishReason: FinishReason = .length,
    promptScores: [TokenScore] = [], reusedCount: Int = 0
  ) {
    self.tokens = tokens
    self.text = text
    self.finishReason = finishReason
    self.promptScores = promptScores
    self.reusedCount = reusedCount
  }

  public var ids: [Int32] { tokens.map(\.id) }
  /// The most likely tokens at each token's step; empty unless asked for.
  public var topLogProbabilities: [[TokenLogProbability]] {
    tokens.allSatisfy(\.top.isEmpty) ? [] : tokens.map(\.top)
  }
}
