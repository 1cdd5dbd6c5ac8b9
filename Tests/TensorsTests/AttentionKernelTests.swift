import CKernels
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// Attention of one row over a cache, and rows by rows, on every table.
@Suite struct AttentionKernelTests {
  private static let scale: Float = 0.3

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
    let (out, logSums) = (Tensor([group, valueDim], variant.dtype), Tensor([group, 2], .float32))
    variant.run {
      slopes.withUnsafeBufferPointer { slopes in
        InstructionSet.kernels.pointee.attention_row(
          out.matrix.output(), logSums.floatPointer, 2, q.matrix.input(), keys.matrix.input(),
          values.matrix.input(), group, dim,
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
      #expect(abs(Double(logSums.floats[2 * h]) - log(total)) < 2e-5 * max(1, abs(log(total))))
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
}
