import FireflyModels
import FireflyTensors

/// AdamW (Loshchilov & Hutter, 2019) over an arena of parameters, with moments in 32 bits or in 8.
///
/// A training loop of one's own: gradients from an `Objective`, then `step`.
public final class AdamW {
  /// The defaults are those of transformers' TrainingArguments.
  public struct Options: Sendable {
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    /// Decoupled: the value shrinks by learning rate × this at each step, where a parameter decays.
    public var weightDecay: Double

    public init(
      beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0
    ) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }
  }

  public let options: Options
  let store: MomentStore
  /// How many updates are done.
  public private(set) var step: Int

  /// For what `model` trains: its adapter, or all of its weights. Moments lie in its device's memory, 8 bytes a parameter.
  public convenience init(_ options: Options = Options(), training model: Transformer) {
    self.init(
      options,
      store: MomentStore(for: [0..<model.arena.trainable.arenaCount], on: model.arena.values.device))
  }

  package init(_ options: Options, store: MomentStore, step: Int = 0) {
    self.options = options
    self.store = store
    self.step = step
  }

  /// One optimizer step: clips the model's gradients, moves what it trains along them, and makes the model see it.
  ///
  /// - Parameters:
  ///   - maxGradientNorm: gradients with a larger 2-norm over all parameters are scaled down to it, as torch's
  ///     clip_grad_norm_ does; nil leaves them.
  ///   - lossScale: that of the passes; gradients are divided by it first.
  /// - Returns: the norm before clipping. Where it is not finite nothing is moved: the gradients are of no use.
  @discardableResult
  public func step(
    _ model: Transformer, learningRate: Double, maxGradientNorm: Double? = 1, lossScale: Float = 1
  ) -> Double {
    let norm = gradientNorm(model.arena) / Double(lossScale)
    guard norm.isFinite else { return norm }
    update(
      model.arena, learningRate: learningRate,
      gradientScale: clipScale(norm: norm, limit: maxGradientNorm) / lossScale)
    model.parametersChanged()
    return norm
  }

  /// Moves the values that there are moments for once along their gradients.
  ///
  /// - Parameter gradientScale: multiplies the gradients first: what clipping asks for.
  package func update(_ arena: ParameterArena, learningRate: Double, gradientScale: Float) {
    step += 1
    for run in arena.trainable.runs {
      for (range, moments) in store.moments(in: run.range) {
        let isNear = [arena.values.device, arena.gradients.device].allSatisfy { $0 === moments.device }
        arena.forEachPiece(of: range, isWhole: isNear) { piece, gradient in
          let own = piece.lowerBound - range.lowerBound..<piece.upperBound - range.lowerBound
          let value = arena.values.slice(piece)
          // What lies elsewhere than the moments comes to them for the update.
          let moved = value.on(moments.device)
          update(
            moved, gradient.on(moments.device), moments.slice(own), learningRate: learningRate,
            weightDecay: run.isDecayed ? options.weightDecay : 0, gradientScale: gradientScale)
          if moved.device !== value.device { value.copy(moved) }
        }
      }
    }
  }

  private func update(
    _ value: Tensor, _ gradient: Tensor, _ moments: Moments, learningRate: Double, weightDecay: Double,
    gradientScale: Float
  ) {
    switch moments {
    case .float32(let m, let v):
      Ops.adamW(
        value: value, gradient: gradient, m: m, v: v, learningRate: learningRate, beta1: options.beta1,
        beta2: options.beta2, epsilon: options.epsilon, weightDecay: weightDecay, step: step,
        gradientScale: gradientScale)
    case .bytes(let m, let v):
      Ops.adamW(
        value: value, gradient: gradient, m: m, v: v, learningRate: learningRate, beta1: options.beta1,
        beta2: options.beta2, epsilon: options.epsilon, weightDecay: weightDecay, step: step,
        gradientScale: gradientScale)
    }
  }
}

extension ParameterArena {
  /// Calls `body` with the gradients of a range's elements in float32: all at once; of bfloat16, and where it shall not be
  /// whole, a piece of whole blocks at a time.
  fileprivate func forEachPiece(
    of range: Range<Int>, isWhole: Bool = true, _ body: (Range<Int>, Tensor) -> Void
  ) {
    let most = isWhole && gradients.dtype == .float32 ? range.count : 1 << 22
    for start in stride(from: range.lowerBound, to: range.upperBound, by: max(most, 1)) {
      let piece = start..<min(start + most, range.upperBound)
      body(piece, gradients.slice(piece).inType(.float32))
    }
  }
}

/// Σ gradient² of what is trained in a range of the arena.
func sumOfSquares(_ arena: ParameterArena, of range: Range<Int>) -> Double {
  var sum = 0.0
  for run in arena.trainable.runs {
    arena.forEachPiece(of: run.range.clamped(to: range)) { sum += Ops.sumOfSquares($1) }
  }
  return sum
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
