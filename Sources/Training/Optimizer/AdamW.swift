import FireflyModels
import FireflyTensors

/// AdamW (Loshchilov & Hutter, 2019) over a model's parameters, with 32-bit moments.
package final class AdamW {
  package struct Options {
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double
    /// Decoupled: the value shrinks by learning rate × this at each step.
    package var weightDecay: Double

    package init(beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }
  }

  package let options: Options
  let store: MomentStore
  /// How many updates are done.
  package private(set) var step: Int

  package init(_ options: Options, store: MomentStore, step: Int = 0) {
    self.options = options
    self.store = store
    self.step = step
  }

  /// Moves the values once along their gradients.
  ///
  /// - Parameter gradientScale: multiplies the gradients first: what clipping asks for.
  package func update(_ parameters: [Parameter], learningRate: Double, gradientScale: Float) {
    precondition(parameters.count == store.moments.count, "moments of other parameters")
    step += 1
    for (parameter, (m, v)) in zip(parameters, store.moments) {
      Ops.adamW(
        value: parameter.value, gradient: parameter.gradient, m: m, v: v, learningRate: learningRate,
        beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon,
        weightDecay: options.weightDecay, step: step, gradientScale: gradientScale)
    }
  }
}

/// The 2-norm over all gradients together, added up in float64.
package func gradientNorm(_ parameters: [Parameter]) -> Double {
  parameters.reduce(0) { $0 + Ops.sumOfSquares($1.gradient) }.squareRoot()
}

/// What gradients of norm `norm` are multiplied by so that it is at most `limit`, as torch's clip_grad_norm_ does.
package func clipScale(norm: Double, limit: Double?) -> Float {
  guard let limit else { return 1 }
  return Float(min(1, limit / (norm + 1e-6)))
}
