import FireflyTensors
import FireflyTestSupport
import Testing

/// What ends a product in its own tasks gives what the operations give one after another.
@Suite struct LinearFinishTests {
  /// A group over few rows, over some, and over more than a block and a panel.
  struct Case: CustomTestStringConvertible, Sendable {
    let rows, inputs: Int
    let outputs: [Int]
    let dtype: DType
    let isNF4: Bool

    static let all = [DType.float32, .bfloat16].flatMap { dtype in
      [(5, 64, [48, 48]), (40, 96, [96]), (300, 320, [192, 192])].flatMap { rows, inputs, outputs in
        [false, true].map { Case(rows: rows, inputs: inputs, outputs: outputs, dtype: dtype, isNF4: $0) }
      }
    }

    var total: Int { outputs.reduce(0, +) }
    var testDescription: String { "[\(rows), \(inputs)] to \(outputs), \(dtype)\(isNF4 ? ", NF4" : "")" }
    /// Products cut otherwise may differ in their last bits; a rounding may then fall on the other side.
    var tolerance: Tolerance {
      dtype == .bfloat16 ? Tolerance(relative: 0x1p-7, absolute: 1e-3) : Tolerance(absolute: 1e-4)
    }

    /// Every layer with a bias, the first with an adapter.
    func parts(_ random: inout TestRandom) -> (parts: [LinearPart], low: [Matrix?]) {
      var low: [Matrix?] = []
      let parts = outputs.enumerated().map { index, count in
        let weight = random.tensor([count, inputs], dtype)
        let b = index == 0 ? random.tensor([count, 8], dtype) : nil
        low.append(index == 0 ? random.matrix((rows, 8), dtype) : nil)
        return LinearPart(
          weight: isNF4 ? .nf4(NF4Tensor.quantize(weight, double: true)) : .dense(weight), adapterB: b,
          bias: random.tensor([count], .float32), outputs: count, inputs: inputs)
      }
      return (parts, low)
    }

    /// The operations one after another, up to the bias.
    func result(_ x: Matrix, _ parts: [LinearPart], _ low: [Matrix?]) -> Matrix {
      let plain = parts.map {
        LinearPart(weight: $0.weight, adapterB: $0.adapterB, outputs: $0.outputs, inputs: $0.inputs)
      }
      let y = Tensor([rows, total], dtype).matrix
      Ops.linear(y, x, parts: plain, low: low)
      var first = 0
      for part in parts {
        if let bias = part.bias { Ops.addBias(y.columns(first..<first + part.outputs), bias) }
        first += part.outputs
      }
      return y
    }
  }

  @Test(arguments: Case.all, [1, 0.3 as Float])
  func theResultIsAddedToTheResidual(_ a: Case, _ scale: Float) {
    var random = TestRandom(seed: 11)
    let (parts, low) = a.parts(&random)
    let x = random.matrix((a.rows, a.inputs), a.dtype, margin: 3)
    let residual = random.matrix((a.rows, a.total), .float32, margin: 5)
    let expected = a.result(x, parts, low)
    Ops.scale(expected, by: scale)
    let y = random.matrix((a.rows, a.total), .float32, margin: 2)
    Ops.linear(y, x, parts: parts, low: low, finish: .added(to: residual, scale: scale))
    assertClose(y.doubles, zip(residual.doubles, expected.doubles).map { $0 + $1 }, a.tolerance)
  }

