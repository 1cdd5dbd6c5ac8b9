import CCard
import FireflyTensors

/// `count` products of matrices that lie `step` elements apart: out (+)= scale·op(a)·op(b).
struct CardProduct {
  var out, a, b: Matrix  // the first of each
  var transposeA = false
  var transposeB = false
  var accumulate = false
  var scale: Float = 1
  var count = 1
  var steps = (out: 0, a: 0, b: 0)
}

extension CardDevice {
  package func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool, transposeB: Bool, accumulate: Bool,
    scale: Float
  ) {
    multiply(
      CardProduct(
        out: out, a: a, b: b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate,
        scale: scale))
  }

  func multiply(_ product: CardProduct) {
    let (out, a) = (product.out, product.a)
    let depth = product.transposeA ? a.rows : a.columns
    guard out.rows > 0, out.columns > 0, product.count > 0 else { return }
    if depth == 0 {
      precondition(product.count == 1, "a batch of empty products")
      if !product.accumulate { fillWithZeros(out) }
    } else if a.dtype == .bfloat16 && !multipliesBFloat16 {
      multiplyWidened(product)
    } else if out.dtype != a.dtype && out.dtype != .float32 {
      multiplyApart(product)
    } else {
      launch(product, depth)
    }
  }

  private func launch(_ product: CardProduct, _ depth: Int) {
    let (out, a, b) = (product.out, product.a, product.b)
    var description = card_product(
      out: out.output, a: a.input, b: b.input, m: Int64(out.rows), n: Int64(out.columns), k: Int64(depth),
      transpose_a: product.transposeA ? 1 : 0, transpose_b: product.transposeB ? 1 : 0,
      accumulate: product.accumulate ? 1 : 0, scale: product.scale, count: Int64(product.count),
      step_out: Int64(product.steps.out), step_a: Int64(product.steps.a), step_b: Int64(product.steps.b))
    run(
      "a product [\(out.rows), \(depth)]·[\(depth), \(out.columns)]",
      card.pointee.multiply(card, &description))
  }

  /// On a card without products of bfloat16: of float32 copies.
  private func multiplyWidened(_ product: CardProduct) {
    var wide = product
    wide.a = widened(product.a, count: product.count, step: product.steps.a)
    wide.b = widened(product.b, count: product.count, step: product.steps.b)
    multiply(wide)
    withExtendedLifetime(wide) {}
  }

  /// A float32 copy of all of a batch's matrices, each in the place that it has in the first one's rows.
  private func widened(_ x: Matrix, count: Int, step: Int) -> Matrix {
    let elements = (count - 1) * step + max(x.rows - 1, 0) * x.stride + x.columns
    let copy = Tensor([1, elements], .float32, on: self)
    let flat = Matrix(
      storage: x.storage, byteOffset: x.byteOffset, rows: 1, columns: elements, stride: elements,
      dtype: x.dtype)
    convert(copy.matrix, flat)
    return Matrix(
      storage: copy.storage, byteOffset: 0, rows: x.rows, columns: x.columns, stride: x.stride,
      dtype: .float32)
  }

  /// Where the result's type is none that the library writes: by way of float32.
  private func multiplyApart(_ product: CardProduct) {
    precondition(product.count == 1, "a batch from \(product.a.dtype) to \(product.out.dtype)")
    var wide = product
    let sums = Tensor([product.out.rows, product.out.columns], .float32, on: self)
    wide.out = sums.matrix
    if product.accumulate { convert(sums.matrix, product.out) }
    multiply(wide)
    convert(product.out, sums.matrix)
  }

  private func fillWithZeros(_ x: Matrix) {
    for row in 0..<x.rows {
      let start = x.pointer + row * x.stride * x.dtype.byteCount
      run("fill", card.pointee.fill(card, start, 0, x.columns * x.dtype.byteCount))
    }
  }

  /// The heads are a batch: their columns lie side by side, their weights `step` rows apart.
  package func multiplyHeads(
    _ y: Matrix, _ x: Matrix, _ weights: HeadWeights, transposed: Bool, accumulate: Bool
  ) {
    let (inputs, outputs) = (x.columns / weights.heads, y.columns / weights.heads)
    multiply(
      CardProduct(
        out: y.columns(0..<outputs), a: x.columns(0..<inputs), b: weights.matrix.rows(weights.rows),
        transposeB: transposed, accumulate: accumulate, count: weights.heads,
        steps: (out: outputs, a: inputs, b: weights.step * weights.matrix.stride)))
  }
}
