import FireflyTensors
import FireflyTestSupport
import Testing

/// Linear layers against naive sums in Double over the decoded weights.
struct LinearTests {
  enum Kind: String, CaseIterable { case dense, nf4, doubleNF4 }

  /// A group of layers, with the decoded weights and B's to compare with.
  struct Group {
    var parts: [LinearPart] = []
    var low: [Matrix?] = []
    var weights: [[Double]] = []
    var inputs: Int
    var outputs: Int { parts.reduce(0) { $0 + $1.outputs } }

    init(
      _ random: inout TestRandom, rows: Int, inputs: Int, outputs: [Int], ranks: [Int], _ kind: Kind,
      _ dtype: DType
    ) {
      self.inputs = inputs
      for (count, rank) in zip(outputs, ranks) {
        var weight = random.tensor([count, inputs], dtype)
        var form = LinearWeight.dense(weight)
        if kind != .dense {
          let codes = NF4Tensor.quantize(weight, double: kind == .doubleNF4)
          weight = Tensor([count, inputs], dtype)
          Ops.decodeNF4(codes, rows: 0..<count, columns: 0..<inputs, into: weight.matrix)
          form = .nf4(codes)
        }
        weights.append(weight.matrix.doubles)
        let b = rank > 0 ? random.tensor([count, rank], dtype) : nil
        parts.append(LinearPart(weight: form, adapterB: b, outputs: count, inputs: inputs))
        low.append(rank > 0 ? random.matrix((rows, rank), dtype, margin: 3) : nil)
      }
    }

    /// x·Wᵀ + h·Bᵀ of all parts
    func forward(_ x: Matrix) -> [Double] {
      let values = x.doubles
      var y = [Double](repeating: 0, count: x.rows * outputs)
      var first = 0
      for (index, part) in parts.enumerated() {
        let h = low[index]?.doubles ?? []
        let b = part.adapterB?.matrix.doubles ?? []
        let rank = part.adapterB?.shape[1] ?? 0
        for row in 0..<x.rows {
          for output in 0..<part.outputs {
            var sum = dot(values, row * inputs, weights[index], output * inputs, inputs)
            if rank > 0 { sum += dot(h, row * rank, b, output * rank, rank) }
            y[row * outputs + first + output] = sum
          }
        }
        first += part.outputs
      }
      return y
    }

    /// Σ dyᵢ·Wᵢ
    func backward(_ dy: Matrix) -> [Double] {
      let values = dy.doubles
      var dx = [Double](repeating: 0, count: dy.rows * inputs)
      var first = 0
      for (index, part) in parts.enumerated() {
        for row in 0..<dy.rows {
          for output in 0..<part.outputs {
            let factor = values[row * outputs + first + output]
            for input in 0..<inputs {
              dx[row * inputs + input] += factor * weights[index][output * inputs + input]
            }
          }
        }
        first += part.outputs
      }
      return dx
    }
  }

  @Test(arguments: Kind.allCases, Variant.products)
  func forwardAgreesWithNaiveSums(kind: Kind, variant: Variant) {
    let dtype = variant.dtype
    var random = TestRandom(seed: 5)
    for (rows, inputs) in [(1, 64), (3, 192), (8, 100), (9, 128), (70, 96), (300, 64)] {
      let group = Group(
        &random, rows: rows, inputs: inputs, outputs: [70, 48, 33], ranks: [8, 0, 5], kind, dtype)
      let x = random.matrix((rows, inputs), dtype, margin: 9)
      let y = random.matrix((rows, group.outputs), dtype, margin: 2)
      variant.run { Ops.linear(y, x, parts: group.parts, low: group.low) }
      let expected = group.forward(x)
      // bfloat16: one rounding of the result; few rows meet NF4 weights that are not rounded, unlike the expected sums' ones.
      let largest = expected.map(abs).max() ?? 0
      let absolute = dtype == .bfloat16 ? 0x1p-9 * (rows <= 8 ? Float(largest) : 0.01) : 2e-5
      assertClose(
        y.doubles, expected, Tolerance(relative: dtype == .bfloat16 ? 0x1p-8 : 0, absolute: absolute),
        "\(kind) \(variant) [\(rows), \(inputs)]")
    }
  }

  @Test(arguments: Kind.allCases, Variant.products)
  func inputGradientAgreesWithNaiveSums(kind: Kind, variant: Variant) {
    let dtype = variant.dtype
    var random = TestRandom(seed: 6)
    for (rows, inputs, outputs) in [(1, 64, 40), (33, 100, 70), (270, 192, 20), (5, 64, 1100)] {
      let group = Group(
        &random, rows: rows, inputs: inputs, outputs: [outputs, 48], ranks: [0, 4], kind, dtype)
      let dy = random.matrix((rows, group.outputs), dtype, margin: 2)
      let dx = random.matrix((rows, inputs), .float32, margin: 1)
      let before = dx.doubles
      let expected = group.backward(dy)
      variant.run { Ops.linearInputGradient(dx, dy, parts: group.parts, accumulate: true) }
      assertClose(
        dx.doubles, zip(before, expected).map { $0 + $1 }, Tolerance(absolute: 1e-4),
        "\(kind) \(variant) added [\(rows), \(inputs)]")
      variant.run { Ops.linearInputGradient(dx, dy, parts: group.parts, accumulate: false) }
      assertClose(
        dx.doubles, expected, Tolerance(absolute: 1e-4), "\(kind) \(variant) [\(rows), \(inputs)]")
    }
  }

