import CKernels
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// The parts of attention that are kernels of their own, on every table.
@Suite struct AttentionKernelTests {
  /// A block of scores and its mask.
  struct Block: Sendable, CustomTestStringConvertible {
    let m, n, diagonal: Int
    var window = Int.max
    var slope: Float = 0
    var cap: Float = 0

    var testDescription: String {
      "[\(m), \(n)] diagonal \(diagonal) window \(window) slope \(slope) cap \(cap)"
    }
    var mask: kernels_mask {
      kernels_mask(scale: scale, slope: slope, cap: cap, diagonal: diagonal, window: window)
    }
    func seen(_ row: Int) -> Range<Int> {
      let own = diagonal + row
      let end = min(n, max(own + 1, 0))
      return min(window > own ? 0 : own + 1 - window, end)..<end
    }
  }

  private static let scale: Float = 0.3
  private static let blocks = [
    Block(m: 4, n: 4, diagonal: 0), Block(m: 3, n: 40, diagonal: 16), Block(m: 5, n: 33, diagonal: 32),
    Block(m: 2, n: 100, diagonal: 0), Block(m: 40, n: 40, diagonal: 0, window: 1),
    Block(m: 5, n: 70, diagonal: 60, window: 33), Block(m: 9, n: 50, diagonal: 40, window: 5, slope: 0.25),
    Block(m: 6, n: 37, diagonal: 31, slope: 0.5), Block(m: 3, n: 20, diagonal: 16, window: 100, slope: 1),
    Block(m: 5, n: 70, diagonal: 60, window: 33, cap: 0.5),
    Block(m: 6, n: 37, diagonal: 31, slope: 0.5, cap: 2),
  ]

  @Test(arguments: Variant.all, blocks)
  func softmaxOfABlock(variant: Variant, block: Block) {
    let (m, n) = (block.m, block.n)
    let values = Strided.normal([m, n], .float32, seed: 1).values()
    let scores = Strided(hidingUnseen(values, block), [m, n], .float32)
    let p = Strided.normal([m, n], variant.dtype, seed: 2)
    let logSums = Tensor([m], .float32)
    variant.run {
      var mask = block.mask
      InstructionSet.kernels.pointee.attention_softmax(
        p.matrix.output(), logSums.floatPointer, scores.matrix.output(), &mask, m, n)
    }
    let expected = reference(values, block)
    // exp turns a score's rounding into a relative error: up to half a unit of slope·n.
    let ofSlope = block.slope * Float(n) * 0x1p-23
    assertClose(p.values(), expected.p, Tolerance(relative: variant.rounding + ofSlope), "p")
    assertClose(logSums.floats, expected.logSums, .ulps(8, absolute: 1e-6), "log sums")
  }

  /// Two rows see nothing of the last block, which lies beyond them.
  @Test(arguments: Variant.all, blocks + [Block(m: 4, n: 20, diagonal: -2)])
  func softmaxGradientOfABlock(variant: Variant, block: Block) {
    let (m, n) = (block.m, block.n)
    let values = Strided.normal([m, n], .float32, seed: 1).values()
    let dpValues = Strided.normal([m, n], .float32, seed: 2).values()
    let scores = Strided(hidingUnseen(values, block), [m, n], .float32)
    let dp = Strided(hidingUnseen(dpValues, block), [m, n], .float32)
    let (p, ds) = (
      Strided.normal([m, n], variant.dtype, seed: 3), Strided.normal([m, n], variant.dtype, seed: 4)
    )
    let expected = reference(values, block)
    let dots = (0..<m).map { r in
      (0..<n).reduce(Float(0)) { $0 + expected.p[r * n + $1] * dpValues[r * n + $1] }
    }
    let (logSums, dotsTensor) = (Tensor(expected.logSums, [m]), Tensor(dots, [m]))
    variant.run {
      var mask = block.mask
      InstructionSet.kernels.pointee.attention_softmax_gradient(
        p.matrix.output(), ds.matrix.output(), scores.matrix.input(), dp.matrix.input(), logSums.floatPointer,
        dotsTensor.floatPointer, &mask, m, n)
    }
    assertClose(p.values(), expected.p, Tolerance(relative: variant.rounding + 4e-6), "p")
    expectGradient(
      ds.values(), of: { zip(reference64($0, block), dpValues).reduce(0) { $0 + $1.0 * Double($1.1) } },
      at: values, step: 0x1p-8, tolerance: Tolerance(relative: variant.rounding + 1e-3, absolute: 1e-5), "ds")
  }

  /// A NaN that a row sees spoils the row and no other.
  @Test(arguments: Variant.all)
  func aNaNStaysInItsRow(variant: Variant) {
    let block = Block(m: 3, n: 40, diagonal: 30)
    let scores = Tensor.normal([3, 40], seed: 1)
    scores.floatPointer[40 + 31] = .nan
    let (p, logSums) = (Tensor([3, 40], variant.dtype), Tensor([3], .float32))
    variant.run {
      var mask = block.mask
      InstructionSet.kernels.pointee.attention_softmax(
        p.matrix.output(), logSums.floatPointer, scores.matrix.output(), &mask, 3, 40)
    }
    let values = p.asFloats
    #expect(values[40..<72].allSatisfy { $0.isNaN } && logSums.floats[1].isNaN)
    #expect((values[..<40] + values[80...]).allSatisfy { $0.isFinite })
  }

