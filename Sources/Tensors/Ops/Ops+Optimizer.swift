import Foundation

extension Ops {
  /// One AdamW step (Loshchilov & Hutter 2019) in place, with the operations of `torch.optim.AdamW` in their order:
  /// decoupled weight decay, both moments bias-corrected, ε added after the correction.
  ///
  /// - Parameters:
  ///   - value, gradient, m, v: float32 of one count.
  ///   - step: The number of this step, from 1.
  ///   - gradientScale: The gradient is multiplied by this first (clipping).
  package static func adamW(
    value: Tensor, gradient: Tensor, m: Tensor, v: Tensor, learningRate: Double, beta1: Double, beta2: Double,
    epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float = 1
  ) {
    precondition(step >= 1, "AdamW step \(step)")
    checkCount(value, value.count, "value")
    checkCount(gradient, value.count, "gradient")
    checkCount(m, value.count, "first moment")
    checkCount(v, value.count, "second moment")
    let numbers = AdamWNumbers(
      gradientScale: gradientScale,
      decay: Float(1 - learningRate * weightDecay),
      beta1Rest: Float(1 - beta1),
      beta2: Float(beta2),
      beta2Rest: Float(1 - beta2),
      stepSize: Float(learningRate / (1 - pow(beta1, Double(step)))),
      correction: Float((1 - pow(beta2, Double(step))).squareRoot()),
      epsilon: Float(epsilon))
    let device = device(value.storage, gradient.storage, m.storage, v.storage)
    Ledger.measure(.optimizer) { device.adamW(value: value, gradient: gradient, m: m, v: v, numbers) }
  }
}
