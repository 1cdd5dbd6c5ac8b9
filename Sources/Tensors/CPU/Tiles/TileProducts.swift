import CKernels
import CTiles
import FireflyBase

/// Products on the processor's matrix tiles, of bfloat16 operands. One call computes a block of a product on the calling
/// thread; a row's result depends neither on the other rows nor on the block.
struct TileProducts: @unchecked Sendable {
  /// Rows of one block at most.
  static let blockRows = Int(TILES_ROWS)
  /// Below this extent of a product its tiles are mostly padding.
  private static let least = 8

  let table: UnsafePointer<tiles>

  /// The calling thread's tiles; nil where it has none, or for another type of operands.
  static func current(for dtype: DType) -> TileProducts? {
    guard dtype == .bfloat16, let table = InstructionSet.tiles else { return nil }
    return TileProducts(table: table)
  }

  /// The calling thread's tiles for a product [m, k]·[k, n] of this type; nil where they do not suit it.
  static func suiting(_ m: Int, _ n: Int, _ k: Int, _ dtype: DType) -> TileProducts? {
    suits(min(m, n, k)) ? current(for: dtype) : nil
  }

  /// Whether an extent of a product is worth its tiles.
  static func suits(_ extent: Int) -> Bool { extent >= least }

  /// One of the products that a block of y sums. It holds its operands: b is often decoded for this product alone.
  struct Term {
    fileprivate enum Right {
      case dense(Matrix)
      case nf4(NF4Tensor)
    }

    fileprivate let view: tiles_term
    private let a: Matrix
    fileprivate let b: Right

    /// a·b or, `transposed`, a·bᵀ; both bfloat16.
    init(_ a: Matrix, _ b: Matrix, transposed: Bool) {
      view = tiles_term(
        a: a.input(), dense: b.input(), nf4: nil, first_row: 0, first_column: 0, k: a.columns,
        transposed: transposed ? 1 : 0)
      self.a = a
      self.b = .dense(b)
    }

    /// The same for a window of an NF4 matrix, from a row and a column on.
    init(_ a: Matrix, _ b: NF4Tensor, row: Int, column: Int, transposed: Bool) {
      view = tiles_term(
        a: a.input(), dense: kernels_in(at: nil, stride: 0, type: a.dtype.code), nf4: nil, first_row: row,
        first_column: column, k: a.columns, transposed: transposed ? 1 : 0)
      self.a = a
      self.b = .nf4(b)
    }
  }

  /// y (+)= Σ of the terms.
  ///
  /// - Parameter y: `[rows, columns]`, float32 or bfloat16, of at most `blockRows` rows; rounded once.
  func multiply(_ y: Matrix, _ terms: [Term], accumulate: Bool = false) {
    let k = terms.reduce(0) { $0 + $1.view.k }
    let room = Tensor([tiles_room(y.rows, y.columns, k, terms.count)], .uint8)
    withUnsafeTemporaryAllocation(of: kernels_nf4.self, capacity: terms.count) { codes in
      withUnsafeTemporaryAllocation(of: tiles_term.self, capacity: terms.count) { views in
        guard let firstCodes = codes.baseAddress, let firstView = views.baseAddress else { return }
        for (index, term) in terms.enumerated() {
          var view = term.view
          if case .nf4(let weights) = term.b {
            (firstCodes + index).initialize(to: weights.kernelsView)
            view.nf4 = UnsafePointer(firstCodes + index)
          }
          (firstView + index).initialize(to: view)
        }
        withExtendedLifetime((room, terms)) {
          table.pointee.product(
            y.output(), firstView, terms.count, accumulate ? 1 : 0, y.rows, y.columns, room.pointer)
        }
      }
    }
  }

  /// The calling thread's tiles for products of so many rows in 8 bits with blocks; nil where they do not suit them.
  static func ofBlocks(rows: Int) -> TileProducts? { suits(rows) ? current(for: .bfloat16) : nil }

  /// y = x·blocks[first ..< first + count]ᵀ, the bits of the kernels' `blocks_dot`; x of at most TILES_BLOCKS_ROWS rows.
  func multiply(
    _ y: kernels_out, _ x: inout kernels_rounded, _ rows: Int, _ blocks: inout kernels_blocks, _ first: Int,
    _ count: Int
  ) {
    let room = Tensor([table.pointee.blocks_room(blocks.columns)], .uint8)
    withExtendedLifetime(room) {
      table.pointee.blocks_dot(y, &x, rows, &blocks, first, count, room.pointer)
    }
  }

  /// y[rows, count] += h·Bᵀ, h `[rows, columns]` and B `[count, columns]` of bfloat16: LoRA's part of a product of few rows.
  func add(_ y: kernels_out, _ h: kernels_in, _ b: kernels_in, rows: Int, count: Int, columns: Int) {
    var term = tiles_term(
      a: h, dense: b, nf4: nil, first_row: 0, first_column: 0, k: columns, transposed: 1)
    withUnsafeTemporaryAllocation(byteCount: tiles_room(rows, count, columns, 1), alignment: 64) { room in
      if let base = room.baseAddress { table.pointee.product(y, &term, 1, 1, rows, count, base) }
    }
  }

  /// x, or a copy with longer rows where x's lie a multiple of 2,048 bytes apart, as those of 5,120 bfloat16 numbers do: a
  /// product goes over 32 rows again and again, and such rows push each other out of the level-1 cache.
  ///
  /// - Parameter columns: the product's; few, or few rows, are not worth the copy, which has to be small as well.
  func spread(_ x: Matrix, columns: Int) -> Matrix {
    let push = x.stride * x.dtype.byteCount % 2048 == 0
    guard push, x.rows >= 128, columns >= 1024, x.byteCount <= 96 << 20 else { return x }
    let out = Tensor([x.rows, x.columns + 32], x.dtype).matrix.columns(0..<x.columns)
    CPU.shared.convert(out, x)
    return out
  }

  /// xᵀ as a matrix of its own.
  func transposed(_ x: Matrix) -> Matrix { transposed([x])[0] }

  /// Of each matrix the transpose, some rows of one a task.
  func transposed(_ matrices: [Matrix]) -> [Matrix] {
    let turned = matrices.map { x in
      // Rows some 2,048 bytes apart push each other out of the level-1 cache: see `spread`.
      let further = x.rows * x.dtype.byteCount % 2048 == 0 ? 32 : 0
      return Tensor([x.columns, x.rows + further], x.dtype).matrix.columns(0..<x.rows)
    }
    let tasks = matrices.indices.flatMap { index in
      let blocks = Split(matrices[index].rows, parts: (matrices[index].rows + 255) / 256)
      return (0..<blocks.parts).map { (index, blocks[$0]) }
    }
    Parallel.run(tasks.count) { task in
      let (index, rows) = tasks[task]
      let x = matrices[index].rows(rows)
      table.pointee.transpose(turned[index].columns(rows).output(), x.input(), x.rows, x.columns)
    }
    return turned
  }
}
