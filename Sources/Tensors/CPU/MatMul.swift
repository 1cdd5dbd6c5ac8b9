import COneDNN
import FireflyBase
import Foundation

extension Ops {
  /// Whether bfloat16 products run at the processor's own bfloat16 rate; otherwise they are converted to float32 and
  /// computing in float32 is the better choice. `FIREFLY_ISA` of generic or avx2 turns it off.
  public static let supportsBFloat16: Bool = {
    let forced = ProcessInfo.processInfo.environment["FIREFLY_ISA"]
    return onednn_has_bfloat16() && forced != "generic" && forced != "avx2"
  }()

  /// The type that products are computed in unless another is asked for.
  public static var usualCompute: DType { supportsBFloat16 ? .bfloat16 : .float32 }

  /// out (+)= scale · op(a)·op(b), accumulated in float32.
  ///
  /// - Parameters:
  ///   - out: `[m, n]`, float32 or the operands' type; overlaps neither operand.
  ///   - a: `[m, k]`, or `[k, m]` with `transposeA`; float32 or bfloat16.
  ///   - b: `[k, n]`, or `[n, k]` with `transposeB`; the type of `a`.
  ///   - accumulate: Add to `out` instead of replacing it.
  public static func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false,
    accumulate: Bool = false, scale: Float = 1
  ) {
    let product = Product(
      out: out, a: a, b: b, transposeA: transposeA, transposeB: transposeB, accumulate: accumulate,
      scale: scale)
    guard product.m > 0, product.n > 0 else { return }
    let tiles = product.tiles
    Ledger.measure(.matrices, flop: product.flop) {
      Parallel.run(tiles.count) { tile in product.run(rows: tiles.rows(tile), columns: tiles.columns(tile)) }
    }
  }
}

/// One checked product; `run` computes a block of it on the calling thread.
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
    precondition(
      (transposeB ? b.columns : b.rows) == k && out.rows == m && out.columns == n,
      "product [\(out.rows), \(out.columns)] = [\(a.rows), \(a.columns)]\(transposeA ? "ᵀ" : "")"
        + " · [\(b.rows), \(b.columns)]\(transposeB ? "ᵀ" : "")")
    precondition(
      a.dtype == b.dtype && (a.dtype == .float32 || a.dtype == .bfloat16)
        && (out.dtype == .float32 || out.dtype == a.dtype),
      "product of \(a.dtype) and \(b.dtype) into \(out.dtype)")
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

  var flop: Double { 2 * Double(m) * Double(n) * Double(k) }

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
    if a.dtype == .bfloat16 && !Ops.supportsBFloat16 {
      multiply(block, left.asFloat32(), right.asFloat32())
    } else {
      multiply(block, left, right)
    }
  }

  private func multiply(_ out: Matrix, _ a: Matrix, _ b: Matrix) {
    if out.dtype == .bfloat16 && a.dtype == .float32 {
      let wide = Tensor([out.rows, out.columns], .float32).matrix
      if accumulate { Ops.convert(wide, out) }
      multiply(wide, a, b)
      Ops.convert(out, wide)
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

/// A grid of nearly equal blocks over a matrix `[rows, columns]`.
struct Tiles {
  private let rowSplit: Split
  private let columnSplit: Split

  init(_ rows: Int, _ columns: Int, rowParts: Int, columnParts: Int, columnUnit: Int = 16) {
    rowSplit = Split(rows, parts: rowParts)
    columnSplit = Split(columns, parts: columnParts, unit: columnUnit)
  }

  var count: Int { rowSplit.parts * columnSplit.parts }
  func rows(_ tile: Int) -> Range<Int> { rowSplit[tile / columnSplit.parts] }
  func columns(_ tile: Int) -> Range<Int> { columnSplit[tile % columnSplit.parts] }

  /// Parts of at most 288 for the dimension that threads share: 1, 2 or a multiple of 4, so that small machines get
  /// equal shares, and not below 96, two of the widest micro-kernels: narrower ones spend their time on packing.
  static func parts(of extent: Int) -> Int {
    let parts = max((extent + 287) / 288, min(4, extent / 96))
    if parts <= 2 { return max(parts, 1) }
    return extent < 4 * 96 ? 2 : (parts + 3) / 4 * 4
  }
}

/// 0..<extent cut into `parts` ranges whose bounds are multiples of 16; the last ones may be shorter or empty.
struct Split {
  let extent: Int
  let parts: Int
  let width: Int

  init(_ extent: Int, parts: Int, unit: Int = 16) {
    self.extent = extent
    width = max((extent + parts - 1) / parts, 1).roundedUp(to: unit)
    self.parts = max((extent + width - 1) / width, 1)
  }

  subscript(part: Int) -> Range<Int> { part * width..<min((part + 1) * width, extent) }
}

extension Int {
  func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}

extension DType {
  fileprivate var onednn: onednn_type { self == .bfloat16 ? ONEDNN_BFLOAT16 : ONEDNN_FLOAT32 }
}

extension Matrix {
  /// The row stride as libraries want it: a single row's may be anything.
  fileprivate var leading: Int64 { Int64(max(stride, columns)) }

  func fillWithZeros() {
    for row in 0..<rows { memset(pointer + row * stride * dtype.byteCount, 0, columns * dtype.byteCount) }
  }

  fileprivate func asFloat32() -> Matrix {
    let wide = Tensor([rows, columns], .float32).matrix
    Ops.convert(wide, self)
    return wide
  }
}
