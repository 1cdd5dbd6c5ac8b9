import CKernels
import Foundation

extension Ops {
  /// One AdamW step (Loshchilov & Hutter 2019) in place, with the operations of `torch.optim.AdamW` in their order:
  /// decoupled weight decay, both moments bias-corrected, ε added after the correction.
  ///
  /// - Parameters:
  ///   - value, gradient, m, v: float32 of one count.
  ///   - step: The number of this step, from 1.
  ///   - gradientScale: The gradient is multiplied by this first (clipping).
  public static func adamW(
    value: Tensor, gradient: Tensor, m: Tensor, v: Tensor, learningRate: Double, beta1: Double, beta2: Double,
    epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float = 1
  ) {
    precondition(step >= 1, "AdamW step \(step)")
    let count = value.count
    checkCount(gradient, count, "gradient")
    checkCount(m, count, "first moment")
    checkCount(v, count, "second moment")
    var numbers = kernels_adamw(
      gradient_scale: gradientScale,
      decay: Float(1 - learningRate * weightDecay),
      beta1_rest: Float(1 - beta1),
      beta2: Float(beta2),
      beta2_rest: Float(1 - beta2),
      step_size: Float(learningRate / (1 - pow(beta1, Double(step)))),
      correction: Float((1 - pow(beta2, Double(step))).squareRoot()),
      epsilon: Float(epsilon))
    let k = kernels
    withUnsafePointer(to: &numbers) { numbers in
      split(count, cost: 4, multiple: 16, part: .optimizer) { range in
        let start = range.lowerBound
        k.pointee.adamw(
          value.floatPointer + start, gradient.floatPointer + start, m.floatPointer + start,
          v.floatPointer + start, range.count, numbers)
      }
    }
  }
}
