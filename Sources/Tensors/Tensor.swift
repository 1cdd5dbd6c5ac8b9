import FireflyBase
import Foundation

/// What an element is.
public enum DType: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  case float32, bfloat16, float16, uint8, int32

  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .bfloat16, .float16: 2
    case .uint8: 1
    }
  }

  public var description: String {
    switch self {
    case .float32: "float32"
    case .bfloat16: "bfloat16"
    case .float16: "float16"
    case .uint8: "uint8"
    case .int32: "int32"
    }
  }
}

/// A contiguous row-major array: a value over shared storage. Copies share bytes.
public struct Tensor: @unchecked Sendable {
  public let storage: Storage
  public let byteOffset: Int
  public let shape: [Int]
  public let dtype: DType

  public init(storage: Storage, byteOffset: Int, shape: [Int], dtype: DType) {
    let count = shape.reduce(1, *)
    precondition(
      byteOffset >= 0 && byteOffset + count * dtype.byteCount <= storage.byteCount,
      "shape \(shape) of \(dtype) at \(byteOffset) does not fit \(storage.byteCount) bytes")
    self.storage = storage
    self.byteOffset = byteOffset
    self.shape = shape
    self.dtype = dtype
  }

  /// Uninitialised.
  public init(_ shape: [Int], _ dtype: DType) {
    let count = shape.reduce(1, *)
    self.init(
      storage: Storage(byteCount: count * dtype.byteCount), byteOffset: 0, shape: shape, dtype: dtype)
  }

  public static func zeros(_ shape: [Int], _ dtype: DType) -> Tensor {
    let tensor = Tensor(shape, dtype)
    memset(tensor.pointer, 0, tensor.byteCount)
    return tensor
  }

  /// Overwrites every element with zero.
  public func setZero() { memset(pointer, 0, byteCount) }

  /// From float32 values, for tests and small tables.
  public init(_ values: [Float], _ shape: [Int]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
    self.init(shape, .float32)
    values.withUnsafeBytes { if let base = $0.baseAddress { memcpy(pointer, base, $0.count) } }
  }

  public var count: Int { shape.reduce(1, *) }
  public var byteCount: Int { count * dtype.byteCount }
  /// Rows of a matrix; all leading dimensions together.
  public var rows: Int { shape.dropLast().reduce(1, *) }
  /// The last dimension.
  public var columns: Int { shape.last ?? 1 }

  /// For Tensors and Weights only: the layers above use `Ops`.
  package var pointer: UnsafeMutableRawPointer { storage.pointer + byteOffset }
  package var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: pointer, count: byteCount)
  }

  /// The same elements under another shape.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "cannot reshape \(self.shape) to \(shape)")
    return Tensor(storage: storage, byteOffset: byteOffset, shape: shape, dtype: dtype)
  }

  /// Rows `range` of the first dimension, sharing storage.
  public func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
    let row = shape.dropFirst().reduce(1, *) * dtype.byteCount
    return Tensor(
      storage: storage, byteOffset: byteOffset + range.lowerBound * row,
      shape: [range.count] + shape.dropFirst(), dtype: dtype)
  }

  /// The whole as a matrix `[rows, columns]`.
  public var matrix: Matrix {
    Matrix(
      storage: storage, byteOffset: byteOffset, rows: rows, columns: columns, stride: columns, dtype: dtype)
  }

  /// The float32 elements, for tests, logs and small results.
  public var floats: [Float] {
    precondition(dtype == .float32, "floats of a \(dtype) tensor")
    return Array(UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Float.self), count: count))
  }
}

/// A two-dimensional view with a row stride: a column range of a tensor, as products and row operations take it.
public struct Matrix: @unchecked Sendable {
  public let storage: Storage
  public let byteOffset: Int
  public let rows: Int
  public let columns: Int
  /// Elements from one row's start to the next one's.
  public let stride: Int
  public let dtype: DType

  public init(storage: Storage, byteOffset: Int, rows: Int, columns: Int, stride: Int, dtype: DType) {
    precondition(columns <= stride || rows <= 1, "\(columns) columns in a stride of \(stride)")
    let last = rows == 0 ? 0 : (rows - 1) * stride + columns
    precondition(
      byteOffset >= 0 && byteOffset + last * dtype.byteCount <= storage.byteCount,
      "matrix [\(rows), \(columns)] at \(byteOffset) does not fit \(storage.byteCount) bytes")
    self.storage = storage
    self.byteOffset = byteOffset
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.dtype = dtype
  }

  package var pointer: UnsafeMutableRawPointer { storage.pointer + byteOffset }

  /// Columns `range` of every row.
  public func columns(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Matrix(
      storage: storage, byteOffset: byteOffset + range.lowerBound * dtype.byteCount, rows: rows,
      columns: range.count, stride: stride, dtype: dtype)
  }

  /// Rows `range`.
  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Matrix(
      storage: storage, byteOffset: byteOffset + range.lowerBound * stride * dtype.byteCount,
      rows: range.count, columns: columns, stride: stride, dtype: dtype)
  }
}
