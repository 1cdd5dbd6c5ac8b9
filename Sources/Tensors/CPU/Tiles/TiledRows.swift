import CKernels
import CTiles
import FireflyBase

/// Rows of x as tiles read them where reading the weights is the cost, in groups that share it: for dense matrices.
struct TiledRows {
  private let bytes: Tensor
  /// Holds as long as this does.
  let address: Address

  /// Rows that share the reading of a weight.
  static let group = Int(TILES_FEW_ROWS)

  /// For products with dense matrices of bfloat16; nil where the calling thread has no tiles, or they do not suit x.
  static func forDense(_ x: Matrix) -> TiledRows? {
    TileProducts.current(for: x.dtype).map { TiledRows(x, $0) }
  }

  private init(_ x: Matrix, _ tiles: TileProducts) {
    let table = tiles.table
    let groups = (x.rows + TiledRows.group - 1) / TiledRows.group
    let groupBytes = tiles_packed(min(x.rows, TiledRows.group), x.columns).roundedUp(to: 64)
    bytes = Tensor([groups * groupBytes], .uint8)
    address = Address(
      table: table, packed: bytes.pointer, groupBytes: groupBytes, roomBytes: table.pointee.dense_room())
    for group in 0..<groups {
      let first = group * TiledRows.group
      table.pointee.dense_pack(
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

    /// The group that begins with a row.
    private func group(of row: Int) -> UnsafeMutableRawPointer { packed + row / TiledRows.group * groupBytes }

    /// y = x[rows]·wᵀ of so many rows of w, float32; the rows of x are a group.
    func multiply(
      _ y: kernels_out, _ rows: Range<Int>, _ weights: kernels_in, _ count: Int, columns: Int,
      _ room: UnsafeMutableRawPointer
    ) {
      table.pointee.dense_dot(y, group(of: rows.lowerBound), rows.count, weights, count, columns, room)
    }
  }
}
