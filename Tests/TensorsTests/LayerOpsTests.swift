import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

@Suite struct LayerOpsTests {
  @Test(arguments: Variant.all, columnCounts)
  func rmsNormAndItsGradient(variant: Variant, columns: Int) {
    let (rows, epsilon) = (3, Float(1e-5))
    let x = Strided.normal([rows, columns], .float32, seed: 1)
    let weight = Tensor.normal([columns], seed: 2)
    let reciprocal = Tensor([rows], .float32)
    let y = Strided.zeros([rows, columns], variant.dtype)
    variant.run {
      Ops.rmsNorm(y.matrix, reciprocal: reciprocal, x: x.matrix, weight: weight, epsilon: epsilon)
    }
    let (values, w) = (x.values(), weight.floats)
    let expected = { (x: [Float]) -> [Double] in
      (0..<rows).flatMap { r -> [Double] in
        let row = x[r * columns..<(r + 1) * columns].map(Double.init)
        let mean = row.reduce(0) { $0 + $1 * $1 } / Double(columns)
        return zip(row, w).map { $0 / (mean + Double(epsilon)).squareRoot() * Double($1) }
      }
    }
    assertClose(
      y.values(), expected(values).map(Float.init), Tolerance(relative: variant.rounding), "rmsNorm")

    let dy = Strided.normal([rows, columns], .float32, seed: 3)
    let dx = Strided.normal([rows, columns], .float32, seed: 4)
    let before = dx.values()
    variant.run {
      Ops.rmsNormGradient(dx.matrix, dy: dy.matrix, x: x.matrix, reciprocal: reciprocal, weight: weight)
    }
    let dyValues = dy.values()
    expectGradient(
      zip(dx.values(), before).map { $0 - $1 },
      of: { zip(expected($0), dyValues).reduce(0) { $0 + $1.0 * Double($1.1) } }, at: values, step: 0x1p-10,
      tolerance: Tolerance(relative: 1e-3, absolute: 1e-3), "rmsNorm gradient, \(columns) columns")
  }

  @Test(arguments: Variant.all, [(64, 64), (16, 16), (20, 12), (6, 2), (80, 66)])
  func rotateTurnsPairsAndBack(variant: Variant, dims: (head: Int, rotary: Int)) {
    let (rows, heads) = (3, 2)
    let half = dims.rotary / 2
    let angles = Tensor.random([rows, half], seed: 1, in: -3...3).floats
    let (cosine, sine) = (
      Tensor(angles.map { cos($0) }, [rows, half]), Tensor(angles.map { sin($0) }, [rows, half])
    )
    let x = Strided.normal([rows, heads * dims.head], variant.dtype, seed: 2)
    let before = x.values()
    variant.run {
      Ops.rotate(x.matrix, headDim: dims.head, rotaryDim: dims.rotary, cos: cosine, sin: sine, inverse: false)
    }
    var expected = before
    for r in 0..<rows {
      for h in 0..<heads {
        for i in 0..<half {
          let low = (r * heads + h) * dims.head + i
          let (a, b) = (before[low], before[low + half])
          let (c, s) = (cosine.floats[r * half + i], sine.floats[r * half + i])
          expected[low] = a * c - b * s
          expected[low + half] = b * c + a * s
        }
      }
    }
    let tolerance = Tolerance(relative: variant.rounding, absolute: 4 * 0x1p-23)
    assertClose(x.values(), expected, tolerance, "rotate")
    variant.run {
      Ops.rotate(x.matrix, headDim: dims.head, rotaryDim: dims.rotary, cos: cosine, sin: sine, inverse: true)
    }
    assertClose(x.values(), before, Tolerance(relative: 0, absolute: 16 * variant.rounding), "turned back")
  }

  @Test(arguments: Variant.all, columnCounts)
  func swiGLUAndItsGradient(variant: Variant, columns: Int) {
    let rows = 2
    let gateUp = Strided.normal([rows, 2 * columns], variant.dtype, seed: 1)
    let y = Strided.zeros([rows, columns], variant.dtype)
    variant.run { Ops.swiGLU(y.matrix, gateUp: gateUp.matrix) }
    let values = gateUp.values()
    let expected = { (x: [Float]) -> [Double] in
      (0..<rows * columns).map { i in
        let at = i / columns * 2 * columns + i % columns
        let (gate, up) = (Double(x[at]), Double(x[at + columns]))
        return gate / (1 + exp(-gate)) * up
      }
    }
    assertClose(y.values(), expected(values).map(Float.init), Tolerance(relative: variant.rounding), "swiGLU")

    for dtype in [variant.dtype, .float32] {
      let dy = Strided.normal([rows, columns], dtype, seed: 2)
      let gradient = Strided.zeros([rows, 2 * columns], variant.dtype)
      variant.run { Ops.swiGLUGradient(gradient.matrix, dy: dy.matrix, gateUp: gateUp.matrix) }
      let dyValues = dy.values()
      expectGradient(
        gradient.values(), of: { zip(expected($0), dyValues).reduce(0) { $0 + $1.0 * Double($1.1) } },
        at: values,
        step: 0x1p-8, tolerance: Tolerance(relative: variant.rounding + 1e-4, absolute: 2e-5),
        "swiGLU gradient from \(dtype)")
    }
  }

  /// Far from 0 the gate is 0 or the identity, and nothing becomes NaN.
  @Test(arguments: Variant.all)
  func swiGLUOfLargeGates(variant: Variant) {
    let gateUp = Tensor([-1e4, -200, 200, 1e4, 1, 1, 1, 1], [1, 8]).converted(to: variant.dtype)
    let y = Tensor([1, 4], variant.dtype)
    variant.run { Ops.swiGLU(y.matrix, gateUp: gateUp.matrix) }
    let expected = Tensor([0, 0, 200, 1e4], [1, 4]).converted(to: variant.dtype)
    assertClose(y, expected, Tolerance(absolute: 1e-30), "swiGLU")
    let (gradient, dy) = (Tensor([1, 8], variant.dtype), Tensor([1, 1, 1, 1], [1, 4]))
    variant.run { Ops.swiGLUGradient(gradient.matrix, dy: dy.matrix, gateUp: gateUp.matrix) }
    assertClose(
      gradient, Tensor([0, 0, 1, 1, 0, 0, 200, 1e4], [1, 8]).converted(to: variant.dtype),
      Tolerance(absolute: 1e-30), "swiGLU gradient")
  }
}
