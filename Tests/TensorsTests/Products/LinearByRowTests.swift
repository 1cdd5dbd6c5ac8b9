import FireflyTensors
import FireflyTestSupport
import Testing

/// Products of a few rows, on every table, against naive sums in Double.
struct LinearByRowTests {
  /// Inputs that are whole blocks of 64, more than are ordered at a time, and others; outputs below and above a task's
  /// share, odd and even.
  private static let shapes = [(9, 64), (5, 576), (3, 4288), (6, 33), (3, 1300), (300, 256)]

  @Test(arguments: Variant.fewRows) func nf4IsTheProduct(_ variant: Variant) {
    for (outputs, inputs) in LinearByRowTests.shapes {
      for original in [DType.bfloat16, .float16, .float32] {
        let weights = NF4Tensor.quantize(
          .normal([outputs, inputs], original, seed: 5, deviation: 0.02), double: original != .float16)
        // In bfloat16, whole blocks: as whole numbers.
        let isWhole = variant.dtype == .bfloat16 && inputs % NF4.blockSize == 0
        let decoded = isWhole ? weights.exactValues : weights.decoded(as: variant.dtype).asFloats
        let rounding = isWhole ? weights.rounding : nil
        for m in 1...8 {
          let x = Tensor.normal([m, inputs], variant.dtype, seed: UInt64(m))
          let y = variant.run { product(x, .nf4(weights), outputs: outputs) }
          expectProduct(
            y, x, decoded, rounding: rounding, "nf4 [\(outputs), \(inputs)] of \(original), M \(m)")
        }
      }
    }
  }

  /// Against the decoded weights, of which each was rounded by up to 2⁻⁹.
  @Test(arguments: InstructionSet.namesTested) func nf4IsNearTheDecodedWeights(_ isa: String) {
    let weights = NF4Tensor.quantize(.normal([64, 1536], .bfloat16, seed: 8, deviation: 0.02), double: true)
    let x = Tensor.normal([3, 1536], .bfloat16, seed: 9)
    let y = InstructionSet.with(isa) { product(x, .nf4(weights), outputs: 64) }
    expectProduct(y, x, weights.decoded(as: .bfloat16).asFloats, share: 0x1p-8, "nf4")
  }

  @Test(arguments: Variant.fewRows) func denseIsTheProduct(_ variant: Variant) {
    for (outputs, inputs) in LinearByRowTests.shapes + [(1, 1)] {
      let weights = Tensor.normal([outputs, inputs], variant.dtype, seed: 6, deviation: 0.1)
      for m in 1...8 {
        let x = Tensor.normal([m, inputs], variant.dtype, seed: UInt64(m))
        let y = variant.run { product(x, .dense(weights), outputs: outputs) }
        expectProduct(y, x, weights.asFloats, "dense [\(outputs), \(inputs)], M \(m)")
      }
    }
  }

  @Test(arguments: Variant.fewRows) func int8IsTheProduct(_ variant: Variant) {
    let rounding = variant.dtype == .bfloat16 ? WholeRounding(block: Int8Matrix.blockSize, limit: 2048) : nil
    for (outputs, inputs) in [(1, 32), (300, 576), (7, 1568)] {
      let codes = Int8Matrix(.normal([outputs, inputs], variant.dtype, seed: 6, deviation: 0.1))
      for m in 1...9 {
        let x = Tensor.normal([m, inputs], variant.dtype, seed: UInt64(m))
        let y = Tensor([m, outputs], .float32)
        variant.run { CPU.shared.multiply(y.matrix, x.matrix, codes) }
        expectProduct(y, x, codes.values, rounding: rounding, "int8 [\(outputs), \(inputs)], M \(m)")
      }
    }
  }

