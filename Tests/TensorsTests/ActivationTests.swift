import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// Activations alone and gating, against the formulas in Double and their finite differences.
@Suite struct ActivationTests {
  @Test(arguments: Variant.all, Activation.allCases)
  func activateAndItsGradient(variant: Variant, activation: Activation) {
    for columns in columnCounts {
      let x = Strided(
        Tensor.random([2, columns], seed: 1, in: -9...9).floats, [2, columns], variant.dtype)
      let y = Strided.zeros([2, columns], variant.dtype)
      variant.run { Ops.activate(y.matrix, x.matrix, activation: activation) }
      let values = x.values()
      assertClose(
        y.values(), values.map { Float(activation.value(Double($0))) }, tolerance(variant),
        "\(activation) of \(columns)")
      for dtype in [variant.dtype, .float32] {
        let dy = Strided.normal([2, columns], dtype, seed: 2)
        let dx = Strided.zeros([2, columns], variant.dtype)
        variant.run { Ops.activateGradient(dx.matrix, dy: dy.matrix, x: x.matrix, activation: activation) }
        let expected = zip(values, dy.values()).map { Float(activation.difference(Double($0)) * Double($1)) }
        assertClose(dx.values(), expected, tolerance(variant), "\(activation) gradient from \(dtype)")
      }
    }
  }

  @Test(arguments: Variant.all, Activation.allCases)
  func activateGatedAndItsGradient(variant: Variant, activation: Activation) {
    for columns in columnCounts {
      // Beyond the bounds of a clamped one, and not at them.
      let gateUp = Strided(
        Tensor.random([2, 2 * columns], seed: 1, in: -9...9).floats, [2, 2 * columns], variant.dtype)
      let y = Strided.zeros([2, columns], variant.dtype)
      variant.run { Ops.activateGated(y.matrix, gateUp: gateUp.matrix, activation: activation) }
      let values = gateUp.values()
      let pairs = (0..<2 * columns).map { i in
        let at = i / columns * 2 * columns + i % columns
        return (gate: Double(values[at]), up: Double(values[at + columns]))
      }
      assertClose(
        y.values(), pairs.map { Float(activation.value($0.gate) * activation.gated($0.up)) },
        tolerance(variant),
        "gated")
      for dtype in [variant.dtype, .float32] {
        let dy = Strided.normal([2, columns], dtype, seed: 2)
        let gradient = Strided.zeros([2, 2 * columns], variant.dtype)
        variant.run {
          Ops.activateGatedGradient(
            gradient.matrix, dy: dy.matrix, gateUp: gateUp.matrix, activation: activation)
        }
        var expected = [Float](repeating: 0, count: 4 * columns)
        for (i, (pair, d)) in zip(pairs, dy.values()).enumerated() {
          let at = i / columns * 2 * columns + i % columns
          expected[at] = Float(activation.difference(pair.gate) * activation.gated(pair.up) * Double(d))
          let slope = activation == .clamped && abs(pair.up) > 7 ? 0 : 1.0
          expected[at + columns] = Float(activation.value(pair.gate) * slope * Double(d))
        }
        assertClose(gradient.values(), expected, tolerance(variant), "\(activation) gated from \(dtype)")
      }
    }
  }

  /// Far from 0 every one is 0 or the identity, and no intermediate overflow shows as NaN.
  @Test(arguments: Variant.all, Activation.allCases)
  func ofLargeInputs(variant: Variant, activation: Activation) {
    let x = Tensor([-1e30, -1e4, -200, 0, 200, 1e4, 1e30], [1, 7]).converted(to: variant.dtype)
    let (y, dx) = (Tensor([1, 7], variant.dtype), Tensor([1, 7], variant.dtype))
    variant.run {
      Ops.activate(y.matrix, x.matrix, activation: activation)
      Ops.activateGradient(
        dx.matrix, dy: Tensor([1, 1, 1, 1, 1, 1, 1], [1, 7]).matrix, x: x.matrix, activation: activation)
    }
    let isClamped = activation == .clamped
    let most: [Float] =
      isClamped ? [Float](repeating: Float(activation.value(7)), count: 3) : [200, 1e4, 1e30]
    let expected = Tensor([0, 0, 0, 0] + most, [1, 7]).converted(to: variant.dtype)
    assertClose(y, expected, isClamped ? tolerance(variant) : Tolerance(absolute: 1e-30), "\(activation)")
    let slopes: [Float] = isClamped ? [0, 0, 0] : [1, 1, 1]
    assertClose(dx.asFloats, [0, 0, 0, 0.5] + slopes, Tolerance(absolute: 1e-7), "\(activation) gradient")
  }

  @Test(arguments: Variant.all, Activation.allCases)
  func aNaNStaysOne(variant: Variant, activation: Activation) {
    let x = Tensor([1, .nan, 2], [1, 3]).converted(to: variant.dtype)
    let (y, dx) = (Tensor([1, 3], variant.dtype), Tensor([1, 3], variant.dtype))
    variant.run {
      Ops.activate(y.matrix, x.matrix, activation: activation)
      Ops.activateGradient(
        dx.matrix, dy: Tensor([1, 1, 1], [1, 3]).matrix, x: x.matrix, activation: activation)
    }
    #expect(y.asFloats.map { $0.isNaN } == [false, true, false])
    #expect(dx.asFloats.map { $0.isNaN } == [false, true, false])
  }

  /// The functions are sums of terms of about 1: near their zeros an absolute error of a few float32 units remains.
  private func tolerance(_ variant: Variant) -> Tolerance {
    Tolerance(relative: variant.rounding, absolute: 1e-6)
  }
}

extension Activation {
  fileprivate func value(_ x: Double) -> Double {
    switch self {
    case .silu: x / (1 + exp(-x))
    case .gelu: x * erfc(-x / 2.0.squareRoot()) / 2
    case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .clamped: min(x, 7) / (1 + exp(-1.702 * min(x, 7)))
    }
  }

  /// What f(gate) is multiplied by.
  fileprivate func gated(_ up: Double) -> Double { self == .clamped ? min(max(up, -7), 7) + 1 : up }

  /// f'(x) as a central difference, within 1e-9.
  fileprivate func difference(_ x: Double) -> Double {
    let step = 1e-5
    return (value(x + step) - value(x - step)) / (2 * step)
  }
}