  @Test(arguments: Case.all, [true, false])
  func theResultIsActivated(_ a: Case, _ isGated: Bool) {
    var random = TestRandom(seed: 12)
    let (parts, low) = a.parts(&random)
    let x = random.matrix((a.rows, a.inputs), a.dtype, margin: 3)
    let columns = isGated ? a.total / 2 : a.total
    let wanted = Tensor([a.rows, columns], a.dtype).matrix
    let gateUp = a.result(x, parts, low)
    if isGated {
      Ops.activateGated(wanted, gateUp: gateUp, activation: .silu)
    } else {
      Ops.activate(wanted, gateUp, activation: .silu)
    }
    let y = random.matrix((a.rows, a.total), a.dtype, margin: 2)
    let activated = random.matrix((a.rows, columns), a.dtype, margin: 1)
    Ops.linear(y, x, parts: parts, low: low, finish: .activated(into: activated, .silu))
    assertClose(y.doubles, gateUp.doubles, a.tolerance, "y")
    // Off by a unit of gate and of up each.
    let most = wanted.doubles.map(\.magnitude).max() ?? 0
    let unit = a.dtype == .bfloat16 ? 0x1p-6 : 1e-5
    assertClose(
      activated.doubles, wanted.doubles, Tolerance(relative: 0, absolute: Float(unit * most)), "activated")
  }

  /// Heads of 16, and of 6, which no vector and no slice has as its measure.
  @Test(arguments: Case.all, [16, 6])
  func headsAreTurned(_ a: Case, _ headDim: Int) {
    var random = TestRandom(seed: 13)
    let (parts, low) = a.parts(&random)
    let x = random.matrix((a.rows, a.inputs), a.dtype, margin: 3)
    let (cos, sin) = (random.tensor([a.rows, 2], .float32), random.tensor([a.rows, 2], .float32))
    let heads = a.total - 48
    let expected = a.result(x, parts, low)
    Ops.rotate(
      expected.columns(0..<heads), headDim: headDim, rotaryDim: 4, cos: cos, sin: sin, inverse: false)
    let y = random.matrix((a.rows, a.total), a.dtype, margin: 2)
    let rotation = Rotation(
      headDim: headDim, rotaryDim: 4, cos: cos, sin: sin,
      turn: RotaryTurn(interleaved: false, inverse: false))
    Ops.linear(y, x, parts: parts, low: low, finish: .rotated(columns: heads, rotation))
    let tolerance = Tolerance(relative: 0, absolute: a.dtype == .bfloat16 ? 0.1 : 1e-4)
    assertClose(y.doubles, expected.doubles, tolerance)
  }

  // MARK: - Backward

  /// dy·W through a mask's pairs or none, as the operations give it; and dA.
  @Test(arguments: Case.all, [0.3, nil as Float?])
  func theInputGradientComesThroughThePairs(_ a: Case, _ probability: Float?) {
    var random = TestRandom(seed: 14)
    let (parts, _) = a.parts(&random)
    let dy = random.matrix((a.rows, a.total), a.dtype, margin: 3)
    let pairs = lowRank(a, &random, probability)
    let sum = Tensor([a.rows, a.inputs], .float32).matrix
    Ops.linearInputGradient(sum, dy, parts: parts, accumulate: false)
    let through = Tensor([a.rows, a.inputs], a.dtype).matrix
    Ops.matmul(through, pairs.low, pairs.a)
    if let probability {
      Ops.addDropped(sum, through, probability: probability, key: LinearFinishTests.key)
    } else {
      Ops.add(sum, through)
    }
    let dx = random.matrix((a.rows, a.inputs), .float32, margin: 1)
    Ops.linearInputGradient(dx, dy, parts: parts, through: pairs)
    let tolerance = Tolerance(relative: 0, absolute: a.dtype == .bfloat16 ? 0.03 : 1e-4)
    assertClose(dx.doubles, sum.doubles, tolerance, "dx")

    let rounded = random.matrix((a.rows, a.inputs), a.dtype, margin: 1)
    Ops.linearInputGradient(rounded, dy, parts: parts, through: pairs)
    let narrow = Tensor([a.rows, a.inputs], a.dtype).matrix
    Ops.convert(narrow, dx)
    #expect(rounded.doubles == narrow.doubles)

    let only = Tensor.zeros([a.rows, a.inputs], .float32, on: CPU.shared).matrix
    Ops.add(pairs, to: only)
    Ops.linearInputGradient(sum, dy, parts: parts, accumulate: false)
    Ops.add(sum, only)
    assertClose(dx.doubles, sum.doubles, tolerance, "both parts")
  }

