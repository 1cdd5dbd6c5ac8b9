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

  package var isFloat: Bool { self == .float32 || self == .bfloat16 || self == .float16 }

  /// By what `description` says.
  package init?(name: String) {
    guard let type = DType.allCases.first(where: { $0.description == name }) else { return nil }
    self = type
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
  package let storage: Storage
  package let byteOffset: Int
  public let shape: [Int]
  public let dtype: DType

  package init(storage: Storage, byteOffset: Int, shape: [Int], dtype: DType) {
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
  package init(_ shape: [Int], _ dtype: DType, on device: any Device) {
    let count = shape.reduce(1, *)
    self.init(
      storage: Storage(byteCount: count * dtype.byteCount, on: device), byteOffset: 0, shape: shape,
      dtype: dtype)
  }

  package static func zeros(_ shape: [Int], _ dtype: DType, on device: any Device) -> Tensor {
    let tensor = Tensor(shape, dtype, on: device)
    tensor.setZero()
    return tensor
  }

  /// Overwrites every element with zero.
  public func setZero() { device.zero(self) }

  package init(_ values: [Float], _ shape: [Int], on device: any Device) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
    self.init(shape, .float32, on: device)
    values.withUnsafeBytes { device.upload($0, to: pointer) }
  }

  public var count: Int { shape.reduce(1, *) }
  public var byteCount: Int { count * dtype.byteCount }
  /// Rows of a matrix; all leading dimensions together.
  public var rows: Int { shape.dropLast().reduce(1, *) }
  /// The last dimension.
  public var columns: Int { shape.last ?? 1 }

  package var device: any Device { storage.device }
  /// What the device knows the first element by: for its operations, and for Weights, whose files are the processor's.
  package var pointer: UnsafeMutableRawPointer { storage.address + byteOffset }

  /// Calls `body` with the elements' bytes, which lie in the processor's memory. They end with the call: a tensor that nobody
  /// names is gone once its address is known, and its memory another's.
  package func withBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) rethrows -> Result
  {
    precondition(device.isHost, "bytes of a tensor on \(device.name)")
    return try withExtendedLifetime(storage) {
      try body(UnsafeMutableRawBufferPointer(start: pointer, count: byteCount))
    }
  }

  /// Calls `body` with the elements' bytes in the processor's memory: the tensor's own where that is its device's, otherwise
  /// a copy.
  package func withHostBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    if device.isHost { return try withBytes { try body(UnsafeRawBufferPointer($0)) } }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { copy.deallocate() }
    device.download(pointer, into: copy)
    return try body(UnsafeRawBufferPointer(copy))
  }

  /// Copies the bytes to the first elements' places, which lie in the processor's memory.
  package func copyBytes(_ source: UnsafeRawBufferPointer) { withBytes { $0.copyMemory(from: source) } }
  package func copyBytes(_ source: [UInt8]) { source.withUnsafeBytes(copyBytes) }

  package func hasSameBytes(as other: Tensor) -> Bool {
    withHostBytes { own in other.withHostBytes { own.elementsEqual($0) } }
  }

  /// The same elements under another shape.
  package func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "cannot reshape \(self.shape) to \(shape)")
    return Tensor(storage: storage, byteOffset: byteOffset, shape: shape, dtype: dtype)
  }

  /// Rows `range` of the first dimension, sharing storage.
  package func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
    let row = shape.dropFirst().reduce(1, *) * dtype.byteCount
    return Tensor(
      storage: storage, byteOffset: byteOffset + range.lowerBound * row,
      shape: [range.count] + shape.dropFirst(), dtype: dtype)
  }

  /// The whole as a matrix `[rows, columns]`.
  package var matrix: Matrix {
    Matrix(
      storage: storage, byteOffset: byteOffset, rows: rows, columns: columns, stride: columns, dtype: dtype)
  }

  /// The float32 elements, for tests, logs and small results.
  public var floats: [Float] {
    precondition(dtype == .float32, "floats of a \(dtype) tensor")
    return withHostBytes { Array($0.bindMemory(to: Float.self)) }
  }

  /// Σ of the float32 elements in float64, in their order.
  package var sum: Double { floats.reduce(0) { $0 + Double($1) } }

  /// Which uint8 elements are not 0, for small results.
  package var flags: [Bool] {
    precondition(dtype == .uint8, "flags of a \(dtype) tensor")
    return withHostBytes { $0.map { $0 != 0 } }
  }
}

/// A two-dimensional view with a row stride: a column range of a tensor, as products and row operations take it.
package struct Matrix: @unchecked Sendable {
  package let storage: Storage
  package let byteOffset: Int
  package let rows: Int
  package let columns: Int
  /// Elements from one row's start to the next one's.
  package let stride: Int
  package let dtype: DType

  package init(storage: Storage, byteOffset: Int, rows: Int, columns: Int, stride: Int, dtype: DType) {
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

  /// Of the elements alone.
  package var byteCount: Int { rows * columns * dtype.byteCount }
  package var device: any Device { storage.device }
  package var pointer: UnsafeMutableRawPointer { storage.address + byteOffset }

  /// Columns `range` of every row.
  package func columns(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Matrix(
      storage: storage, byteOffset: byteOffset + range.lowerBound * dtype.byteCount, rows: rows,
      columns: range.count, stride: stride, dtype: dtype)
  }

  /// Rows `range`.
  package func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Matrix(
      storage: storage, byteOffset: byteOffset + range.lowerBound * stride * dtype.byteCount,
      rows: range.count, columns: columns, stride: stride, dtype: dtype)
  }
}