  @Test(arguments: Variant.products)
  func threadsDoNotChangeABit(variant: Variant) {
    let dtype = variant.dtype
    var random = TestRandom(seed: 7)
    for rows in [2, 200] {
      let group = Group(
        &random, rows: rows, inputs: 320, outputs: [400, 130], ranks: [16, 16], .doubleNF4, dtype)
      let x = random.matrix((rows, 320), dtype)
      let dy = random.matrix((rows, 530), dtype)
      let results = [1, 2].map { threads in
        let y = Tensor([rows, 530], dtype).matrix
        let dx = Tensor([rows, 320], .float32).matrix
        withThreads(threads) {
          variant.run {
            Ops.linear(y, x, parts: group.parts, low: group.low)
            Ops.linearInputGradient(dx, dy, parts: group.parts, accumulate: false)
          }
        }
        return y.doubles + dx.doubles
      }
      #expect(results[0] == results[1])
    }
  }

  /// What short prompts in one pass rely on: a row has the same bits beside any number of others that the device names. On
  /// tiles from nine rows on.
  @Test(arguments: Variant.products, Kind.allCases) func aRowIsTheSameInAnyCompany(
    variant: Variant, kind: Kind
  ) {
    guard let range = variant.run({ CPU.shared.rowsAlike(in: variant.dtype) }) else {
      #expect(!variant.isOnTiles, "rows on tiles are alike")
      return
    }
    var random = TestRandom(seed: 12)
    let group = Group(
      &random, rows: 70, inputs: 192, outputs: [48, 37], ranks: [8, 0], kind, variant.dtype)
    let x = random.matrix((70, 192), variant.dtype)
    let all = Tensor([70, 85], .float32)
    variant.run { Ops.linear(all.matrix, x, parts: group.parts, low: group.low) }
    for count in (variant.isOnTiles ? 9 : range.lowerBound)...64 {
      let y = Tensor([count, 85], .float32)
      let low = group.low.map { $0?.rows(0..<count) }
      variant.run { Ops.linear(y.matrix, x.rows(0..<count), parts: group.parts, low: low) }
      #expect(y.floats == Array(all.floats[..<y.count]), "\(count) rows")
    }
  }

  /// More threads get smaller tasks, the same numbers.
  @Test(arguments: Variant.products) func tasksForMoreThreadsGiveTheSame(variant: Variant) {
    var random = TestRandom(seed: 13)
    let group = Group(
      &random, rows: 1100, inputs: 64, outputs: [96, 33], ranks: [0, 8], .nf4, variant.dtype)
    let (x, dy) = (random.matrix((1100, 64), variant.dtype), random.matrix((1100, 129), variant.dtype))
    let results = [1, 2, 5, 28].map { threads in
      let (y, dx) = (Tensor([1100, 129], variant.dtype), Tensor([1100, 64], .float32))
      withThreads(threads) {
        variant.run {
          Ops.linear(y.matrix, x, parts: group.parts, low: group.low)
          Ops.linearInputGradient(dx.matrix, dy, parts: group.parts, accumulate: false)
        }
      }
      return y.asFloats + dx.floats
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  /// Rows are cut between blocks of 256, counted from where a cut by their number alone would begin.
  @Test func panelsAreCutForTheThreads() {
    func tasks(_ rows: Int, _ rowParts: Int, columns: Int, _ threads: Int) -> [Range<Int>] {
      let grid = PanelGrid(rows, rowParts: rowParts, Split(576, parts: columns), threads: threads)
      return (0..<grid.count).filter { grid.columns($0).lowerBound == 0 }.map(grid.rows)
    }
    #expect(tasks(1024, 1, columns: 4, 2) == [0..<1024])
    #expect(tasks(1024, 1, columns: 4, 4) == [0..<1024])
    #expect(tasks(1024, 1, columns: 4, 8) == [0..<512, 512..<1024])
    #expect(tasks(1024, 1, columns: 4, 28) == [0..<256, 256..<512, 512..<768, 768..<1024])
    #expect(
      tasks(1500, 2, columns: 4, 100) == [
        0..<256, 256..<512, 512..<752, 752..<1008, 1008..<1264, 1264..<1500,
      ])
    #expect(tasks(200, 1, columns: 4, 100) == [0..<200])
  }

  /// 128 rows of 2,048 bytes, which tiles take from a copy, and the same rows further apart.
  @Test func howFarApartRowsLieDoesNotMatter() {
    var random = TestRandom(seed: 12)
    let weight = NF4Tensor.quantize(random.tensor([1024, 1024], .bfloat16), double: true)
    let parts = [LinearPart(weight: .nf4(weight), outputs: 1024, inputs: 1024)]
    let close = random.tensor([128, 1024], .bfloat16).matrix
    let far = Tensor([128, 1048], .bfloat16).matrix.columns(8..<1032)
    Ops.convert(far, close)
    let results = [close, far].map { rows in
      let y = Tensor([128, 1024], .float32).matrix
      Ops.linear(y, rows, parts: parts, low: [nil])
      let dx = Tensor([128, 1024], .float32).matrix
      Ops.linearInputGradient(dx, rows, parts: parts, accumulate: false)
      return y.doubles + dx.doubles
    }
    #expect(results[0] == results[1] && results[0].contains { $0 != 0 })
  }
}

private func dot(_ a: [Double], _ aStart: Int, _ b: [Double], _ bStart: Int, _ count: Int) -> Double {
  var sum = 0.0
  for i in 0..<count { sum += a[aStart &+ i] * b[bStart &+ i] }
  return sum
}