  /// On tiles the pairs are further steps of the same sums: the bits are those of one product after the other.
  @Test(arguments: [false, true]) func onTilesThePairsAreFurtherSteps(isNF4: Bool) {
    let a = Case(rows: 70, inputs: 320, outputs: [192, 33], dtype: .bfloat16, isNF4: isNF4)
    var random = TestRandom(seed: 18)
    let (parts, _) = a.parts(&random)
    let dy = random.matrix((a.rows, a.total), a.dtype, margin: 3)
    let pairs = lowRank(a, &random, nil)
    let (found, expected) = (Tensor([a.rows, a.inputs], .float32), Tensor([a.rows, a.inputs], .float32))
    InstructionSet.with("amx-imitated") {
      Ops.linearInputGradient(found.matrix, dy, parts: parts, through: pairs)
      Ops.linearInputGradient(expected.matrix, dy, parts: parts, accumulate: false)
      Ops.add(pairs, to: expected.matrix)
    }
    #expect(found.floats == expected.floats)
  }

  @Test(arguments: Case.all, [true, false])
  func theGradientOfTheActivationFollows(_ a: Case, _ isGated: Bool) {
    var random = TestRandom(seed: 15)
    let (parts, _) = a.parts(&random)
    let dy = random.matrix((a.rows, a.total), a.dtype, margin: 3)
    let pairs = lowRank(a, &random, 0.3)
    let z = random.matrix((a.rows, isGated ? 2 * a.inputs : a.inputs), a.dtype, margin: 1)
    let sum = Tensor([a.rows, a.inputs], .float32).matrix
    Ops.linearInputGradient(sum, dy, parts: parts, through: pairs)
    let expected = Tensor([z.rows, z.columns], a.dtype).matrix
    if isGated {
      Ops.activateGatedGradient(expected, dy: sum, gateUp: z, activation: .gelu)
    } else {
      Ops.activateGradient(expected, dy: sum, x: z, activation: .gelu)
    }
    let dz = random.matrix((z.rows, z.columns), a.dtype, margin: 2)
    Ops.linearInputGradient(dz, dy, parts: parts, through: pairs, finish: .activation(of: z, .gelu))
    #expect(dz.doubles == expected.doubles)
  }

  @Test(arguments: Case.all)
  func productsOfDroppedRowsAreThoseOfACopy(_ a: Case) {
    var random = TestRandom(seed: 16)
    let x = random.matrix((a.rows, a.inputs), a.dtype, margin: 3)
    let pairs = lowRank(a, &random, 0.3)
    let dropped = Tensor([a.rows, a.inputs], a.dtype).matrix
    Ops.dropout(dropped, x, probability: 0.3, key: LinearFinishTests.key)
    let bits = DropoutBits(probability: 0.3, key: LinearFinishTests.key)

    let (expected, found) = (Tensor([a.rows, 8], a.dtype).matrix, Tensor([a.rows, 8], a.dtype).matrix)
    Ops.matmul(expected, dropped, pairs.a, transposeB: true, scale: 0.25)
    Ops.matmulDropped(found, x, pairs.a, bits, scale: 0.25)
    assertClose(found.doubles, expected.doubles, a.tolerance, "low")

    let (dA, own) = (random.tensor([8, a.inputs], .float32), Tensor([8, a.inputs], .float32))
    Ops.convert(own.matrix, dA.matrix)
    Ops.matmul(dA.matrix, pairs.low, dropped, transposeA: true, accumulate: true)
    Ops.addMatmulDropped(own.matrix, pairs.low, x, bits)
    assertClose(own, dA, Tolerance(absolute: 1e-3), "dA")
  }

