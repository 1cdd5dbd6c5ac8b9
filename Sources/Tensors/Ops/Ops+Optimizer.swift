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
    checkCount(value, value.count, "value")
    checkCount(gradient, value.count, "gradient")
    checkCount(m, value.count, "first moment")
    checkCount(v, value.count, "second moment")
    let numbers = AdamWNumbers(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
      step: step, gradientScale: gradientScale)
    let device = device(value.storage, gradient.storage, m.storage, v.storage)
    Ledger.measure(.optimizer) { device.adamW(value: value, gradient: gradient, m: m, v: v, numbers) }
  }

  /// The same step with moments in 8 bits, with the operations of bitsandbytes' AdamW: decoded, moved, and encoded again.
  ///
  /// - Parameters:
  ///   - value, gradient: float32 of one count.
  ///   - m: of as many elements, signed.
  ///   - v: of as many elements, unsigned.
  package static func adamW(
    value: Tensor, gradient: Tensor, m: ByteMoment, v: ByteMoment, learningRate: Double, beta1: Double,
    beta2: Double, epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float = 1
  ) {
    checkCount(value, value.count, "value")
    checkCount(gradient, value.count, "gradient")
    precondition(
      m.codes.count == value.count && v.codes.count == value.count,
      "moments of \(m.codes.count) and \(v.codes.count) elements for \(value.count)")
    let numbers = AdamWNumbers(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
      step: step, gradientScale: gradientScale)
    let device = device(
      value.storage, gradient.storage, m.codes.storage, m.absmax.storage, v.codes.storage, v.absmax.storage)
    Ledger.measure(.optimizer) { device.adamW(value: value, gradient: gradient, m: m, v: v, numbers) }
  }
}