  @Test(arguments: Variant.all, [1, 16, 40, 64, 72])
  func rowDots(variant: Variant, headDim: Int) {
    let (rows, heads) = (3, 2)
    let a = Strided.normal([rows, heads * headDim], variant.dtype, seed: 1)
    let b = Strided.normal([rows, heads * headDim], variant.dtype, seed: 2)
    let dots = Tensor.zeros([heads, rows], .float32)
    variant.run {
      InstructionSet.kernels.pointee.row_dots(
        dots.floatPointer, rows, a.matrix.input(), b.matrix.input(), rows, heads, headDim)
    }
    let (x, y) = (a.values(), b.values())
    let expected = (0..<heads * rows).map { i -> Float in
      let start = (i % rows * heads + i / rows) * headDim
      return Float((start..<start + headDim).reduce(0.0) { $0 + Double(x[$1]) * Double(y[$1]) })
    }
    assertClose(dots.floats, expected, .ulps(16, absolute: 2e-5), "dots")
  }

  /// One row over caches shorter and longer than the kernel's blocks of keys, groups above its heads at a time.
  @Test(
    arguments: Variant.all,
    [
      (1, 16, 16, 1, false), (3, 64, 64, 129, true), (9, 40, 40, 300, false), (10, 16, 16, 130, true),
      (2, 80, 80, 128, false), (3, 24, 16, 129, true), (9, 70, 45, 130, false), (2, 576, 512, 5, false),
    ])
  func attentionOfARow(
    variant: Variant, shape: (group: Int, headDim: Int, valueDim: Int, count: Int, sloped: Bool)
  ) {
    attentionOfARow(variant, shape, cap: 0)
  }

  @Test(arguments: Variant.all) func attentionOfARowWithCappedScores(variant: Variant) {
    attentionOfARow(variant, (3, 64, 64, 129, false), cap: 1.5)
    attentionOfARow(variant, (9, 40, 40, 300, true), cap: 3)
  }

  private func attentionOfARow(
    _ variant: Variant, _ shape: (group: Int, headDim: Int, valueDim: Int, count: Int, sloped: Bool),
    cap: Float
  ) {
    let (group, dim, valueDim, count, sloped) = shape
    let scale = AttentionKernelTests.scale
    let slopes: [Float] = (0..<group).map { sloped ? exp2(-Float($0) / 2) : 0 }
    let q = Tensor.normal([group, dim], variant.dtype, seed: 1)
    let keys = Strided.normal([count, dim], variant.dtype, seed: 2)
    let values = Strided.normal([count, valueDim], variant.dtype, seed: 3)
    let out = Tensor([group, valueDim], variant.dtype)
    variant.run {
      slopes.withUnsafeBufferPointer { slopes in
        InstructionSet.kernels.pointee.attention_row(
          out.matrix.output(), q.matrix.input(), keys.matrix.input(), values.matrix.input(), group, dim,
          valueDim, count, scale, cap, sloped ? slopes.baseAddress : nil)
      }
    }
    let (queries, k, v) = (q.asFloats, keys.values(), values.values())
    var expected: [Float] = []
    for h in 0..<group {
      let weights = (0..<count).map { j -> Double in
        let product = (0..<dim).reduce(0.0) { $0 + Double(queries[h * dim + $1]) * Double(k[j * dim + $1]) }
        return exp(capped(Double(scale) * product + Double(slopes[h]) * Double(j - (count - 1)), cap))
      }
      let total = weights.reduce(0, +)
      for c in 0..<valueDim {
        expected.append(
          Float((0..<count).reduce(0.0) { $0 + weights[$1] * Double(v[$1 * valueDim + c]) } / total))
      }
    }
    assertClose(out.asFloats, expected, Tolerance(relative: variant.rounding, absolute: 2e-5), "attention")
  }

  private func capped(_ score: Double, _ cap: Float) -> Double {
    cap == 0 ? score : Double(cap) * tanh(score / Double(cap))
  }

  /// NaN where a row does not look.
  private func hidingUnseen(_ values: [Float], _ block: Block) -> [Float] {
    values.indices.map { block.seen($0 / block.n).contains($0 % block.n) ? values[$0] : .nan }
  }

  private func reference(_ scores: [Float], _ block: Block) -> (p: [Float], logSums: [Float]) {
    let logSums = (0..<block.m).map { Float(log(exponentials(scores, block, $0).reduce(0, +))) }
    return (reference64(scores, block).map(Float.init), logSums)
  }

  private func reference64(_ scores: [Float], _ block: Block) -> [Double] {
    (0..<block.m).flatMap { r -> [Double] in
      let row = exponentials(scores, block, r)
      let sum = row.reduce(0, +)
      return row.map { sum == 0 ? 0 : $0 / sum }
    }
  }

  /// exp(score) of row r, 0 where it does not see.
  private func exponentials(_ scores: [Float], _ block: Block, _ r: Int) -> [Double] {
    (0..<block.n).map { c in
      guard block.seen(r).contains(c) else { return 0 }
      return exp(
        capped(
          Double(AttentionKernelTests.scale) * Double(scores[r * block.n + c])
            + Double(block.slope) * Double(c - block.diagonal - r), block.cap))
    }
  }
}
