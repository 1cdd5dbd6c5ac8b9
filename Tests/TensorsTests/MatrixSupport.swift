import FireflyBase
import FireflyTensors
import FireflyTestSupport
import Testing

extension TestRandom {
  /// Uniform values below `scale` in a matrix whose rows lie `margin` elements apart; the margins hold NaN.
  mutating func matrix(
    _ shape: (rows: Int, columns: Int), _ dtype: DType, margin: Int = 0, scale: Float = 1
  ) -> Matrix {
    let stride = shape.columns + margin
    let whole = Tensor([max(shape.rows, 1), stride], dtype)
    for row in 0..<whole.shape[0] {
      for column in 0..<stride {
        whole.set(row * stride + column, column < shape.columns ? float() * scale : .nan)
      }
    }
    return whole.matrix.rows(0..<shape.rows).columns(0..<shape.columns)
  }

  /// Uniform values.
  mutating func tensor(_ shape: [Int], _ dtype: DType) -> Tensor {
    let tensor = Tensor(shape, dtype)
    for index in 0..<tensor.count { tensor.set(index, float()) }
    return tensor
  }
}

extension Tensor {
  /// Stores one element; bfloat16 by rounding to nearest even.
  func set(_ index: Int, _ value: Float) {
    switch dtype {
    case .float32: pointer.assumingMemoryBound(to: Float.self)[index] = value
    case .bfloat16:
      let bits = value.bitPattern
      let rounded =
        value.isNaN ? 0x7fc0 : UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
      pointer.assumingMemoryBound(to: UInt16.self)[index] = rounded
    default: preconditionFailure("set of \(dtype)")
    }
  }
}

extension Matrix {
  /// Stores one element; bfloat16 by rounding to nearest even.
  func set(_ row: Int, _ column: Int, _ value: Float) {
    let offset = byteOffset + (row * stride + column) * dtype.byteCount
    Tensor(storage: storage, byteOffset: offset, shape: [1], dtype: dtype).set(0, value)
  }

  /// Every element, row by row.
  var doubles: [Double] {
    var values: [Double] = []
    values.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { values.append(Double(self[row, column])) }
    }
    return values
  }

  subscript(row: Int, column: Int) -> Float {
    let index = row * stride + column
    switch dtype {
    case .float32: return pointer.assumingMemoryBound(to: Float.self)[index]
    case .bfloat16:
      return Float(bitPattern: UInt32(pointer.assumingMemoryBound(to: UInt16.self)[index]) << 16)
    default: preconditionFailure("element of \(dtype)")
    }
  }
}

/// Runs `body` with the pool at `threads` threads, then puts it back.
func withThreads(_ threads: Int, _ body: () -> Void) {
  let before = Parallel.threads
  Parallel.threads = threads
  body()
  Parallel.threads = before
}
