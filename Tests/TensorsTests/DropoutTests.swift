import FireflyTensors
import FireflyTestSupport
import Testing

@Suite struct DropoutTests {
  private let key = DropoutKey(seed: 1, step: 2, stream: 3, firstRow: 10)

  @Test(arguments: Variant.all, columnCounts)
  func keepsAndScales(variant: Variant, columns: Int) {
    let x = Strided.normal([4, columns], variant.dtype, seed: 1)
    let y = Strided.zeros([4, columns], variant.dtype)
    variant.run { Ops.dropout(y.matrix, x.matrix, probability: 0.3, key: key) }
    let (before, found) = (x.values(), y.values())
    let mask = dropoutMask(rows: 4, columns: columns, probability: 0.3, key: key)
    let expected = before.indices.map { mask[$0] ? before[$0] / 0.7 : 0 }
    assertClose(found, expected, Tolerance(relative: variant.rounding), "dropout")

    let dx = Strided.normal([4, columns], .float32, seed: 2)
    let dxBefore = dx.values()
    variant.run { Ops.addDropped(dx.matrix, x.matrix, probability: 0.3, key: key) }
    assertClose(
      dx.values(), expected.indices.map { dxBefore[$0] + expected[$0] }, .ulps(8, absolute: 1e-6),
      "addDropped")
  }

  /// A row's bits do not depend on the matrix it is in, on the threads or on the table.
  @Test func bitsBelongToRowAndColumn() {
    let ones = Tensor([Float](repeating: 1, count: 300 * 100), [300, 100])
    let mask = { (rows: Range<Int>, columns: Int) -> [Float] in
      let y = Tensor([rows.count, columns], .float32)
      var key = key
      key.firstRow += UInt64(rows.lowerBound)
      Ops.dropout(
        y.matrix, ones.matrix.rows(rows).columns(0..<columns), probability: 0.5, key: key)
      return y.floats
    }
    let all = mask(0..<300, 100)
    for isa in InstructionSet.names {
      #expect(InstructionSet.with(isa) { mask(0..<300, 100) } == all, "\(isa)")
    }
    withThreads(1) { #expect(mask(0..<300, 100) == all) }
    #expect(mask(17..<18, 33) == Array(all[1700..<1733]))
  }

  /// The share of dropped elements is p within 5 standard deviations; keys, rows and columns are unlike each other.
  @Test func bitsAreRandom() {
    let count = 400 * 256
    let mask = dropped(0.1, key)
    let share = Double(mask.count { $0 }) / Double(count)
    #expect(abs(share - 0.1) < 5 * (0.1 * 0.9 / Double(count)).squareRoot(), "\(share)")
    // Two independent masks agree in dropping p² of the elements.
    let others = [
      ("next row", Array(mask[256...] + mask[..<256])), ("next column", Array(mask[1...] + mask[..<1])),
      ("seed", dropped(0.1, DropoutKey(seed: 2, step: 2, stream: 3))),
      ("step", dropped(0.1, DropoutKey(seed: 1, step: 3, stream: 3))),
      ("stream", dropped(0.1, DropoutKey(seed: 1, step: 2, stream: 4))),
    ]
    for (name, other) in others {
      let both = Double(zip(mask, other).count { $0 && $1 }) / Double(count)
      #expect(abs(both - 0.01) < 5 * (0.01 * 0.99 / Double(count)).squareRoot(), "\(name): \(both)")
    }
  }

  @Test func probabilityZeroKeepsAll() {
    let x = Tensor.normal([3, 70], seed: 1)
    let y = Tensor([3, 70], .float32)
    Ops.dropout(y.matrix, x.matrix, probability: 0, key: key)
    #expect(y.floats == x.floats)
  }

  private func dropped(_ probability: Float, _ key: DropoutKey) -> [Bool] {
    let ones = Tensor([Float](repeating: 1, count: 400 * 256), [400, 256])
    let y = Tensor([400, 256], .float32)
    Ops.dropout(y.matrix, ones.matrix, probability: probability, key: key)
    return y.floats.map { $0 == 0 }
  }
}

/// True where kept: the bits as Sources/C/Kernels/ops/dropout.inc defines them, one element at a time.
private func dropoutMask(rows: Int, columns: Int, probability: Float, key: DropoutKey) -> [Bool] {
  let mixed = CounterRandom.mix(CounterRandom.mix(CounterRandom.mix(key.seed) ^ key.step) ^ key.stream)
  return (0..<rows * columns).map { i in
    let (row, column) = (UInt64(i / columns), UInt32(i % columns))
    // SplitMix64 after row + 1 steps from the key.
    let z = CounterRandom.mix(mixed &+ (key.firstRow + row) &* 0x9e37_79b9_7f4a_7c15)
    var x = (column / 2) &* 0x9e37_79b9 &+ UInt32(truncatingIfNeeded: z)
    x ^= x >> 16
    x = x &* 0x7feb_352d ^ UInt32(truncatingIfNeeded: z >> 32)
    x ^= x >> 15
    x = x &* 0x846c_a68b
    x ^= x >> 16
    let bits = column % 2 == 0 ? x & 0xffff : x >> 16
    return bits >= UInt32((probability * 65_536).rounded())
  }
}
