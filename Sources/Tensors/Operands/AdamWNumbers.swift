/// AdamW's numbers for one step, bias corrections applied.
package struct AdamWNumbers {
  /// Gradients are multiplied by this first.
  package let gradientScale: Float
  /// 1 − learning rate · weight decay
  package let decay: Float
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
}
