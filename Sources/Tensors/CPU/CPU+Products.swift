import COneDNN
import FireflyBase
import Foundation

extension CPU {
  package func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool, transposeB: Bool, accumulate: Bool,
    scale: Float
  ) {
    let product = Product(
      out: out, a: a, b: b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate,
      scale: scale)
    if scale == 1 || !accumulate,
      let tiles = TileProducts.suiting(product.m, product.n, product.k, a.dtype)
    {
      return tiles.matmul(
        out, a, b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate, scale: scale)
    }
    let tiles = product.tiles
    Parallel.run(tiles.count) { tile in product.run(rows: tiles.rows(tile), columns: tiles.columns(tile)) }
  }
}

extension CPU {
  /// Each row and head by itself.
  package func multiplyHeads(
    _ y: Matrix, _ x: Matrix, _ weights: HeadWeights, transposed: Bool, accumulate: Bool
  ) {
    let (inputs, outputs) = (x.columns / weights.heads, y.columns / weights.heads)
    Parallel.run(x.rows * weights.heads) { task in
      let (row, head) = (task / weights.heads, task % weights.heads)
      Product(
        out: y.rows(row..<row + 1).columns(head * outputs..<(head + 1) * outputs),
        a: x.rows(row..<row + 1).columns(head * inputs..<(head + 1) * inputs), b: weights.of(head),
        transposeB: transposed, accumulate: accumulate
      ).run()
    }
  }
}

/// One product; `run` computes a block of it on the calling thread.
struct Product {
  let out: Matrix
  let a: Matrix
  let b: Matrix
  var transposeA = false
  var transposeB = false
  var accumulate = false
  var scale: Float = 1

  let m: Int
  let n: Int
  let k: Int

  init(
    out: Matrix, a: Matrix, b: Matrix, transposeA: Bool = false, transposeB: Bool = false,
    accumulate: Bool = false, scale: Float = 1
  ) {
    (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    n = transposeB ? b.rows : b.columns
    self.out = out
    self.a = a
    self.b = b
    self.transposeA = transposeA
    self.transposeB = transposeB
    self.accumulate = accumulate
    self.scale = scale
  }

  /// How the product is cut into tasks: by its shape alone.
  var tiles: Tiles {
    if 2 * m * n * max(k, 1) < 2_000_000 { return Tiles(m, n, rowParts: 1, columnParts: 1) }
    return n >= m
      ? Tiles(m, n, rowParts: (m + 1023) / 1024, columnParts: Tiles.parts(of: n))
      : Tiles(m, n, rowParts: Tiles.parts(of: m), columnParts: (n + 1023) / 1024)
  }

  func run() { run(rows: 0..<m, columns: 0..<n) }

  /// The block `rows` × `columns` of the output.
  func run(rows: Range<Int>, columns: Range<Int>) {
    if rows.isEmpty || columns.isEmpty { return }
    let block = out.rows(rows).columns(columns)
    if k == 0 {
      if !accumulate { block.fillWithZeros() }
      return
    }
    let left = transposeA ? a.columns(rows) : a.rows(rows)
    let right = transposeB ? b.rows(columns) : b.columns(columns)
    if a.dtype == .bfloat16 && !InstructionSet.multipliesBFloat16 {
      multiply(block, left.asFloat32(), right.asFloat32())
    } else {
      multiply(block, left, right)
    }
  }

  private func multiply(_ out: Matrix, _ a: Matrix, _ b: Matrix) {
    if out.dtype == .bfloat16 && a.dtype == .float32 {
      let wide = Tensor([out.rows, out.columns], .float32).matrix
      if accumulate { CPU.shared.convert(wide, out) }
      multiply(wide, a, b)
      CPU.shared.convert(out, wide)
      return
    }
    var product = onednn_product(
      out: out.pointer, a: a.pointer, b: b.pointer, m: Int64(out.rows), n: Int64(out.columns), k: Int64(k),
      ld_out: out.leading, ld_a: a.leading, ld_b: b.leading, out_type: out.dtype.onednn,
      in_type: a.dtype.onednn, transpose_a: transposeA, transpose_b: transposeB, accumulate: accumulate,
      scale: scale)
    if let problem = onednn_multiply(&product) {
      preconditionFailure("oneDNN: \(String(cString: problem)) for [\(m), \(k)]·[\(k), \(n)]")
    }
  }
}

extension DType {
  var onednn: onednn_type { self == .bfloat16 ? ONEDNN_BFLOAT16 : ONEDNN_FLOAT32 }
}

extension Matrix {
  /// The row stride as libraries want it: a single row's may be anything.
  fileprivate var leading: Int64 { Int64(max(stride, columns)) }

  func fillWithZeros() {
    for row in 0..<rows { memset(pointer + row * stride * dtype.byteCount, 0, columns * dtype.byteCount) }
  }

  fileprivate func asFloat32() -> Matrix {
    let wide = Tensor([rows, columns], .float32).matrix
    CPU.shared.convert(wide, self)
    return wide
  }
}
