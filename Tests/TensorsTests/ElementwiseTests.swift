import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

@Suite struct ElementwiseTests {
  /// Every bfloat16 and float16 is the same after a way through float32.
  @Test(arguments: InstructionSet.namesTested, [DType.bfloat16, .float16])
  func halvesSurviveFloat32(isa: String, dtype: DType) {
    let all = Tensor([65_536], dtype)
    for i in 0..<65_536 { all.pointer.assumingMemoryBound(to: UInt16.self)[i] = UInt16(i) }
    let back = InstructionSet.with(isa) { all.converted(to: .float32).converted(to: dtype) }
    let wide = InstructionSet.with(isa) { all.converted(to: .float32).floats }
    for i in 0..<65_536 where !wide[i].isNaN {
      let found = back.pointer.assumingMemoryBound(to: UInt16.self)[i]
      if found != UInt16(i) { Issue.record("\(dtype) \(i) came back as \(found) through \(wide[i])") }
      if dtype == .float16 && wide[i] != Float(Float16(bitPattern: UInt16(i))) {
        Issue.record("float16 \(i) is \(wide[i])")
      }
      if dtype == .bfloat16 && wide[i] != Float(bitPattern: UInt32(i) << 16) {
        Issue.record("bfloat16 \(i) is \(wide[i])")
      }
    }
    #expect(wide.count { $0.isNaN } == (dtype == .bfloat16 ? 2 * 127 : 2 * 1023))
  }

