import CTiles
import FireflyBase

extension TileProducts {
  /// out (+)= scale·op(a)·op(b), cut into tasks by its shape alone; what is scaled is not added.
  ///
  /// - Parameter turned: aᵀ where it is at hand, for `transposeA`.
  func matmul(
    _ out: Matrix, _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false,
    accumulate: Bool = false, scale: Float = 1, turned aTurned: Matrix? = nil
  ) {
    if scale != 1 {
      precondition(!accumulate, "a scaled product that is added")
      let product = out.dtype == .float32 ? out : Tensor([out.rows, out.columns], .float32).matrix
      matmul(product, a, b, transposeA: transposeA, transposeB: transposeB)
      CPU.shared.scale(product, by: scale)
      if out.dtype != .float32 { CPU.shared.convert(out, product) }
      return
    }
    // The thin one of two operands is turned: outᵀ = bᵀ·a.
    if transposeA && !transposeB && out.dtype == .float32
      && TileProducts.isTurned(out.rows, out.columns)
    {
      let turned = Tensor([out.columns, out.rows], .float32).matrix
      multiply(turned, transposed(b), a, transposeB: false, accumulate: false)
      return addTransposed(out, turned, accumulate: accumulate)
    }
    multiply(
      out, transposeA ? aTurned ?? transposed(a) : a, b, transposeB: transposeB, accumulate: accumulate)
  }

  /// Columns at most of what is thin: the gradient of LoRA's B.
  private static let thin = 64

  /// Whether xᵀ·y `[rows, columns]` is made as yᵀ·x.
  static func isTurned(_ rows: Int, _ columns: Int) -> Bool { columns <= thin && rows > columns }

  private func multiply(_ out: Matrix, _ a: Matrix, _ b: Matrix, transposeB: Bool, accumulate: Bool) {
    let grid = TileProducts.grid(out.rows, out.columns, a.columns)
    Parallel.run(grid.count) { tile in
      let (rows, columns) = (grid.rows(tile), grid.columns(tile))
      let term = Term(a.rows(rows), transposeB ? b.rows(columns) : b.columns(columns), transposed: transposeB)
      multiply(out.rows(rows).columns(columns), [term], accumulate: accumulate)
    }
  }

  /// Every block packs its columns of b for itself: columns are cut first, and rows where that makes few tasks.
  private static func grid(_ m: Int, _ n: Int, _ k: Int) -> Tiles {
    let isSmall = 2 * m * n * k < 2_000_000
    let columnParts = isSmall ? 1 : Tiles.parts(of: n)
    var rowParts = (m + blockRows - 1) / blockRows
    // A row's result does not depend on the cut, so the number of threads may count.
    let (wanted, least) = Parallel.threads > 4 ? (2 * Parallel.threads, 256) : (8, 512)
    while !isSmall && rowParts * columnParts < wanted && m / rowParts >= least { rowParts *= 2 }
    return Tiles(m, n, rowParts: rowParts, columnParts: columnParts)
  }

  /// out [m, n] (+)= xᵀ, both float32
  private func addTransposed(_ out: Matrix, _ x: Matrix, accumulate: Bool) {
    CPU.split(out.rows, cost: 4 * out.columns, multiple: 16) { rows in
      table.pointee.add_transposed(
        out.output(from: rows.lowerBound), x.columns(rows).input(), accumulate ? 1 : 0, x.rows, rows.count)
    }
  }
}
