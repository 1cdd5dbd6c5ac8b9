import CKernels

extension DType {
  /// The kernels' name of a floating-point type.
  var code: Int32 {
    precondition(
      self == .float32 || self == .bfloat16 || self == .float16, "\(self) is not a floating-point type")
    return Int32(rawValue)
  }
}

extension Matrix {
  /// The matrix from a row on, as kernels write it.
  package func output(from row: Int = 0) -> kernels_out {
    kernels_out(at: self.row(row), stride: stride, type: dtype.code)
  }

  /// The matrix from a row on, as kernels read it.
  package func input(from row: Int = 0) -> kernels_in {
    kernels_in(at: self.row(row), stride: stride, type: dtype.code)
  }

  /// The first element of a row.
  package func row(_ row: Int) -> UnsafeMutableRawPointer { pointer + row * stride * dtype.byteCount }
  /// The first element of a row of float32.
  package func floatRow(_ row: Int) -> UnsafeMutablePointer<Float> {
    Ops.checkFloat32(dtype)
    return self.row(row).assumingMemoryBound(to: Float.self)
  }
}

extension Tensor {
  package var floatPointer: UnsafeMutablePointer<Float> {
    Ops.checkFloat32(dtype)
    return pointer.assumingMemoryBound(to: Float.self)
  }
}

/// A matrix as an address: tasks that only compute with it count no references, which threads would contend for.
struct MatrixAddress {
  private let pointer: UnsafeMutableRawPointer
  let rows: Int
  let columns: Int
  let stride: Int
  private let code: Int32
  private let size: Int

  init(_ matrix: Matrix) {
    pointer = matrix.pointer
    rows = matrix.rows
    columns = matrix.columns
    stride = matrix.stride
    code = matrix.dtype.code
    size = matrix.dtype.byteCount
  }

  /// The matrix from a row and a column on, as kernels write it.
  func output(from row: Int, column: Int = 0) -> kernels_out {
    kernels_out(at: pointer + (row * stride + column) * size, stride: stride, type: code)
  }

  /// The matrix from a row on, as kernels read it.
  func input(from row: Int) -> kernels_in {
    kernels_in(at: pointer + row * stride * size, stride: stride, type: code)
  }
}