  @Test(arguments: Variant.all) func int8CodesAreTheNearest(_ variant: Variant) {
    let w = Tensor.normal([40, 96], variant.dtype, seed: 3, deviation: 0.05)
    w.slice(7..<8).setZero()
    let values = w.asFloats
    let decoded = variant.run { Int8Matrix(w) }.values
    for start in stride(from: 0, to: values.count, by: Int8Matrix.blockSize) {
      let block = start..<start + Int8Matrix.blockSize
      let largest = values[block].map(abs).max() ?? 0
      // The scale is the largest magnitude / 127, rounded up to bfloat16.
      let bound = largest / 127 / 2 * (1 + 0x1p-7)
      for i in block { #expect(abs(decoded[i] - values[i]) <= bound, "element \(i) of \(largest)") }
    }
  }

  @Test(arguments: Variant.fewRows) func nonFiniteWeightsAreSeen(_ variant: Variant) {
    for bad in [Float.nan, .infinity] {
      var values = [Float](repeating: 0.5, count: 128)
      values[70] = bad
      let y = Tensor([1, 2], .float32)
      let x = Tensor([Float](repeating: 1, count: 64), [1, 64]).converted(to: variant.dtype)
      variant.run {
        CPU.shared.multiply(
          y.matrix, x.matrix, Int8Matrix(Tensor(values, [2, 64]).converted(to: variant.dtype)))
      }
      #expect(abs(y.floats[0] - 32) < 0.5)
      #expect(y.floats[1].isNaN)
    }
  }

  /// A row is NaN or infinite where one of its elements is no number; the others are not.
  @Test(arguments: Variant.fewRows) func nonFiniteRowsAreSeen(_ variant: Variant) {
    let weights = Tensor.normal([20, 128], variant.dtype, seed: 1)
    let codes = LinearWeight.nf4(NF4Tensor.quantize(weights, double: true))
    for bad in [Float.nan, .infinity, -.infinity] {
      var values = [Float](repeating: 0.5, count: 3 * 128)
      values[128 + 70] = bad
      let x = Tensor(values, [3, 128]).converted(to: variant.dtype)
      let y = Tensor([3, 20], .float32)
      let z = variant.run {
        CPU.shared.multiply(y.matrix, x.matrix, Int8Matrix(weights))
        return product(x, codes, outputs: 20)
      }
      for (index, value) in (y.floats + z.floats).enumerated() {
        #expect(value.isFinite == (index % 60 / 20 != 1), "output \(index) with \(bad)")
      }
    }
  }

  /// Rows as whole numbers have scales of any size; what is tiny may become 0.
  @Test(arguments: InstructionSet.namesTested) func rowsOfAnySizeAreMultiplied(_ isa: String) {
    let weights = Tensor.normal([20, 192], .bfloat16, seed: 1)
    let codes = NF4Tensor.quantize(weights, double: true)
    for size in [Float(0), 0x1p-133, 0x1p-126, 0x1p-110, 0x1p-99, 1, 0x1p100] {
      let x = Tensor(Tensor.normal([2, 192], .bfloat16, seed: 2).asFloats.map { $0 * size }, [2, 192])
        .converted(to: .bfloat16)
      let eight = Int8Matrix(weights)
      let logits = Tensor([2, 20], .float32)
      let y = InstructionSet.with(isa) {
        CPU.shared.multiply(logits.matrix, x.matrix, eight)
        return product(x, .nf4(codes), outputs: 20)
      }
      let lost = 0x1p-97 * 192  // of each product, with weights of at most 8
      expectProduct(
        y, x, codes.exactValues, rounding: codes.rounding.losing(lost), "nf4, rows of \(size)")
      let rounding = WholeRounding(block: Int8Matrix.blockSize, limit: 2048).losing(lost)
      expectProduct(logits, x, eight.values, rounding: rounding, "int8, rows of \(size)")
    }
  }

  /// Sums over a block whose numbers are all the largest there are stay within 32 bits.
  @Test(arguments: InstructionSet.namesTested) func theLargestSumsFit(_ isa: String) {
    for sign in [Float(1), -1] {
      let weights = Tensor([Float](repeating: sign, count: 20 * 128), [20, 128])
      let (codes, eight) = (NF4Tensor.quantize(weights, double: false), Int8Matrix(weights))
      let x = Tensor([Float](repeating: 3, count: 128), [1, 128]).converted(to: .bfloat16)
      let logits = Tensor([1, 20], .float32)
      let y = InstructionSet.with(isa) {
        CPU.shared.multiply(logits.matrix, x.matrix, eight)
        return product(x, .nf4(codes), outputs: 20)
      }
      expectProduct(y, x, codes.exactValues, "nf4, \(sign)")
      expectProduct(logits, x, eight.values, "int8, \(sign)")
    }
  }

  /// Whole numbers have one sum, whatever adds them.
  @Test func allTablesGiveTheSameBits() {
    for (outputs, inputs) in [(9, 64), (37, 576), (50, 4288)] {
      let weights = Tensor.normal([outputs, inputs], .bfloat16, seed: 5, deviation: 0.02)
      let (codes, eight) = (NF4Tensor.quantize(weights, double: true), Int8Matrix(weights))
      let x = Tensor.normal([8, inputs], .bfloat16, seed: 6)
      let results = InstructionSet.namesOfAll.map { isa in
        InstructionSet.with(isa) {
          let logits = Tensor([8, outputs], .float32)
          CPU.shared.multiply(logits.matrix, x.matrix, eight)
          return product(x, .nf4(codes), outputs: outputs).floats + logits.floats
        }
      }
      for (isa, result) in zip(InstructionSet.namesOfAll, results) {
        #expect(result == results[0], "[\(outputs), \(inputs)] by \(isa)")
      }
    }
  }

  /// What the server relies on: an answer does not depend on what is answered beside it.
  @Test(arguments: Variant.fewRows) func aRowDoesNotDependOnItsCompany(_ variant: Variant) {
    let (inputs, outputs, rows) = (320, 150, 19)
    let weights = Tensor.normal([outputs, inputs], variant.dtype, seed: 1, deviation: 0.1)
    let codes = NF4Tensor.quantize(weights, double: true)
    let eight = Int8Matrix(weights)
    let b = Tensor.normal([outputs, 12], variant.dtype, seed: 2)
    let x = Tensor.normal([rows, inputs], variant.dtype, seed: 3)
    let h = Tensor.normal([rows, 12], variant.dtype, seed: 4)
    let parts = [LinearWeight.dense(weights), .nf4(codes)].map {
      LinearPart(weight: $0, adapterB: b, outputs: outputs, inputs: inputs)
    }
    func results(_ range: Range<Int>) -> [[Float]] {
      let y = Tensor([range.count, 2 * outputs], variant.dtype)
      let logits = Tensor([range.count, outputs], .float32)
      let low = h.matrix.rows(range)
      variant.run {
        Ops.linear(y.matrix, x.matrix.rows(range), parts: parts, low: [low, low], rowByRow: true)
        CPU.shared.multiply(logits.matrix, x.matrix.rows(range), eight)
      }
      let (first, second) = (y.asFloats, logits.floats)
      return (0..<range.count).map { row in
        Array(first[row * 2 * outputs..<(row + 1) * 2 * outputs])
          + Array(second[row * outputs..<(row + 1) * outputs])
      }
    }
    let alone = (0..<rows).map { results($0..<$0 + 1)[0] }
    for size in [2, 3, 4, 5, 6, 7, 8, 11, 16, 19] {
      for start in stride(from: 0, to: rows, by: size) {
        let range = start..<min(start + size, rows)
        #expect(results(range) == Array(alone[range]), "rows \(range)")
      }
    }
  }

  /// Shares begin at other rows for another number of threads.
  @Test(arguments: Variant.fewRows) func aRowDoesNotDependOnTheThreads(_ variant: Variant) {
    let (inputs, outputs) = (576, 701)
    let weights = Tensor.normal([outputs, inputs], variant.dtype, seed: 1, deviation: 0.1)
    let x = Tensor.normal([3, inputs], variant.dtype, seed: 3)
    for weight in [true, false].map({ NF4Tensor.quantize(weights, double: $0) }) {
      let results = [1, 2, 3, 7].map { threads in
        var result: [Float] = []
        withThreads(threads) { variant.run { result = product(x, .nf4(weight), outputs: outputs).floats } }
        return result
      }
      for result in results.dropFirst() { #expect(result == results[0]) }
    }
  }

  private func product(_ x: Tensor, _ weight: LinearWeight, outputs: Int) -> Tensor {
    let y = Tensor([x.rows, outputs], .float32)
    let part = LinearPart(weight: weight, outputs: outputs, inputs: x.columns)
    Ops.linear(y.matrix, x.matrix, parts: [part], low: [nil])
    return y
  }
}

/// What rows of x lose as whole numbers of at most `limit`: half a unit of each block's scale.
private struct WholeRounding {
  let block: Int
  let limit: Double
  /// What each weight may be off itself, besides.
  var ofWeights: [Double] = []
  /// What a result may lose besides.
  var absolute = 0.0

  func losing(_ absolute: Double) -> WholeRounding {
    var result = self
    result.absolute = absolute
    return result
  }

  func loss(of x: ArraySlice<Float>, _ weights: ArraySlice<Float>) -> Double {
    var loss = absolute
    for start in stride(from: 0, to: x.count, by: block) {
      let (first, last) = (x.startIndex + start, x.startIndex + min(start + block, x.count))
      let largest = Double(x[first..<last].map(abs).max() ?? 0)
      for c in 0..<last - first {
        let w = weights.startIndex + start + c
        loss += abs(Double(weights[w])) * largest / limit / 2
        if !ofWeights.isEmpty { loss += ofWeights[w] * (abs(Double(x[first + c])) + largest / limit / 2) }
      }
    }
    return loss
  }
}

/// y against x·weightsᵀ in Double: float32 sums, within a few units of the terms' sizes, `share` of them, and what rounding loses.
private func expectProduct(
  _ y: Tensor, _ x: Tensor, _ weights: [Float], share: Double = 0,
  rounding: WholeRounding? = nil, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let (found, a, inputs) = (y.floats, x.asFloats, x.columns)
  for i in 0..<x.rows {
    for r in 0..<y.columns {
      var (sum, size) = (0.0, 0.0)
      for c in 0..<inputs {
        let term = Double(a[i * inputs + c]) * Double(weights[r * inputs + c])
        sum += term
        size += abs(term)
      }
      let loss =
        rounding?.loss(of: a[i * inputs..<(i + 1) * inputs], weights[r * inputs..<(r + 1) * inputs]) ?? 0
      let error = abs(Double(found[i * y.columns + r]) - sum)
      if !(error <= (1e-6 + share) * size + loss) {
        Issue.record(
          "\(name): row \(i), output \(r): \(found[i * y.columns + r]), expected \(sum)",
          sourceLocation: sourceLocation)
      }
    }
  }
}

extension Int8Matrix {
  /// Each weight as its code times its scale.
  fileprivate var values: [Float] {
    let factors = scales.asFloats
    return bytes(codes).enumerated().map {
      Float(Int8(bitPattern: $1)) * factors[$0 / Int8Matrix.blockSize]
    }
  }
}

extension NF4Tensor {
  fileprivate func decoded(as dtype: DType) -> Tensor {
    let out = Tensor(shape, dtype)
    Ops.decodeNF4(self, rows: 0..<outputs, columns: 0..<inputs, into: out.matrix)
    return out
  }

  /// Each weight as its scale times the code's value.
  fileprivate var exactValues: [Float] {
    let codes = bytes(codes)
    return (0..<outputs * inputs).map { i in
      let pair = codes[i / 2]
      return NF4.codeBook[Int(i % 2 == 0 ? pair >> 4 : pair & 15)] * scale(of: i / NF4.blockSize)
    }
  }

  /// What products with whole numbers may lose.
  fileprivate var rounding: WholeRounding {
    let ofWeights = (0..<outputs * inputs).map { 4.3e-5 * abs(Double(scale(of: $0 / NF4.blockSize))) }
    return WholeRounding(block: NF4.blockSize, limit: 4096, ofWeights: ofWeights)
  }

  private func scale(of block: Int) -> Float {
    switch scales {
    case .plain(let absmax): return absmax.floats[block]
    case .nested(let codes, let absmax, let map, let offset):
      return map.floats[Int(bytes(codes)[block])] * absmax.floats[block / NF4.nestedBlockSize] + offset
    }
  }
}
