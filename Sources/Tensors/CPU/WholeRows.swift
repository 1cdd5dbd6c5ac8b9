import CKernels

/// Rows in bfloat16 as whole numbers of some 13 bits, with a scale for each block of columns: what products of few rows with NF4
/// matrices and 8-bit codes multiply. Their sums over a block are exact, which float32's are not, and take fewer instructions.
struct WholeRows {
  private let bytes: Tensor
  /// Holds as long as this does.
  let address: Address

  /// For products with NF4 matrices; nil where these do not suit x.
  static func forNF4(_ x: Matrix) -> WholeRows? {
    guard x.dtype == .bfloat16, x.columns % NF4.blockSize == 0 else { return nil }
    return WholeRows(x, block: NF4.blockSize, InstructionSet.kernels.pointee.nf4_whole_rows)
  }

  /// For products with 8-bit codes that have a scale for every `block` columns, as above.
  static func forCodes(_ x: Matrix, block: Int) -> WholeRows? {
    guard x.dtype == .bfloat16 else { return nil }
    return WholeRows(x, block: block, InstructionSet.kernels.pointee.int8_whole_rows)
  }

  private typealias Round = @convention(c) (UnsafePointer<kernels_whole>, kernels_in, Int, Int) -> Void

  private init(_ x: Matrix, block: Int, _ round: Round) {
    let count = x.rows * x.columns
    let numberBytes = count * MemoryLayout<Int16>.size
    bytes = Tensor([numberBytes + count / block * MemoryLayout<Float>.size], .uint8)
    var view = kernels_whole(
      numbers: bytes.pointer.assumingMemoryBound(to: Int16.self),
      scales: (bytes.pointer + numberBytes).assumingMemoryBound(to: Float.self))
    address = Address(view: view, columns: x.columns, block: block)
    round(&view, x.input(), x.rows, x.columns)
  }

  /// The rows as an address, for tasks.
  struct Address: @unchecked Sendable {
    fileprivate let view: kernels_whole
    fileprivate let columns: Int
    fileprivate let block: Int

    /// Rows that share the reading of a weight.
    static let group = Int(KERNELS_GEMV_ROWS)

    /// The group that begins with a row.
    func group(from row: Int) -> kernels_whole {
      kernels_whole(numbers: view.numbers + row * columns, scales: view.scales + row * (columns / block))
    }
  }
}
