import CKernels
import CTiles
import FireflyBase

/// Rows of x as tiles read them where reading the weights is the cost, in groups that share it: for NF4 matrices whose rows are
/// whole blocks, for dense ones, and for 8-bit codes.
struct TiledRows {
  private let bytes: Tensor
  /// Holds as long as this does.
  let address: Address

  /// Rows that share the reading of a weight.
  static let group = Int(TILES_FEW_ROWS)

  /// For products with NF4 matrices; nil where the calling thread has no tiles, or they do not suit x.
  static func forNF4(_ x: Matrix) -> TiledRows? {
    guard x.columns % NF4.blockSize == 0, let tiles = TileProducts.current(for: x.dtype) else { return nil }
    return TiledRows(
      x, tiles, room: tiles.table.pointee.nf4_room(x.columns), pack: tiles.table.pointee.nf4_pack)
  }

  /// For products with dense matrices of bfloat16, as above.
  static func forDense(_ x: Matrix) -> TiledRows? {
    guard let tiles = TileProducts.current(for: x.dtype) else { return nil }
    return TiledRows(x, tiles, room: tiles.table.pointee.dense_room(), pack: tiles.table.pointee.dense_pack)
  }

  /// For products with an `Int8Matrix`, as above.
  static func forCodes(_ x: Matrix) -> TiledRows? {
    guard let tiles = TileProducts.current(for: x.dtype) else { return nil }
    return TiledRows(
      x, tiles, room: tiles.table.pointee.int8_room(x.columns), pack: tiles.table.pointee.int8_pack)
  }

  private typealias Pack = @convention(c) (UnsafeMutableRawPointer, kernels_in, Int, Int) -> Void

  private init(_ x: Matrix, _ tiles: TileProducts, room: Int, pack: Pack) {
    let groups = (x.rows + TiledRows.group - 1) / TiledRows.group
    let groupBytes = tiles_packed(min(x.rows, TiledRows.group), x.columns).roundedUp(to: 64)
    bytes = Tensor([groups * groupBytes], .uint8)
    address = Address(table: tiles.table, packed: bytes.pointer, groupBytes: groupBytes, roomBytes: room)
    for group in 0..<groups {
      let first = group * TiledRows.group
      pack(
        bytes.pointer + group * groupBytes, x.input(from: first), min(TiledRows.group, x.rows - first),
        x.columns)
    }
  }

  /// The rows as an address, for tasks.
  struct Address: @unchecked Sendable {
    fileprivate let table: UnsafePointer<tiles>
    fileprivate let packed: UnsafeMutableRawPointer
    fileprivate let groupBytes: Int
    /// Of the memory, 64-byte aligned, that a task's products share.
    let roomBytes: Int

    /// Runs `body` with such memory.
    func withRoom(_ body: (UnsafeMutableRawPointer) -> Void) {
      withUnsafeTemporaryAllocation(byteCount: roomBytes, alignment: 64) { room in
        if let base = room.baseAddress { body(base) }
      }
    }

    /// The group that begins with a row.
    private func group(of row: Int) -> UnsafeMutableRawPointer { packed + row / TiledRows.group * groupBytes }

    /// y = x[rows]·W[first ..< first + count]ᵀ, float32; the rows are a group.
    func multiply(
      _ y: kernels_out, _ rows: Range<Int>, _ weights: inout kernels_nf4, _ first: Int, _ count: Int,
      _ room: UnsafeMutableRawPointer
    ) {
      table.pointee.nf4_dot(y, group(of: rows.lowerBound), rows.count, &weights, first, count, room)
    }

    /// The same with so many dense rows.
    func multiply(
      _ y: kernels_out, _ rows: Range<Int>, _ weights: kernels_in, _ count: Int, columns: Int,
      _ room: UnsafeMutableRawPointer
    ) {
      table.pointee.dense_dot(y, group(of: rows.lowerBound), rows.count, weights, count, columns, room)
    }

    /// The same with so many rows of codes and their scales.
    func multiply(
      _ y: kernels_out, _ rows: Range<Int>, _ codes: UnsafePointer<Int8>, _ scales: UnsafePointer<UInt16>,
      _ count: Int, columns: Int, _ room: UnsafeMutableRawPointer
    ) {
      table.pointee.int8_dot(
        y, group(of: rows.lowerBound), rows.count, codes, scales, count, columns, room)
    }

    /// y[rows, count] += h·Bᵀ, h `[rows, columns]` and B `[count, columns]` of bfloat16: LoRA's part of the same rows.
    func add(_ y: kernels_out, _ h: kernels_in, _ b: kernels_in, rows: Int, count: Int, columns: Int) {
      var term = tiles_term(
        a: h, dense: b, nf4: nil, first_row: 0, first_column: 0, k: columns, transposed: 1)
      withUnsafeTemporaryAllocation(byteCount: tiles_room(rows, count, columns, 1), alignment: 64) { room in
        if let base = room.baseAddress { table.pointee.product(y, &term, 1, 1, rows, count, base) }
      }
    }
  }
}
