import FireflyCards
import FireflyTensors
import FireflyTestSupport
import Testing

/// Each operation on the emulated card against the processor's: that operands, shapes and options arrive where they belong.
/// What the kernels compute is checked in KernelTests.
@Suite struct OperationTests {
  static let types = [DType.float32, .bfloat16]

  @Test(arguments: types) func elementwise(_ type: DType) {
    var both = BothDevices()
    let (x, y) = (both.matrix(7, 37, type), both.matrix(7, 37, type))
    let (wide, factors, bias) = (both.matrix(7, 37), both.tensor([7]), both.tensor([37]))
    let (dots, sums) = (both.tensor([7]), both.tensor([37]))
    for (x, y, wide, factors, bias, dots, sums) in [
      (x.cpu, y.cpu, wide.cpu, factors.cpu, bias.cpu, dots.cpu, sums.cpu),
      (x.card, y.card, wide.card, factors.card, bias.card, dots.card, sums.card),
    ] {
      Ops.scale(x, by: 0.5)
      Ops.scaleRows(x, by: factors)
      Ops.add(wide, y)
      Ops.addBias(y, bias)
      Ops.rowDots(dots, x, y)
      Ops.addColumnSums(sums, y)
    }
    expectEqual(x, "scale, scaleRows")
    expectEqual(wide, "add")
    expectEqual(y, "addBias")
    expectEqual(dots, "rowDots")
    expectEqual(sums, "addColumnSums")
  }

  @Test func rowsAndZeros() {
    var both = BothDevices()
    let rows: [Int32] = [4, 0, 4, 2, 0, 4, 8]
    let (x, y, out) = (both.matrix(9, 21), both.matrix(7, 21), both.matrix(7, 21, .bfloat16))
    let zeroed = both.tensor([5, 3])
    for (x, y, out, zeroed) in [(x.cpu, y.cpu, out.cpu, zeroed.cpu), (x.card, y.card, out.card, zeroed.card)]
    {
      Ops.gatherRows(out, x, rows: rows)
      Ops.scatterAddRows(x, rows, y)
      zeroed.setZero()
    }
    #expect(out.cpu.elements == out.card.elements)
    #expect(x.cpu.elements == x.card.elements)
    #expect(zeroed.card.floats == [Float](repeating: 0, count: 15))
  }

  @Test(arguments: types) func norms(_ type: DType) {
    var both = BothDevices()
    let (x, y, dy, dx) = (
      both.matrix(5, 70), both.matrix(5, 70, type), both.matrix(5, 70), both.matrix(5, 70)
    )
    let (z, dz) = (both.matrix(5, 70, type), both.matrix(5, 70))
    let (weight, bias, dw) = (both.tensor([70]), both.tensor([70]), both.tensor([70]))
    let (mean, reciprocal) = (both.tensor([5]), both.tensor([5]))
    for pick in [{ $0.cpu }, { $0.card }] as [(Both<Matrix>) -> Matrix] {
      let onCard = pick(x).device === both.card
      func own(_ t: Both<Tensor>) -> Tensor { onCard ? t.card : t.cpu }
      Ops.rmsNorm(pick(y), reciprocal: own(reciprocal), x: pick(x), weight: own(weight), epsilon: 1e-5)
      Ops.rmsNormGradient(
        pick(dx), dy: pick(dy), x: pick(x), reciprocal: own(reciprocal), weight: own(weight))
      Ops.normWeightGradient(own(dw), dy: pick(dy), x: pick(x), reciprocal: own(reciprocal))
      Ops.layerNorm(
        pick(z), mean: own(mean), reciprocal: own(reciprocal), x: pick(x), weight: own(weight),
        bias: own(bias), epsilon: 1e-5)
      Ops.layerNormGradient(
        pick(dz), dy: pick(dy), x: pick(x), mean: own(mean), reciprocal: own(reciprocal), weight: own(weight))
      Ops.normWeightGradient(
        own(dw), dy: pick(dy), x: pick(x), mean: own(mean), reciprocal: own(reciprocal))
    }
    expectEqual(y, "rmsNorm")
    expectEqual(dx, "rmsNormGradient")
    expectEqual(z, "layerNorm")
    expectEqual(dz, "layerNormGradient")
    expectEqual(dw, "normWeightGradient")
    expectEqual(mean, "mean")
    expectEqual(reciprocal, "reciprocal")
  }

  @Test(arguments: types, [true, false]) func rotation(_ type: DType, _ interleaved: Bool) {
    var both = BothDevices()
    let (x, cos, sin) = (both.matrix(5, 3 * 16, type), both.tensor([5, 6]), both.tensor([5, 6]))
    for inverse in [false, true] {
      for (x, cos, sin) in [(x.cpu, cos.cpu, sin.cpu), (x.card, cos.card, sin.card)] {
        Ops.rotate(
          x, headDim: 16, rotaryDim: 12, cos: cos, sin: sin, interleaved: interleaved, inverse: inverse)
      }
      expectEqual(x, "rotate")
    }
  }

