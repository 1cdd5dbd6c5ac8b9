import FireflyModels
import FireflyTensors

/// AdamW (Loshchilov & Hutter, 2019) over an arena of parameters, with 32-bit moments.
package final class AdamW {
  package struct Options {
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double
    /// Decoupled: the value shrinks by learning rate × this at each step, where a parameter decays.
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

  /// Moves the values that there are moments for once along their gradients.
  ///
  /// - Parameter gradientScale: multiplies the gradients first: what clipping asks for.
  package func update(_ arena: ParameterArena, learningRate: Double, gradientScale: Float) {
    precondition(store.range.upperBound <= arena.trainable.arenaCount, "moments of other parameters")
    step += 1
    for run in arena.trainable.runs {
      let range = run.range.clamped(to: store.range)
      guard !range.isEmpty else { continue }
      arena.forEachPiece(of: range) { piece, gradient in
        let (m, v) = store.moments(piece)
        Ops.adamW(
          value: arena.values.slice(piece), gradient: gradient, m: m, v: v,
          learningRate: learningRate, beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon,
          weightDecay: run.isDecayed ? options.weightDecay : 0, step: step, gradientScale: gradientScale)
      }
    }
  }
}

extension ParameterArena {
  /// Calls `body` with the gradients of a range's elements in float32: all at once; of bfloat16, a piece at a time.
  fileprivate func forEachPiece(of range: Range<Int>, _ body: (Range<Int>, Tensor) -> Void) {
    let most = gradients.dtype == .float32 ? range.count : 1 << 22
    for start in stride(from: range.lowerBound, to: range.upperBound, by: max(most, 1)) {
      let piece = start..<min(start + most, range.upperBound)
      body(piece, gradients.slice(piece).inType(.float32))
    }
  }
}

/// The 2-norm over all gradients together, added up in float64, parameter by parameter.
package func gradientNorm(_ arena: ParameterArena) -> Double {
  if arena.gradients.dtype == .float32 {
    return Ops.sumsOfSquares(arena.parameters.map(\.gradient)).reduce(0, +).squareRoot()
  }
  var sum = 0.0
  for parameter in arena.parameters {
    arena.forEachPiece(of: parameter.slot.range) { sum += Ops.sumOfSquares($1) }
  }
  return sum.squareRoot()
}

/// What gradients of norm `norm` are multiplied by so that it is at most `limit`, as torch's clip_grad_norm_ does.
package func clipScale(norm: Double, limit: Double?) -> Float {
  guard let limit else { return 1 }
  return Float(min(1, limit / (norm + 1e-6)))
}
