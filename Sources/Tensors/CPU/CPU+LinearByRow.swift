import CKernels
import CTiles
import FireflyBase

extension CPU {
  /// `linear` where reading the weights is the cost: rows go in groups of eight, on tiles in groups of sixteen; each weight is
  /// read once a group, and a row's result does not depend on its group. NF4 matrices are multiplied as whole numbers where x is
  /// bfloat16.
  ///
  /// The frozen and the thin product of a part meet in float32, so y is rounded once.
  /// - Parameter roundsRows: a GGUF file's blocks may be multiplied with bfloat16 rows rounded to 8 bits.
  func linearByRow(
    _ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], roundsRows: Bool = false
  ) {
    let k = InstructionSet.kernels
    let rounds = roundsRows && x.dtype == .bfloat16 && parts.contains { $0.weight.isBlocks }
    let rounded = rounds ? RoundedRows(x) : nil
    let tiles = rounds ? TileProducts.ofBlocks(rows: x.rows) : nil
    let whole = parts.contains { $0.weight.isNF4 } ? WholeRows.forNF4(x) : nil
    let dense = parts.contains { $0.weight.isDense } ? TiledRows.forDense(x) : nil
    let (input, output) = (MatrixAddress(x), MatrixAddress(y))
    let shares = CPU.rowShares(outputs: y.columns, inputs: x.columns)
    withUnsafeTemporaryAllocation(of: PartAddress.self, capacity: parts.count) { addresses in
      var first = 0
      for index in parts.indices {
        addresses[index] = PartAddress(
          parts[index], low[index], rounded, tiles, whole?.address, dense?.address, first: first)
        first += parts[index].outputs
      }
      let addresses = UnsafeBufferPointer(addresses)
      Parallel.run(shares.parts) { task in
        let share = shares[task]
        for part in addresses where part.outputs.overlaps(share) {
          part.multiply(output, input, part.outputs.clamped(to: share), k)
        }
      }
    }
    withExtendedLifetime((y, x, parts, low, rounded, whole, dense)) {}
  }
}

/// One part of `linearByRow` as addresses.
private struct PartAddress {
  private enum Weight {
    case dense(MatrixAddress)
    case denseOnTiles(MatrixAddress, TiledRows.Address)
    case nf4(kernels_nf4)
    case nf4Whole(kernels_nf4, WholeRows.Address)
    case blocks(kernels_blocks)
    /// The rows of x in 8 bits, and from one to the next: groups of 256 columns.
    case rounded(kernels_blocks, kernels_rounded, groups: Int, TileProducts?)
  }

  private let weight: Weight
  /// h `[T, r]` and B `[outputs, r]`, and what tiles multiply them.
  private let thin: (h: MatrixAddress, b: MatrixAddress, tiles: TileProducts?)?
  /// The part's columns of y.
  let outputs: Range<Int>

  init(
    _ part: LinearPart, _ h: Matrix?, _ rounded: RoundedRows?, _ tiles: TileProducts?,
    _ whole: WholeRows.Address?, _ dense: TiledRows.Address?, first: Int
  ) {
    switch part.weight {
    case .dense(let tensor):
      let matrix = MatrixAddress(tensor.matrix)
      weight = dense.map { .denseOnTiles(matrix, $0) } ?? .dense(matrix)
    case .nf4(let tensor):
      let view = tensor.kernelsView
      weight = whole.map { .nf4Whole(view, $0) } ?? .nf4(view)
    case .blocks(let tensor):
      let view = tensor.kernelsView
      weight =
        rounded.map { .rounded(view, $0.view, groups: kernels_groups(view.columns), tiles) } ?? .blocks(view)
    }
    if let h, let b = part.adapterB {
      thin = (
        MatrixAddress(h), MatrixAddress(b.matrix),
        part.weight.isBlocks ? nil : TileProducts.current(for: h.dtype)
      )
    } else {
      thin = nil
    }
    outputs = first..<first + part.outputs
  }

  /// Outputs whose sums are held before they are rounded.
  private static let width = 256

  /// Rows that share the reading of a weight.
  private var group: Int {
    switch weight {
    case .denseOnTiles: TiledRows.group
    case .rounded(_, _, _, _?): Int(TILES_BLOCKS_ROWS)
    case .nf4Whole: WholeRows.Address.group
    default: Int(KERNELS_GEMV_ROWS)
    }
  }

  /// Bytes of what tiles compute with.
  private var roomBytes: Int? {
    if case .denseOnTiles(_, let tiled) = weight { tiled.roomBytes } else { nil }
  }