  @Test(arguments: types, Activation.allCases) func activations(_ type: DType, _ activation: Activation) {
    var both = BothDevices()
    let (x, y, dx) = (both.matrix(5, 31, type), both.matrix(5, 31, type), both.matrix(5, 31, type))
    let (gateUp, dGateUp) = (both.matrix(5, 62, type), both.matrix(5, 62, type))
    let (gated, dy) = (both.matrix(5, 31, type), both.matrix(5, 31))
    for (x, y, dx, gateUp, dGateUp, gated, dy) in [
      (x.cpu, y.cpu, dx.cpu, gateUp.cpu, dGateUp.cpu, gated.cpu, dy.cpu),
      (x.card, y.card, dx.card, gateUp.card, dGateUp.card, gated.card, dy.card),
    ] {
      Ops.activate(y, x, activation: activation)
      Ops.activateGradient(dx, dy: dy, x: x, activation: activation)
      Ops.activateGated(gated, gateUp: gateUp, activation: activation)
      Ops.activateGatedGradient(dGateUp, dy: dy, gateUp: gateUp, activation: activation)
    }
    expectEqual(y, "activate")
    expectEqual(dx, "activateGradient")
    expectEqual(gated, "activateGated")
    expectEqual(dGateUp, "activateGatedGradient")
  }

  /// The same elements are dropped, and the others have the same bits.
  @Test(arguments: types) func dropout(_ type: DType) {
    var both = BothDevices()
    let key = DropoutKey(seed: 3, step: 7, stream: 1, firstRow: 40)
    let (x, y, dx) = (both.matrix(9, 45, type), both.matrix(9, 45, type), both.matrix(9, 45))
    for (x, y, dx) in [(x.cpu, y.cpu, dx.cpu), (x.card, y.card, dx.card)] {
      Ops.dropout(y, x, probability: 0.3, key: key)
      Ops.addDropped(dx, x, probability: 0.3, key: key)
    }
    #expect(y.cpu.elements == y.card.elements)
    #expect(dx.cpu.elements == dx.card.elements)
  }

  @Test(arguments: types) func loss(_ type: DType) {
    var both = BothDevices()
    let labels: [Int32] = [5, -100, 0, 100, 33]
    let (logits, gradient, weights) = (both.matrix(5, 101), both.matrix(5, 101, type), both.tensor([5]))
    let losses = Both(
      cpu: Ops.crossEntropy(
        logits: logits.cpu, labels: labels, gradient: gradient.cpu, weights: weights.cpu),
      card: Ops.crossEntropy(
        logits: logits.card, labels: labels, gradient: gradient.card, weights: weights.card))
    expectEqual(losses, "crossEntropy")
    expectEqual(gradient, "crossEntropy's gradient")
    let columns: [Int32] = [3, 50, 0, 100, 1]
    #expect(
      Ops.isLargest(logits.card, columns: columns).flags == Ops.isLargest(logits.cpu, columns: columns).flags)
  }

  /// A code depends on the last bit, and so both have all of them.
  @Test func optimizerInBytes() {
    var both = BothDevices()
    let (value, gradient) = (both.tensor([1003]), both.tensor([1003]))
    func moment(_ map: DynamicMap, _ device: any Device) -> ByteMoment {
      ByteMoment(
        codes: .zeros([1003], .uint8, on: device), absmax: .zeros([4], .float32, on: device), map: map)
    }
    let (m, v) = (
      Both(cpu: moment(.signed, CPU.shared), card: moment(.signed, both.card)),
      Both(cpu: moment(.unsigned, CPU.shared), card: moment(.unsigned, both.card))
    )
    for step in 1...2 {
      for (value, gradient, m, v) in [
        (value.cpu, gradient.cpu, m.cpu, v.cpu), (value.card, gradient.card, m.card, v.card),
      ] {
        Ops.adamW(
          value: value, gradient: gradient, m: m, v: v, learningRate: 1e-2, beta1: 0.9, beta2: 0.99,
          epsilon: 1e-8, weightDecay: 0.1, step: step, gradientScale: 0.7)
      }
    }
    #expect(value.cpu.floats == value.card.floats)
    #expect(m.cpu.floats == m.card.floats && v.cpu.floats == v.card.floats)
    #expect(m.card.floats.contains { $0 != 0 })
  }

  @Test func optimizer() {
    var both = BothDevices()
    let (value, gradient, m) = (both.tensor([1003]), both.tensor([1003]), both.tensor([1003]))
    let v = both.tensor([1003]).map { Tensor($0.floats.map { $0 * $0 }, [1003], on: $0.device) }
    for (value, gradient, m, v) in [
      (value.cpu, gradient.cpu, m.cpu, v.cpu), (value.card, gradient.card, m.card, v.card),
    ] {
      Ops.adamW(
        value: value, gradient: gradient, m: m, v: v, learningRate: 1e-2, beta1: 0.9, beta2: 0.99,
        epsilon: 1e-8, weightDecay: 0.1, step: 3, gradientScale: 0.7)
    }
    for (x, name) in [(value, "value"), (m, "m"), (v, "v")] { expectEqual(x, relative: 1e-6, name) }
    assertClose(
      [Ops.sumOfSquares(gradient.card)], [Ops.sumOfSquares(gradient.cpu)], Tolerance(relative: 1e-12))
    #expect(!Ops.hasNonFinite(gradient.card))
    #expect(Ops.hasNonFinite(Tensor([1, .nan, 2], [3]).on(both.card)))
    #expect(Ops.hasNonFinite(Tensor([1, .infinity], [2]).converted(to: .float16).on(both.card)))
  }
}
