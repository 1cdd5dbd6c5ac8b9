/// What a model's generation_config.json asks of the logits beside penalties: transformers' logits processors of these names.
///
/// They come after `SamplingOptions`' bias and penalties (but for `sequenceBias` and `promptFavour`, which come first) and before
/// temperature, in the order of the properties.
public struct LogitRules: Equatable, Sendable {
  /// Added to the logit of a sequence's last token where its others end the text so far (`sequence_bias`).
  public var sequenceBias: [SequenceBias] = []
  /// Multiplies the positive and divides the negative logits of the prompt's tokens; 1 changes nothing
  /// (`encoder_repetition_penalty`, whose encoder is the prompt where a model has no other).
  public var promptFavour = 1.0
  /// Of all sequences of this many tokens in prompt and answer, none comes twice; 0: they may (`no_repeat_ngram_size`).
  public var uniqueSequenceLength = 0
  /// Of the prompt's sequences of this many tokens none comes in the answer; 0: they may (`encoder_no_repeat_ngram_size`).
  public var newSequenceLength = 0
  /// Sequences that must not come, but for a stop token alone (`bad_words_ids`).
  public var badWords: [[Int32]] = []
  /// The fewest tokens of prompt and answer together before a stop token, where `minNewTokens` does not say it (`min_length`).
  public var minLength = 0
  /// The fewest tokens of the answer before a stop token (`min_new_tokens`).
  public var minNewTokens: Int?
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
  /// Whether what is left of the distribution is made to sum to 1 again, which beams' scores show (`renormalize_logits`).
  public var renormalizes = false

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