  /// Ties, neighbours of ties, subnormals, overflow, infinities and NaN.
  @Test(arguments: InstructionSet.namesTested)
  func float32RoundsToNearestEven(isa: String) {
    var random = CounterRandom(seed: 1)
    var values: [Float] = [
      0, -0.0, .infinity, -.infinity, 65_519.9, 65_520, -65_520, 65_504, .greatestFiniteMagnitude,
    ]
    for _ in 0..<4_000 { values.append(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))) }
    for half in [UInt16(0), 1, 2, 0x3ff, 0x400, 0x1234, 0x3555, 0x7bfe, 0x7bff] {
      let low = Float(Float16(bitPattern: half))
      let middle = low + (Float(Float16(bitPattern: half).nextUp) - low) / 2
      values += [low, middle, middle.nextUp, middle.nextDown, -middle]
      values += [0x8000, 0x7fff, 0x8001].map { Float(bitPattern: UInt32(half) << 16 | $0) }
    }
    values = values.filter { !$0.isNaN } + [.nan]
    let x = Tensor(values, [values.count])
    let found = InstructionSet.with(isa) { (x.converted(to: .float16), x.converted(to: .bfloat16)) }
    for (i, value) in values.enumerated() {
      let half = found.0.pointer.assumingMemoryBound(to: UInt16.self)[i]
      let brain = found.1.pointer.assumingMemoryBound(to: UInt16.self)[i]
      if value.isNaN {
        #expect(Float16(bitPattern: half).isNaN && brain == 0x7fc0)
        continue
      }
      let bits = value.bitPattern
      let expected = UInt16(truncatingIfNeeded: (UInt64(bits) + 0x7fff + UInt64(bits >> 16 & 1)) >> 16)
      if half != Float16(value).bitPattern { Issue.record("\(value) in float16 is \(half)") }
      if brain != expected { Issue.record("\(value) in bfloat16 is \(brain), expected \(expected)") }
    }
  }

  /// Against tanh in Double, near 0, around where the formula changes, and far out; a NaN stays alone.
  @Test(arguments: Variant.all, columnCounts)
  func softCap(variant: Variant, columns: Int) {
    let values = (0..<3 * columns).map { i -> Float in
      i == columns ? .nan : [0, 1e-6, -0.3, 1.49, -1.51, 7, -200, 0.02][i % 8] * Float(1 + i % 5)
    }
    let x = Strided(values, [3, columns], .float32)
    let dx = Strided.normal([3, columns], variant.dtype, seed: 2)
    let before = dx.values()
    variant.run {
      Ops.softCap(x.matrix, 6)
      Ops.softCapGradient(dx.matrix, y: x.matrix, 6)
    }
    let (capped, gradient) = (x.values(), dx.values())
    let shares = values.map { tanh(Double($0) / 6) }
    for i in values.indices where i != columns {
      #expect(abs(Double(capped[i]) - 6 * shares[i]) <= 1e-6 * abs(6 * shares[i]), "\(values[i])")
      let slope = Double(before[i]) * (1 - shares[i] * shares[i])
      let error = abs(Double(gradient[i]) - slope)
      #expect(error <= Double(variant.rounding) * abs(slope) + 1e-6, "\(values[i])")
    }
    #expect(capped[columns].isNaN && gradient[columns].isNaN)
  }

  @Test(arguments: Variant.all, columnCounts)
  func scaleAddBias(variant: Variant, columns: Int) {
    let shape = [3, columns]
    let x = Strided.normal(shape, variant.dtype, seed: 1)
    let bias = Tensor.normal([columns], seed: 2)
    let sum = Strided.normal(shape, .float32, seed: 3)
    let (before, biasValues, sumBefore) = (x.values(), bias.floats, sum.values())
    let tolerance = Tolerance(relative: variant.rounding)
    variant.run { Ops.scale(x.matrix, by: 1.7) }
    let scaled = x.values()
    assertClose(scaled, before.map { $0 * 1.7 }, tolerance, "scale")
    variant.run { Ops.addBias(x.matrix, bias) }
    let biased = x.values()
    assertClose(biased, scaled.indices.map { scaled[$0] + biasValues[$0 % columns] }, tolerance, "addBias")
    variant.run { Ops.add(sum.matrix, x.matrix) }
    assertClose(sum.values(), biased.indices.map { sumBefore[$0] + biased[$0] }, .exact, "add")
  }

  @Test(arguments: Variant.all, columnCounts)
  func rowsAreScaledAndMultiplied(variant: Variant, columns: Int) {
    let (a, b) = (
      Strided.normal([4, columns], variant.dtype, seed: 1),
      Strided.normal([4, columns], variant.dtype, seed: 2)
    )
    let (x, y) = (a.values(), b.values())
    let dots = Tensor([4], .float32)
    variant.run { Ops.rowDots(dots, a.matrix, b.matrix) }
    var expected: [Float] = []
    for row in 0..<4 {
      var sum = 0.0
      for i in row * columns..<(row + 1) * columns { sum += Double(x[i]) * Double(y[i]) }
      expected.append(Float(sum))
    }
    assertClose(dots.floats, expected, .ulps(16, absolute: 2e-5), "rowDots")
    let factors: [Float] = [0.5, -1.7, 0, .nan]
    variant.run { Ops.scaleRows(a.matrix, by: Tensor(factors, [4])) }
    let scaled = a.values()
    let products = x.indices.map { x[$0] * factors[$0 / columns] }
    assertClose(
      Array(scaled[..<(3 * columns)]), Array(products[..<(3 * columns)]),
      Tolerance(relative: variant.rounding),
      "scaleRows")
    #expect(scaled[(3 * columns)...].allSatisfy { $0.isNaN })
  }

  @Test(arguments: Variant.all, columnCounts)
  func rowsAreGatheredAndScattered(variant: Variant, columns: Int) {
    let table = Tensor.normal([6, columns], variant.dtype, seed: 4)
    let rows: [Int32] = [5, 0, 3, 3, 1]
    let embedded = Strided.zeros([5, columns], .float32)
    variant.run { Ops.embed(embedded.matrix, table: table, tokens: rows) }
    let all = table.asFloats
    let expected = rows.flatMap { all[Int($0) * columns..<(Int($0) + 1) * columns] }
    assertClose(embedded.values(), expected, .exact, "embed")

    let sum = Strided.normal([6, columns], .float32, seed: 5)
    var scattered = sum.values()
    for (i, row) in rows.enumerated() {
      for c in 0..<columns { scattered[Int(row) * columns + c] += expected[i * columns + c] }
    }
    variant.run { Ops.scatterAddRows(sum.matrix, rows, embedded.matrix) }
    assertClose(sum.values(), scattered, .exact, "scatterAddRows")
  }
}
