import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

@Suite struct LossTests {
  @Test(arguments: Variant.all, [2, 5, 16, 33, 100, 1_000])
  func crossEntropyAndItsGradient(variant: Variant, columns: Int) {
    let rows = 4
    let logits = Strided.normal([rows, columns], .float32, seed: 1)
    let labels: [Int32] = [0, Int32(columns - 1), -1, Int32(columns / 2)]
    let gradient = Strided.zeros([rows, columns], variant.dtype)
    let values = logits.values()
    let weights: [Float] = [0.25, 0, 4, -1.5]
    let losses = variant.run {
      Ops.crossEntropy(
        logits: logits.matrix, labels: labels, gradient: gradient.matrix, weights: Tensor(weights, [rows]))
    }
    let reference = softmax(values, columns)
    let expected = (0..<rows).map {
      labels[$0] < 0 ? 0 : -Float(log(reference[$0 * columns + Int(labels[$0])]))
    }
    assertClose(losses.floats, expected, .ulps(16, absolute: 1e-6), "losses")
    let expectedGradient = values.indices.map { i -> Float in
      let (row, column) = (i / columns, Int32(i % columns))
      return labels[row] < 0 ? 0 : weights[row] * Float(reference[i] - (column == labels[row] ? 1 : 0))
    }
    assertClose(
      gradient.values(), expectedGradient, Tolerance(relative: variant.rounding + 1e-6, absolute: 1e-7),
      "gradient")
    #expect(gradient.values()[columns..<3 * columns].allSatisfy { $0 == 0 }, "a weight of 0, and no target")
    let alone = variant.run { Ops.crossEntropy(logits: logits.matrix, labels: labels) }
    #expect(alone.floats == losses.floats, "weights and gradient do not touch the losses")
  }

  @Test(arguments: [1, 2, 40, 1_000]) func theLargestOfARow(columns: Int) {
    let rows = 6
    let x = Strided.normal([rows, columns], .float32, seed: 3)
    let values = x.values()
    for column in Set([0, columns / 2, columns - 1]) {
      let expected = (0..<rows).map { row in
        let elements = values[row * columns..<(row + 1) * columns]
        return elements.firstIndex(of: elements.max() ?? 0) == row * columns + column
      }
      let found = Ops.isLargest(x.matrix, columns: [Int32](repeating: Int32(column), count: rows))
      #expect(found.flags == expected)
    }
    // Of equal elements the first; beside a NaN none.
    let ties = Tensor([1, 2, 2, .nan, 1, 0, 1, .nan, 0], [3, 3])
    #expect(Ops.isLargest(ties.matrix, columns: [1, 1, 0]).flags == [true, false, false])
    #expect(Ops.isLargest(ties.matrix, columns: [2, 0, 1]).flags == [false, false, false])
  }

  /// Large logits neither overflow nor lose the loss; a NaN or infinite logit shows in the loss of its row alone.
  @Test(arguments: InstructionSet.names, [3, 40])
  func crossEntropyOfExtremes(isa: String, columns: Int) {
    var values = [Float](repeating: 0, count: 4 * columns)
    values[0] = 3e4
    values[columns + 1] = 88
    values[2 * columns + columns - 1] = .nan
    values[3 * columns] = .infinity
    let losses = InstructionSet.with(isa) {
      Ops.crossEntropy(logits: Tensor(values, [4, columns]).matrix, labels: [1, 1, 0, 1]).floats
    }
    #expect(losses[0] == 3e4)
    #expect(losses[1] >= 0 && losses[1] < 1e-30)
    #expect(losses[2].isNaN)
    #expect(!losses[3].isFinite)
  }

  @Test(arguments: InstructionSet.names)
  func sumsAndFiniteness(isa: String) {
    for count in [0, 1, 15, 17, 1_000, 200_003] {
      let x = Tensor.normal([count], seed: 1)
      let expected = x.floats.reduce(0.0) { $0 + Double($1) * Double($1) }
      let found = InstructionSet.with(isa) { Ops.sumOfSquares(x) }
      #expect(abs(found - expected) <= 1e-12 * expected, "\(count)")
      withThreads(1) { #expect(InstructionSet.with(isa) { Ops.sumOfSquares(x) } == found) }
    }
    for dtype in [DType.float32, .bfloat16, .float16] {
      for (bad, at) in [(Float.nan, 0), (.infinity, 36), (-.infinity, 17)] {
        var values = Tensor.normal([37], seed: 2).floats
        values[3] = 60_000
        #expect(
          !InstructionSet.with(isa) { Ops.hasNonFinite(Tensor(values, [37]).converted(to: dtype)) })
        values[at] = bad
        #expect(InstructionSet.with(isa) { Ops.hasNonFinite(Tensor(values, [37]).converted(to: dtype)) })
      }
    }
  }

  /// Five steps of torch.optim.AdamW, to the rounding of the numbers a moment is the difference of.
  @Test(arguments: InstructionSet.names)
  func adamWIsTorch(isa: String) throws {
    let fixture = try Fixture("adamw")
    let value = try fixture.tensor("start")
    let gradients = try fixture.tensor("gradients")
    let values = try fixture.tensor("values")
    let (m, v) = (Tensor.zeros([value.count], .float32), Tensor.zeros([value.count], .float32))
    for step in 1...5 {
      let gradient = Tensor(gradients.slice(step - 1..<step).floats.map { $0 * 4 }, [value.count])
      InstructionSet.with(isa) {
        Ops.adamW(
          value: value, gradient: gradient, m: m, v: v, learningRate: 2e-2, beta1: 0.9, beta2: 0.999,
          epsilon: 1e-8, weightDecay: 0.1, step: step, gradientScale: 0.25)
      }
      assertClose(
        value.floats, values.slice(step - 1..<step).floats, .ulps(4, absolute: 1e-8), "values after \(step)")
    }
    assertClose(m, try fixture.tensor("m"), .ulps(4, absolute: 1e-8), "first moment")
    assertClose(v, try fixture.tensor("v"), .ulps(4), "second moment")
  }
}

/// The softmax of every row, in float64.
private func softmax(_ x: [Float], _ columns: Int) -> [Double] {
  stride(from: 0, to: x.count, by: columns).flatMap { start -> [Double] in
    let row = x[start..<start + columns].map { exp(Double($0)) }
    let sum = row.reduce(0, +)
    return row.map { $0 / sum }
  }
}