  /// Pairs of several linear layers at once, wide, narrow and of different ranks: the bits of one product after the other, for
  /// every number of threads.
  @Test(arguments: InstructionSet.namesOfProducts, [1, 3])
  func pairsTogetherAreThoseOneByOne(_ set: String, _ threads: Int) {
    let dtype = DType.bfloat16
    guard InstructionSet.namesTested.contains(set) else { return }
    var random = TestRandom(seed: 19)
    let shapes: [(outputs: Int, rank: Int)] = [(200, 16), (192, 64), (40, 48), (33, 5), (96, 16)]
    for rows in [5, 70, 1025] {
      let dy = random.matrix((rows, 561), dtype, margin: 3)
      let low = random.matrix((rows, 149), dtype, margin: 2)
      let dLows = [0, 1].map { _ in Tensor([rows, 149], dtype).matrix }
      var dBs: [[Tensor]] = [[], []]
      var steps: [[LowRankStep]] = [[], []]
      var (first, firstRank) = (0, 0)
      for (index, shape) in shapes.enumerated() {
        let b = random.matrix((shape.outputs, shape.rank), dtype)
        let before = random.tensor([shape.outputs, shape.rank], .float32)
        let ranks = firstRank..<firstRank + shape.rank
        for side in 0..<2 {
          dBs[side].append(before.converted(to: .float32))
          steps[side].append(
            LowRankStep(
              dB: dBs[side][index].matrix, dLow: dLows[side].columns(ranks),
              dy: dy.columns(first..<first + shape.outputs), low: low.columns(ranks), b: b,
              scale: index % 2 == 0 ? 0.25 : 1))
        }
        (first, firstRank) = (first + shape.outputs, ranks.upperBound)
      }
      InstructionSet.with(set) {
        withThreads(threads) { Ops.lowRankGradients(steps[0]) }
        for step in steps[1] {
          Ops.matmul(step.dB, step.dy, step.low, transposeA: true, accumulate: true)
          Ops.matmul(step.dLow, step.dy, step.b, scale: step.scale)
        }
      }
      #expect(dLows[0].doubles == dLows[1].doubles)
      for (found, expected) in zip(dBs[0], dBs[1]) { #expect(found.floats == expected.floats) }
    }
  }

  private static let key = DropoutKey(seed: 1, step: 2, stream: 3, firstRow: 10)

  private func lowRank(_ a: Case, _ random: inout TestRandom, _ probability: Float?) -> LowRankGradient {
    LowRankGradient(
      low: random.matrix((a.rows, 8), a.dtype, margin: 2), a: random.matrix((8, a.inputs), a.dtype),
      dropout: probability.map { DropoutBits(probability: $0, key: LinearFinishTests.key) })
  }

  @Test(arguments: [DType.float32, .bfloat16])
  func threadsDoNotChangeABit(_ dtype: DType) {
    let a = Case(rows: 300, inputs: 320, outputs: [192, 192], dtype: dtype, isNF4: true)
    var random = TestRandom(seed: 17)
    let (parts, low) = a.parts(&random)
    let x = random.matrix((a.rows, a.inputs), dtype)
    let dy = random.matrix((a.rows, a.total), dtype)
    let z = random.matrix((a.rows, 2 * a.inputs), dtype)
    let pairs = lowRank(a, &random, 0.3)
    let results = [1, 2].map { threads in
      let (y, activated) = (Tensor([a.rows, 384], dtype), Tensor([a.rows, 192], dtype))
      let (dz, dA) = (Tensor([a.rows, 640], dtype), Tensor.zeros([8, 320], .float32, on: CPU.shared))
      let thin = Tensor([a.rows, 8], dtype)
      withThreads(threads) {
        Ops.linear(y.matrix, x, parts: parts, low: low, finish: .activated(into: activated.matrix, .silu))
        Ops.linearInputGradient(
          dz.matrix, dy, parts: parts, through: pairs, finish: .activation(of: z, .silu))
        if let bits = pairs.dropout {
          Ops.matmulDropped(thin.matrix, x, pairs.a, bits, scale: 1)
          Ops.addMatmulDropped(dA.matrix, pairs.low, x, bits)
        }
      }
      return [y, activated, dz, thin, dA].flatMap { $0.matrix.doubles }
    }
    #expect(results[0] == results[1])
  }
}
