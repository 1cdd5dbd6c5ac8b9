import Foundation

/// What a policy and the reference say of one answer.
struct AnswerScore {
  /// log p of the answer's tokens, added up.
  var policy: Double
  var reference: Double
  /// Tokens of the answer.
  var tokens: Int

  var logRatio: Double { policy - reference }
}

/// The loss of one pair, and its derivatives by the two answers' log p.
struct PreferenceLoss {
  let value: Double
  let byChosen: Double
  let byRejected: Double

  init(_ chosen: AnswerScore, _ rejected: AnswerScore, _ settings: PreferenceSettings) {
    let (beta, smoothing) = (settings.beta, settings.labelSmoothing)
    let delta = chosen.logRatio - rejected.logRatio
    switch settings.loss {
    case .sigmoid:
      self.init(
        (1 - smoothing) * softplus(-beta * delta) + smoothing * softplus(beta * delta),
        slope: beta * (smoothing * sigmoid(beta * delta) - (1 - smoothing) * sigmoid(-beta * delta)))
    case .robust:
      let scale = 1 / (1 - 2 * smoothing)
      self.init(
        scale * ((1 - smoothing) * softplus(-beta * delta) - smoothing * softplus(beta * delta)),
        slope: -scale * beta * ((1 - smoothing) * sigmoid(-beta * delta) + smoothing * sigmoid(beta * delta)))
    case .hinge:
      self.init(max(0, 1 - beta * delta), slope: beta * delta < 1 ? -beta : 0)
    case .ipo:
      // Means per token, as TRL has it, so that long answers do not count for more.
      let (own, other) = (Double(chosen.tokens), Double(rejected.tokens))
      let off = chosen.logRatio / own - rejected.logRatio / other - 1 / (2 * beta)
      self.init(value: off * off, byChosen: 2 * off / own, byRejected: -2 * off / other)
    }
  }

  private init(value: Double, byChosen: Double, byRejected: Double) {
    self.value = value
    self.byChosen = byChosen
    self.byRejected = byRejected
  }

  /// - Parameter slope: the derivative by the difference of the log ratios.
  private init(_ value: Double, slope: Double) {
    self.init(value: value, byChosen: slope, byRejected: -slope)
  }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// log(1 + exp x) = −log σ(−x)
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
