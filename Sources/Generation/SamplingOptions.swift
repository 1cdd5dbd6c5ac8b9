/// How the next token is chosen from the logits; the order is logit bias, repetition penalty, frequency and presence
/// penalty, the model's rules (`LogitRules`), temperature, top-h, top-k, top-p, min-p, typical, epsilon, eta.
public struct SamplingOptions: Equatable, Sendable {
  /// 0 is greedy: the most likely token, of equals the lowest id.
  public var temperature: Double
  /// Keeps the first of the hundred most likely tokens, as long as their terms of the entropy do not exceed this share of it; nil
  /// keeps all (transformers' `top_h`).
  public var topH: Double?
  /// Keeps the K most likely tokens, and those equal to the K-th; 0 keeps all. transformers' default is 50.
  public var topK: Int
  /// Keeps the fewest most likely tokens whose probabilities reach this sum; 1 keeps all.
  public var topP: Double
  /// Keeps tokens at least this likely relative to the most likely one; 0 keeps all.
  public var minP: Double
  /// Keeps the tokens whose surprise is nearest to the distribution's mean, until their probabilities reach this sum; 1 keeps
  /// all (transformers' `typical_p`).
  public var typicalP = 1.0
  /// Keeps tokens at least this likely; 0 keeps all (`epsilon_cutoff`).
  public var epsilonCutoff = 0.0
  /// The same with a bound that falls with the distribution's entropy; 0 keeps all (`eta_cutoff`).
  public var etaCutoff = 0.0
  /// Divides the positive and multiplies the negative logits of every token seen so far, the prompt's
  /// included (CTRL, arXiv:1909.05858, as transformers does it); 1 changes nothing.
  public var repetitionPenalty: Double
  /// Taken from the logit of every token generated so far, once (OpenAI's definition); 0 changes nothing.
  public var presencePenalty = 0.0
  /// Taken from the logit of every token for each time it was generated so far (OpenAI's definition); 0 changes nothing.
  public var frequencyPenalty = 0.0
  /// Added to the logits of these tokens.
  public var logitBias: [Int32: Double] = [:]

  /// The original Firefly's chat settings.
  public init(
    temperature: Double = 0.35, topK: Int = 50, topP: Double = 0.9, minP: Double = 0,
    repetitionPenalty: Double = 1
  ) {
    precondition(temperature >= 0 && topK >= 0 && topP > 0 && minP >= 0 && repetitionPenalty > 0)
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
  }

  /// Whether it matters how often a token was generated.
  var countsTokens: Bool { presencePenalty != 0 || frequencyPenalty != 0 }

  public static let greedy = SamplingOptions(temperature: 0)
}
