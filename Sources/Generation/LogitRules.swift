import Foundation

/// What a model's generation_config.json asks of the logits beside penalties: transformers' logits processors of these names.
///
/// They come after `SamplingOptions`' bias and penalties (but for `sequenceBias`, which comes first) and before temperature, in
/// the order of the properties.
public struct LogitRules: Equatable, Sendable {
  /// Added to the logit of a sequence's last token where its others end the text so far (`sequence_bias`).
  public var sequenceBias: [SequenceBias] = []
  /// Of all sequences of this many tokens in prompt and answer, none comes twice; 0: they may (`no_repeat_ngram_size`).
  public var uniqueSequenceLength = 0
  /// Sequences that must not come, but for a stop token alone (`bad_words_ids`).
  public var badWords: [[Int32]] = []
  /// The fewest tokens of prompt and answer together before a stop token (`min_length`).
  public var minLength = 0
  /// The fewest tokens of the answer before a stop token (`min_new_tokens`).
  public var minNewTokens = 0
  /// The first token of the answer to a prompt of one token (`forced_bos_token_id`).
  public var forcedFirst: Int32?
  /// What the last token that there may be is one of; empty: any (`forced_eos_token_id`).
  public var forcedLast: [Int32] = []
  /// Makes stop tokens likelier with every token after `start` of the answer (`exponential_decay_length_penalty`).
  public var lengthDecay: LengthDecay?
  /// Tokens that never come (`suppress_tokens`).
  public var suppressed: [Int32] = []
  /// Tokens that do not come first (`begin_suppress_tokens`).
  public var suppressedFirst: [Int32] = []

  public struct SequenceBias: Equatable, Sendable {
    /// At least one token.
    public var sequence: [Int32]
    public var bias: Double

    public init(_ sequence: [Int32], _ bias: Double) {
      self.sequence = sequence
      self.bias = bias
    }
  }

  public struct LengthDecay: Equatable, Sendable {
    public var start: Int
    public var factor: Double

    public init(start: Int, factor: Double) {
      self.start = start
      self.factor = factor
    }
  }

  public init() {}

  /// Whether nothing is asked.
  var isEmpty: Bool { self == LogitRules() }
}

/// The rules for one answer, and the text so far.
struct RuledText {
  private let rules: LogitRules
  private let stopIDs: Set<Int32>
  private let promptCount: Int
  /// The most tokens of the answer.
  private let limit: Int
  private var tokens: [Int32]

  /// nil where there are no rules.
  init?(prompt: [Int32], options: GenerationOptions, limit: Int) {
    guard !options.rules.isEmpty else { return nil }
    rules = options.rules
    stopIDs = options.stopIDs
    promptCount = prompt.count
    self.limit = limit
    tokens = prompt
  }

  /// Takes a token of the answer.
  mutating func add(_ id: Int32) { tokens.append(id) }

  private var answerCount: Int { tokens.count - promptCount }

  // MARK: - Before the penalties

  func addBias(_ scores: inout [Float]) {  // [V]
    for biased in rules.sequenceBias { add(Float(biased.bias), to: biased.sequence, in: &scores) }
  }

  private func add(_ bias: Float, to sequence: [Int32], in scores: inout [Float]) {
    guard let last = sequence.last, scores.indices.contains(Int(last)) else { return }
    if tokens.suffix(sequence.count - 1).elementsEqual(sequence.dropLast()) { scores[Int(last)] += bias }
  }

  // MARK: - After the penalties

  func apply(_ scores: inout [Float]) {  // [V]
    forbidRepetition(&scores)
    for word in rules.badWords where word.count != 1 || !stopIDs.contains(word[0]) {
      add(-.infinity, to: word, in: &scores)
    }
    if tokens.count < rules.minLength || answerCount < rules.minNewTokens { forbid(stopIDs, &scores) }
    if let first = rules.forcedFirst, tokens.count == 1 { force([first], &scores) }
    if !rules.forcedLast.isEmpty, answerCount == limit - 1 { force(rules.forcedLast, &scores) }
    favourStop(&scores)
    forbid(rules.suppressed, &scores)
    // A forced first token does not count as the beginning.
    let begin = promptCount > 1 || rules.forcedFirst == nil ? promptCount : promptCount + 1
    if tokens.count == begin { forbid(rules.suppressedFirst, &scores) }
  }

  private func forbidRepetition(_ scores: inout [Float]) {
    let length = rules.uniqueSequenceLength
    guard length > 0, tokens.count >= length else { return }
    let end = tokens.suffix(length - 1)
    for start in 0...tokens.count - length
    where tokens[start..<start + length - 1].elementsEqual(end) {
      forbid([tokens[start + length - 1]], &scores)
    }
  }

  private func favourStop(_ scores: inout [Float]) {
    guard let decay = rules.lengthDecay, answerCount > decay.start else { return }
    let growth = Float(pow(decay.factor, Double(answerCount - decay.start)) - 1)
    for id in stopIDs where scores.indices.contains(Int(id)) && scores[Int(id)].isFinite {
      scores[Int(id)] += abs(scores[Int(id)]) * growth
    }
  }

  private func forbid(_ ids: some Sequence<Int32>, _ scores: inout [Float]) {
    for id in ids where scores.indices.contains(Int(id)) { scores[Int(id)] = -.infinity }
  }

  private func force(_ ids: [Int32], _ scores: inout [Float]) {
    for index in scores.indices { scores[index] = -.infinity }
    for id in ids where scores.indices.contains(Int(id)) { scores[Int(id)] = 0 }
  }
}
