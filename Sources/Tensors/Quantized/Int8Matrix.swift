import CKernels
import FireflyBase

/// A matrix of 8-bit codes with a scale per 32 of a row: for products of a few rows, where reading the weights is the
/// cost and their last bits do not show in the result.
public struct Int8Matrix: Sendable {
  /// Columns that share a scale.
  public static let blockSize = 32

  /// int8 `[out, in]`, in uint8 storage.
  package let codes: Tensor
  /// bfloat16 `[out, in / 32]`
  package let scales: Tensor
  public var outputs: Int { codes.shape[0] }
  public var inputs: Int { codes.shape[1] }
  public var byteCount: Int { codes.byteCount + scales.byteCount }

  /// Rounds each weight to the nearest multiple of its block's scale, which is 1/127 of the block's largest magnitude.
  ///
  /// - Parameter w: `[out, in]` float32 or bfloat16; `in` a multiple of 32.
  public init(_ w: Tensor) {
    Ops.checkCompute(w.dtype)
    precondition(
      w.shape.count == 2 && w.columns % Int8Matrix.blockSize == 0, "8-bit codes of shape \(w.shape)")
    codes = Tensor(w.shape, .uint8)
    scales = Tensor([w.rows, w.columns / Int8Matrix.blockSize], .bfloat16)
    let (codes, scales) = (codes, scales)
    let k = Ops.kernels
    Ops.split(w.rows, cost: w.columns) { rows in
      k.pointee.int8_quantize(
        codes.slice(rows).pointer.assumingMemoryBound(to: Int8.self),
        scales.slice(rows).pointer.assumingMemoryBound(to: UInt16.self), w.slice(rows).pointer, w.dtype.code,
        rows.count * scales.columns)
    }
  }
}

extension Ops {
  /// y = x·Wᵀ; a row's result does not depend on the other rows.
  ///
  /// - Parameters:
  ///   - y: `[T, out]` float32
  ///   - x: `[T, in]` float32 or bfloat16
  public static func multiply(_ y: Matrix, _ x: Matrix, _ w: Int8Matrix) {
    checkFloat32(y.dtype)
    checkCompute(x.dtype)
    precondition(
      y.rows == x.rows && y.columns == w.outputs && x.columns == w.inputs,
      "[\(y.rows), \(y.columns)] from [\(x.rows), \(x.columns)] and 8-bit [\(w.outputs), \(w.inputs)]")
    let k = kernels
    let codes = w.codes.pointer.assumingMemoryBound(to: Int8.self)
    let scales = w.scales.pointer.assumingMemoryBound(to: UInt16.self)
    let (outputs, inputs, rowScales) = (w.outputs, w.inputs, w.scales.columns)
    let (input, output) = (MatrixAddress(x), MatrixAddress(y))
    let tasks = rowTasks(outputs: outputs, inputs: inputs)
    Ledger.measure(.matrices, flop: 2 * Double(x.rows) * Double(outputs) * Double(inputs)) {
      Parallel.run(tasks) { task in
        let start = outputs * task / tasks
        let count = outputs * (task + 1) / tasks - start
        for first in stride(from: 0, to: input.rows, by: Int(KERNELS_GEMV_ROWS)) {
          k.pointee.int8_gemv(
            output.row(first, column: start).assumingMemoryBound(to: Float.self), output.stride,
            input.row(first), input.stride, input.code, min(Int(KERNELS_GEMV_ROWS), input.rows - first),
            codes + start * inputs, scales + start * rowScales, count, inputs)
        }
      }
    }
    withExtendedLifetime((y, x, w)) {}
  }
}
