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

  /// Logits in panels: the losses, and through a head's rows the gradient, are those of all columns at once. The last row is
  /// nearly sure of its label, where 1 − softmax is a small difference.
  @Test(arguments: Variant.all, [(1, nil), (7, 2.5), (64, nil), (100, 2.5)] as [(Int, Float?)])
  func crossEntropyByPanels(variant: Variant, panel: (width: Int, cap: Float?)) {
    let (rows, columns, inputs) = (4, 100, 19)
    var raw = Tensor.normal([rows, columns], seed: 1).floats
    let labels: [Int32] = [0, 99, 50, 98]
    raw[3 * columns + 98] = 20
    let head = Tensor.normal([columns, inputs], variant.dtype, seed: 2)  // [V, C]
    let weights: [Float] = [0.25, 0, 4, -1.5]
    let sums = SoftmaxSums(labels: labels, columns: columns, on: CPU.shared)
    let gradient = Tensor.zeros([rows, inputs], .float32)
    let losses = variant.run {
      for first in stride(from: 0, to: columns, by: panel.width) {
        let own = first..<min(first + panel.width, columns)
        let logits = Strided(
          (0..<rows).flatMap { raw[$0 * columns + own.lowerBound..<$0 * columns + own.upperBound] },
          [rows, own.count], .float32)
        if let cap = panel.cap { Ops.softCap(logits.matrix, cap) }
        let exponentials = Strided.zeros([rows, own.count], variant.dtype)
        Ops.addPanel(
          to: sums, exponentials: exponentials.matrix, scaling: gradient.matrix, logits: logits.matrix,
          firstColumn: first)
        if let cap = panel.cap { Ops.softCapGradient(exponentials.matrix, y: logits.matrix, cap) }
        _ = exponentials.values()
        Ops.matmul(gradient.matrix, exponentials.matrix, head.slice(own).matrix, accumulate: true)
      }
      let labelRows = Tensor([rows, inputs], .float32)
      Ops.embed(labelRows.matrix, table: .dense(head), tokens: labels)
      return Ops.crossEntropy(
        of: sums, gradient: gradient.matrix, labelRows: labelRows.matrix, weights: Tensor(weights, [rows]),
        cap: panel.cap)
    }
    let capped = raw.map { value in panel.cap.map { $0 * tanh(value / $0) } ?? value }
    let reference = softmax(capped, columns)
    let w = head.asFloats.map(Double.init)
    for (row, label) in labels.enumerated() {
      let own = reference[row * columns..<(row + 1) * columns]
      let others = own.indices.filter { $0 != row * columns + Int(label) }.reduce(0) { $0 + reference[$1] }
      assertClose([losses.floats[row]], [-Float(log1p(-others))], .ulps(16, absolute: 1e-6), "loss \(row)")
      let expected = (0..<inputs).map { input in
        Float(
          (0..<columns).reduce(0.0) { sum, column in
            let isLabel = column == Int(label)
            let slope = panel.cap.map { 1 - pow(Double(capped[row * columns + column] / $0), 2) } ?? 1
            let share = isLabel ? -others : reference[row * columns + column]
            return sum + Double(weights[row]) * share * slope * w[column * inputs + input]
          })
      }
      let found = Array(gradient.floats[row * inputs..<(row + 1) * inputs])
      assertClose(found, expected, .share(2 * variant.rounding, ofLargest: expected), "gradient \(row)")
    }
    #expect(sums.areLabelsLargest == [false, false, false, true])
  }

  @Test(arguments: InstructionSet.namesTested) func logSumsOfRows(isa: String) {
    InstructionSet.with(isa) {
      for count in [1, 15, 1_023, 1_024, 1_025, 49_155] {
        var logits = Tensor.normal([count], seed: 5).floats.map { 8 * $0 }
        if count > 3_000 { for i in 1_024..<2_048 { logits[i] = -.infinity } }
        let expected = log(logits.reduce(0) { $0 + exp(Double($1)) })
        #expect(abs(CPU.logSum(of: logits) - expected) <= 2e-7 * max(1, abs(expected)), "\(count) logits")
        logits[count / 2] = .nan
        #expect(CPU.logSum(of: logits).isNaN, "NaN among \(count) logits")
      }
    }
  }

  /// Large logits in panels, and infinite and NaN ones; the first of equal ones is the largest.
  @Test(arguments: InstructionSet.namesTested) func panelsOfExtremes(isa: String) {
    let panels: [[[Float]]] = [
      [[0, 3e4], [88, 0], [0, .nan], [-.infinity, -.infinity], [2, 2], [2, 1]],
      [[0, 0], [0, 0], [0, 0], [1, 1], [2, 0], [2, 0]],
    ]
    let labels: [Int32] = [0, 0, 2, 3, 1, 0]
    let sums = SoftmaxSums(labels: labels, columns: 4, on: CPU.shared)
    let losses = InstructionSet.with(isa) {
      for (index, panel) in panels.enumerated() {
        let logits = Tensor(panel.flatMap { $0 }, [panel.count, 2])
        Ops.addPanel(to: sums, logits: logits.matrix, firstColumn: 2 * index)
      }
      return Ops.crossEntropy(of: sums).floats
    }
    #expect(losses[0] == 3e4 && losses[1] >= 0 && losses[1] < 1e-30 && losses[2].isNaN)
    #expect(abs(losses[3] - log(2)) < 1e-6, "columns that have no share at all")
    #expect(sums.areLabelsLargest == [false, true, false, false, false, true])
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
  @Test(arguments: InstructionSet.namesTested, [3, 40])
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

  @Test(arguments: InstructionSet.namesTested)
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
  @Test(arguments: InstructionSet.namesTested)
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
