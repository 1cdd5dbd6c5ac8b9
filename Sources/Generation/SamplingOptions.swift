/// How the next token is chosen from the logits; the order is repetition penalty, temperature, top-k, top-p, min-p.
public struct SamplingOptions: Equatable, Sendable {
  /// 0 is greedy: the most likely token, of equals the lowest id.
  public var temperature: Double
  /// Keeps the K most likely tokens, and those equal to the K-th; 0 keeps all. transformers' default is 50.
  public var topK: Int
  /// Keeps the fewest most likely tokens whose probabilities reach this sum; 1 keeps all.
  public var topP: Double
  /// Keeps tokens at least this likely relative to the most likely one; 0 keeps all.
  public var minP: Double
  /// Divides the positive and multiplies the negative logits of every token seen so far, the prompt's
  /// included (CTRL, arXiv:1909.05858, as transformers does it); 1 changes nothing.
  public var repetitionPenalty: Double

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

  public static let greedy = SamplingOptions(temperature: 0)
}
