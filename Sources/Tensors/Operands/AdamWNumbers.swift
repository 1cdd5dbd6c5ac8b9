import Foundation

/// AdamW's numbers for one step, bias corrections applied.
package struct AdamWNumbers {
  /// Gradients are multiplied by this first.
  package let gradientScale: Float
  /// 1 − learning rate · weight decay
  package let decay: Float
  package let beta1: Float
  /// 1 − β₁
  package let beta1Rest: Float
  package let beta2: Float
  /// 1 − β₂
  package let beta2Rest: Float
  /// Learning rate / (1 − β₁ᵗ)
  package let stepSize: Float
  /// √(1 − β₂ᵗ)
  package let correction: Float
  package let epsilon: Float

  /// - Parameters:
  ///   - weightDecay: decoupled.
  ///   - step: the number of the step, from 1.
  ///   - gradientScale: what clipping asks for.
  init(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, step: Int,
    gradientScale: Float
  ) {
    precondition(step >= 1, "AdamW step \(step)")
    self.gradientScale = gradientScale
    decay = Float(1 - learningRate * weightDecay)
    self.beta1 = Float(beta1)
    beta1Rest = Float(1 - beta1)
    self.beta2 = Float(beta2)
    beta2Rest = Float(1 - beta2)
    stepSize = Float(learningRate / (1 - pow(beta1, Double(step))))
    correction = Float((1 - pow(beta2, Double(step))).squareRoot())
    self.epsilon = Float(epsilon)
  }
}
