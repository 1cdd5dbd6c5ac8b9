/// A matrix as an address: tasks that only compute with it count no references, which threads would contend for.
struct MatrixAddress {
  let pointer: UnsafeMutableRawPointer
  let rows: Int
  let columns: Int
  let stride: Int
  let code: Int32
  private let size: Int

  init(_ matrix: Matrix) {
    pointer = matrix.pointer
    rows = matrix.rows
    columns = matrix.columns
    stride = matrix.stride
    code = matrix.dtype.code
    size = matrix.dtype.byteCount
  }

  func row(_ row: Int, column: Int = 0) -> UnsafeMutableRawPointer {
    pointer + (row * stride + column) * size
  }
}
