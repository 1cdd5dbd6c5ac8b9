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

  /// With and without bias; x far from 0, so that a variance of mean squares would lose its digits.
  @Test(arguments: Variant.all, columnCounts)
  func layerNormAndItsGradient(variant: Variant, columns: Int) {
    let (rows, epsilon) = (3, Float(1e-5))
    let x = Strided(
      Tensor.normal([rows, columns], seed: 1).floats.map { $0 + 100 }, [rows, columns], .float32)
    let weight = Tensor.normal([columns], seed: 2)
    let (mean, reciprocal) = (Tensor([rows], .float32), Tensor([rows], .float32))
    let (values, w) = (x.values(), weight.floats)
    for bias in [nil, Tensor.normal([columns], seed: 5)] {
      let y = Strided.zeros([rows, columns], variant.dtype)
      variant.run {
        Ops.layerNorm(
          y.matrix, mean: mean, reciprocal: reciprocal, x: x.matrix, weight: weight, bias: bias,
          epsilon: epsilon)
      }
      let expected = layerNorm(values, w, bias?.floats, columns, epsilon).map(Float.init)
      // x has 2⁻¹⁷ of rounding at 100, which the weights scale.
      assertClose(
        y.values(), expected, Tolerance(relative: variant.rounding, absolute: 1e-4),
        "layerNorm, bias \(bias != nil)")
    }

    let dy = Strided.normal([rows, columns], .float32, seed: 3)
    let dx = Strided.normal([rows, columns], .float32, seed: 4)
    let before = dx.values()
    variant.run {
      Ops.layerNormGradient(
        dx.matrix, dy: dy.matrix, x: x.matrix, mean: mean, reciprocal: reciprocal, weight: weight)
    }
    let dyValues = dy.values()
    expectGradient(
      zip(dx.values(), before).map { $0 - $1 },
      of: {
        zip(layerNorm($0, w, nil, columns, epsilon), dyValues).reduce(0) { $0 + $1.0 * Double($1.1) }
      },
      at: values, step: 0x1p-7, tolerance: Tolerance(relative: 2e-3, absolute: 2e-3),
      "layerNorm gradient, \(columns) columns")
  }

  /// Both norms' weights, and a bias by its columns' sums, added to what is there; the same bits for every number of threads.
  @Test(arguments: Variant.all, columnCounts)
  func gradientsOfANormsWeights(variant: Variant, columns: Int) {
    let rows = 37
    let x = Strided.normal([rows, columns], .float32, seed: 1)
    let dy = Strided.normal([rows, columns], .float32, seed: 2)
    let wide = Strided.normal([rows, columns], variant.dtype, seed: 6)
    let (mean, reciprocal) = (
      Tensor.normal([rows], seed: 3), Tensor.random([rows], seed: 4, in: 0.5...2)
    )
    let before = Tensor.normal([columns], seed: 5)
    let (xs, dys, m, r) = (x.values(), dy.values(), mean.floats, reciprocal.floats)
    for mean in [nil, mean] {
      let expected = (0..<columns).map { c in
        (0..<rows).reduce(Double(before.floats[c])) { sum, row in
          let centred = Double(xs[row * columns + c]) - (mean == nil ? 0 : Double(m[row]))
          return sum + Double(dys[row * columns + c]) * centred * Double(r[row])
        }
      }
      let found = before.converted(to: .float32)
      variant.run {
        Ops.normWeightGradient(found, dy: dy.matrix, x: x.matrix, mean: mean, reciprocal: reciprocal)
      }
      assertClose(
        found.floats, expected.map(Float.init), Tolerance(relative: 1e-5, absolute: 2e-5),
        "norm's weight, mean \(mean != nil)")
    }
    let values = wide.values()
    let sums = before.converted(to: .float32)
    variant.run { Ops.addColumnSums(sums, wide.matrix) }
    let expected = (0..<columns).map { c in
      (0..<rows).reduce(Double(before.floats[c])) { $0 + Double(values[$1 * columns + c]) }
    }
    assertClose(sums.floats, expected.map(Float.init), Tolerance(relative: 1e-5, absolute: 1e-5), "sums")
  }

  /// The weight's gradient against finite differences of the norm itself.
  @Test(arguments: Variant.all.filter { $0.dtype == .float32 })
  func gradientsOfANormsWeightsAreDerivatives(variant: Variant) {
    let (rows, columns, epsilon) = (5, 33, Float(1e-5))
    let x = Tensor.normal([rows, columns], seed: 1)
    let weight = Tensor.normal([columns], seed: 2)
    let (dy, bias) = (Tensor.normal([rows, columns], seed: 3), Tensor.normal([columns], seed: 4))
    let (mean, reciprocal) = (Tensor([rows], .float32), Tensor([rows], .float32))
    let y = Tensor([rows, columns], .float32)
    let (dWeight, dBias) = (Tensor.zeros([columns], .float32), Tensor.zeros([columns], .float32))
    variant.run {
      Ops.layerNorm(
        y.matrix, mean: mean, reciprocal: reciprocal, x: x.matrix, weight: weight, bias: bias,
        epsilon: epsilon)
      Ops.normWeightGradient(dWeight, dy: dy.matrix, x: x.matrix, mean: mean, reciprocal: reciprocal)
      Ops.addColumnSums(dBias, dy.matrix)
    }
    let (dys, xs, b) = (dy.floats, x.floats, bias.floats)
    let total = { (weight: [Float], bias: [Float]) in
      zip(self.layerNorm(xs, weight, bias, columns, epsilon), dys).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    let tolerance = Tolerance(relative: 1e-3, absolute: 1e-3)
    expectGradient(dWeight.floats, of: { total($0, b) }, at: weight.floats, tolerance: tolerance, "weight")
    expectGradient(dBias.floats, of: { total(weight.floats, $0) }, at: b, tolerance: tolerance, "bias")
  }

  /// What is not a number stays in its row, and is not hidden there.
  @Test(arguments: Variant.all)
  func aNaNStaysInItsRowOfALayerNorm(variant: Variant) {
    let (x, weight) = (Tensor.normal([2, 33], seed: 1), Tensor.normal([33], seed: 2))
    x.floatPointer[32] = .nan
    let (mean, reciprocal) = (Tensor([2], .float32), Tensor([2], .float32))
    let (y, dx) = (Tensor([2, 33], variant.dtype), Tensor.zeros([2, 33], .float32))
    variant.run {
      Ops.layerNorm(
        y.matrix, mean: mean, reciprocal: reciprocal, x: x.matrix, weight: weight, bias: nil, epsilon: 1e-5)
      Ops.layerNormGradient(
        dx.matrix, dy: x.matrix, x: x.matrix, mean: mean, reciprocal: reciprocal, weight: weight)
    }
    for values in [y.asFloats, dx.floats] {
      #expect(values[..<33].allSatisfy { $0.isNaN } && values[33...].allSatisfy { $0.isFinite })
    }
  }

  private func layerNorm(
    _ x: [Float], _ weight: [Float], _ bias: [Float]?, _ columns: Int, _ epsilon: Float
  ) -> [Double] {
    stride(from: 0, to: x.count, by: columns).flatMap { start -> [Double] in
      let row = x[start..<start + columns].map(Double.init)
      let mean = row.reduce(0, +) / Double(columns)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
      return row.indices.map {
        (row[$0] - mean) / (variance + Double(epsilon)).squareRoot() * Double(weight[$0])
          + Double(bias?[$0] ?? 0)
      }
    }
  }

  /// Both orders of pairs; elements from the rotary dimensions on stay, bit for bit.
  @Test(arguments: Variant.all, [(64, 64), (16, 16), (20, 12), (6, 2), (80, 66)])
  func rotateTurnsPairsAndBack(variant: Variant, dims: (head: Int, rotary: Int)) {
    let (rows, heads) = (3, 2)
    let half = dims.rotary / 2
    let angles = Tensor.random([rows, half], seed: 1, in: -3...3).floats
    let (cosine, sine) = (
      Tensor(angles.map { cos($0) }, [rows, half]), Tensor(angles.map { sin($0) }, [rows, half])
    )
    for interleaved in [false, true] {
      let x = Strided.normal([rows, heads * dims.head], variant.dtype, seed: 2)
      let before = x.values()
      let turn = { (inverse: Bool) in
        variant.run {
          Ops.rotate(
            x.matrix, headDim: dims.head, rotaryDim: dims.rotary, cos: cosine, sin: sine,
            interleaved: interleaved, inverse: inverse)
        }
      }
      turn(false)
      var expected = before
      for r in 0..<rows {
        for h in 0..<heads {
          for i in 0..<half {
            let head = (r * heads + h) * dims.head
            let (low, high) = interleaved ? (head + 2 * i, head + 2 * i + 1) : (head + i, head + i + half)
            let (a, b) = (before[low], before[high])
            let (c, s) = (cosine.floats[r * half + i], sine.floats[r * half + i])
            expected[low] = a * c - b * s
            expected[high] = b * c + a * s
          }
        }
      }
      let turned = x.values()
      let tolerance = Tolerance(relative: variant.rounding, absolute: 4 * 0x1p-23)
      assertClose(turned, expected, tolerance, "rotate, interleaved \(interleaved)")
      for i in turned.indices where i % dims.head >= dims.rotary { #expect(turned[i] == before[i]) }
      turn(true)
      assertClose(x.values(), before, Tolerance(relative: 0, absolute: 16 * variant.rounding), "turned back")
    }
  }
}
