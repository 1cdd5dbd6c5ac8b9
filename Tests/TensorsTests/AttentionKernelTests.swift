import CKernels
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// The parts of attention that are kernels of their own, on every table.
@Suite struct AttentionKernelTests {
  private let scale: Float = 0.3

  @Test(arguments: Variant.all, [(4, 4, 1), (3, 40, 17), (5, 33, 33), (2, 100, 1)])
  func softmaxOfABlock(variant: Variant, shape: (m: Int, n: Int, visible: Int)) {
    let (m, n) = (shape.m, shape.n)
    let scores = Strided.normal([m, n], .float32, seed: 1)
    let p = Strided.normal([m, n], variant.dtype, seed: 2)
    let logSums = Tensor([m], .float32)
    let values = scores.values()
    variant.run {
      Ops.kernels.pointee.softmax_causal(
        p.matrix.pointer, Int32(variant.dtype.rawValue), p.matrix.stride, logSums.floatPointer,
        scores.matrix.floatRow(0), scores.matrix.stride, scale, shape.visible, m, n)
    }
    let expected = reference(values, shape)
    assertClose(p.values(), expected.p, Tolerance(relative: variant.rounding), "p")
    assertClose(logSums.floats, expected.logSums, .ulps(8, absolute: 1e-6), "log sums")
  }

  @Test(arguments: Variant.all, [(4, 4, 1), (3, 40, 17), (5, 33, 33), (2, 100, 1)])
  func softmaxGradientOfABlock(variant: Variant, shape: (m: Int, n: Int, visible: Int)) {
    let (m, n) = (shape.m, shape.n)
    let scores = Strided.normal([m, n], .float32, seed: 1)
    let dp = Strided.normal([m, n], .float32, seed: 2)
    let (p, ds) = (Strided.zeros([m, n], variant.dtype), Strided.zeros([m, n], variant.dtype))
    let (values, dpValues) = (scores.values(), dp.values())
    let expected = reference(values, shape)
    let dots = (0..<m).map { r in
      (0..<n).reduce(Float(0)) { $0 + expected.p[r * n + $1] * dpValues[r * n + $1] }
    }
    let (logSums, dotsTensor) = (Tensor(expected.logSums, [m]), Tensor(dots, [m]))
    variant.run {
      Ops.kernels.pointee.softmax_causal_gradient(
        p.matrix.pointer, p.matrix.stride, ds.matrix.pointer, ds.matrix.stride, Int32(variant.dtype.rawValue),
        scores.matrix.floatRow(0), scores.matrix.stride, dp.matrix.floatRow(0), dp.matrix.stride,
        logSums.floatPointer, dotsTensor.floatPointer, scale, shape.visible, m, n)
    }
    assertClose(p.values(), expected.p, Tolerance(relative: variant.rounding + 2e-6), "p")
    expectGradient(
      ds.values(), of: { zip(reference64($0, shape), dpValues).reduce(0) { $0 + $1.0 * Double($1.1) } },
      at: values, step: 0x1p-8, tolerance: Tolerance(relative: variant.rounding + 1e-3, absolute: 1e-5), "ds")
  }

  @Test(arguments: Variant.all, [1, 16, 40, 64, 72])
  func rowDots(variant: Variant, headDim: Int) {
    let (rows, heads) = (3, 2)
    let a = Strided.normal([rows, heads * headDim], variant.dtype, seed: 1)
    let b = Strided.normal([rows, heads * headDim], variant.dtype, seed: 2)
    let dots = Tensor.zeros([heads, rows], .float32)
    variant.run {
      Ops.kernels.pointee.row_dots(
        dots.floatPointer, rows, a.matrix.pointer, a.matrix.stride, b.matrix.pointer, b.matrix.stride,
        Int32(variant.dtype.rawValue), rows, heads, headDim)
    }
    let (x, y) = (a.values(), b.values())
    let expected = (0..<heads * rows).map { i -> Float in
      let start = (i % rows * heads + i / rows) * headDim
      return Float((start..<start + headDim).reduce(0.0) { $0 + Double(x[$1]) * Double(y[$1]) })
    }
    assertClose(dots.floats, expected, .ulps(16, absolute: 2e-5), "dots")
  }

  /// One row over caches shorter and longer than the kernel's blocks of keys, groups above its heads at a time.
  @Test(arguments: Variant.all, [(1, 16, 1), (3, 64, 129), (9, 40, 300), (2, 80, 128)])
  func attentionOfARow(variant: Variant, shape: (group: Int, headDim: Int, count: Int)) {
    let (group, dim, count) = shape
    let q = Tensor.normal([group, dim], variant.dtype, seed: 1)
    let keys = Strided.normal([count, dim], variant.dtype, seed: 2)
    let values = Strided.normal([count, dim], variant.dtype, seed: 3)
    let out = Tensor([group, dim], variant.dtype)
    variant.run {
      Ops.kernels.pointee.attention_row(
        out.pointer, q.pointer, keys.matrix.pointer, keys.matrix.stride, values.matrix.pointer,
        values.matrix.stride, Int32(variant.dtype.rawValue), group, dim, count, scale)
    }
    let (queries, k, v) = (q.asFloats, keys.values(), values.values())
    var expected: [Float] = []
    for h in 0..<group {
      let weights = (0..<count).map { j in
        exp(
          Double(scale)
            * (0..<dim).reduce(0.0) { $0 + Double(queries[h * dim + $1]) * Double(k[j * dim + $1]) })
      }
      let total = weights.reduce(0, +)
      for c in 0..<dim {
        expected.append(Float((0..<count).reduce(0.0) { $0 + weights[$1] * Double(v[$1 * dim + c]) } / total))
      }
    }
    assertClose(out.asFloats, expected, Tolerance(relative: variant.rounding, absolute: 2e-5), "attention")
  }

  private func reference(_ scores: [Float], _ shape: (m: Int, n: Int, visible: Int)) -> (
    p: [Float], logSums: [Float]
  ) {
    let logSums = (0..<shape.m).map { r in
      Float(
        log(
          (0..<min(shape.n, shape.visible + r)).reduce(0.0) {
            $0 + exp(Double(scale) * Double(scores[r * shape.n + $1]))
          }))
    }
    return (reference64(scores, shape).map(Float.init), logSums)
  }

  private func reference64(_ scores: [Float], _ shape: (m: Int, n: Int, visible: Int)) -> [Double] {
    (0..<shape.m).flatMap { r -> [Double] in
      let seen = min(shape.n, shape.visible + r)
      let row = (0..<shape.n).map { $0 < seen ? exp(Double(scale) * Double(scores[r * shape.n + $0])) : 0 }
      let sum = row.reduce(0, +)
      return row.map { $0 / sum }
    }
  }
}