  /// y[:, columns] = x·Wᵀ + h·Bᵀ
  func multiply(_ y: MatrixAddress, _ x: MatrixAddress, _ columns: Range<Int>, _ k: InstructionSet.Table) {
    let sumsBytes = group * PartAddress.width * MemoryLayout<Float>.size
    // Tiles' room alone needs the alignment, which takes longer to allocate.
    let (room, alignment) = roomBytes.map { ($0, 64) } ?? (0, MemoryLayout<Float>.alignment)
    withUnsafeTemporaryAllocation(byteCount: sumsBytes + room, alignment: alignment) { memory in
      guard let base = memory.baseAddress else { return }
      let sums = Sums(
        base: base.bindMemory(to: Float.self, capacity: group * PartAddress.width), stride: PartAddress.width,
        room: base + sumsBytes)
      for column in stride(from: columns.lowerBound, to: columns.upperBound, by: PartAddress.width) {
        let count = min(PartAddress.width, columns.upperBound - column)
        for first in stride(from: 0, to: x.rows, by: group) {
          let rows = first..<min(first + group, x.rows)
          addProducts(sums, x, rows, column - outputs.lowerBound, count, k)
          k.pointee.convert(y.output(from: first, column: column), sums.input, rows.count, count)
        }
      }
    }
  }

  /// A block of sums, float32 and of few rows, as kernels write and read it.
  private struct Sums {
    let base: UnsafeMutablePointer<Float>
    let stride: Int
    /// What tiles compute with.
    let room: UnsafeMutableRawPointer

    func output(from row: Int = 0) -> kernels_out {
      kernels_out(at: base + row * stride, stride: stride, type: DType.float32.code)
    }
    var input: kernels_in { kernels_in(at: base, stride: stride, type: DType.float32.code) }
  }

  /// sums[rows, count] = x[rows]·W[first ..< first + count]ᵀ + h[rows]·B[first ..< first + count]ᵀ
  private func addProducts(
    _ sums: Sums, _ x: MatrixAddress, _ rows: Range<Int>, _ first: Int, _ count: Int,
    _ k: InstructionSet.Table
  ) {
    if case .rounded(var view, let all, let groups, let tiles?) = weight, TileProducts.suits(rows.count) {
      var own = all.rows(from: rows.lowerBound, groups: groups)
      tiles.multiply(sums.output(), &own, rows.count, &view, first, count)
      return addThin(sums, rows, first, count, k)
    }
    let (row, m, out) = (rows.lowerBound, rows.count, sums.output())
    switch weight {
    case .dense(let w):
      k.pointee.dense_gemv(out, x.input(from: row), m, w.input(from: first), count, w.columns, 0)
    case .denseOnTiles(let w, let tiled):
      tiled.multiply(out, rows, w.input(from: first), count, columns: w.columns, sums.room)
    case .nf4(var view):
      k.pointee.nf4_gemv(out, x.input(from: row), m, &view, first, count)
    case .nf4Whole(var view, let whole):
      var own = whole.group(from: row)
      k.pointee.nf4_dot(out, &own, m, &view, first, count)
    case .blocks(var view):
      k.pointee.blocks_gemv(out, x.input(from: row), m, &view, first, count)
    case .rounded(var view, let all, let groups, _):
      var own = all.rows(from: row, groups: groups)
      k.pointee.blocks_dot(out, &own, m, &view, first, count)
    }
    addThin(sums, rows, first, count, k)
  }

  /// sums[rows, count] += h[rows]·B[first ..< first + count]ᵀ
  private func addThin(
    _ sums: Sums, _ rows: Range<Int>, _ first: Int, _ count: Int, _ k: InstructionSet.Table
  ) {
    guard let (h, b, tiles) = thin else { return }
    if let tiles {
      let (own, part) = (h.input(from: rows.lowerBound), b.input(from: first))
      return tiles.add(sums.output(), own, part, rows: rows.count, count: count, columns: b.columns)
    }
    for start in stride(from: 0, to: rows.count, by: Int(KERNELS_GEMV_ROWS)) {
      let m = min(Int(KERNELS_GEMV_ROWS), rows.count - start)
      k.pointee.dense_gemv(
        sums.output(from: start), h.input(from: rows.lowerBound + start), m, b.input(from: first), count,
        b.columns, 1)
    }
  }
}

extension kernels_rounded {
  /// From a row on, of so many groups each.
  fileprivate func rows(from row: Int, groups: Int) -> kernels_rounded {
    kernels_rounded(
      codes: codes + row * groups * 256, scales: scales + row * groups * 8, sums: sums + row * groups * 16)
  }
}

extension LinearWeight {
  fileprivate var isBlocks: Bool {
    if case .blocks = self { true } else { false }
  }

  fileprivate var isDense: Bool {
    if case .dense = self { true } else { false }
  }

  fileprivate var isNF4: Bool {
    if case .nf4 = self { true } else { false }
  }
}
