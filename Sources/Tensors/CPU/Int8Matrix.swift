import CKernels
import FireflyBase

/// A matrix of 8-bit codes with a scale per 32 of a row: for products of a few rows, where reading the weights is the
/// cost and their last bits do not show in the result.
package struct Int8Matrix: RowWeightForm {
  /// Columns that share a scale.
  package static let blockSize = 32

  /// int8 `[out, in]`, in uint8 storage.
  package let codes: Tensor
  /// bfloat16 `[out, in / 32]`
  package let scales: Tensor
  package var outputs: Int { codes.shape[0] }
  package var inputs: Int { codes.shape[1] }
  package var byteCount: Int { codes.byteCount + scales.byteCount }

  /// Rounds each weight to the nearest multiple of its block's scale, which is 1/127 of the block's largest magnitude.
  ///
  /// - Parameter w: `[out, in]` float32 or bfloat16; `in` a multiple of 32.
  package init(_ w: Tensor) {
    Ops.checkCompute(w.dtype)
    precondition(
      w.shape.count == 2 && w.columns % Int8Matrix.blockSize == 0, "8-bit codes of shape \(w.shape)")
    codes = Tensor(w.shape, .uint8)
    scales = Tensor([w.rows, w.columns / Int8Matrix.blockSize], .bfloat16)
    let (codes, scales) = (codes, scales)
    let k = InstructionSet.kernels
    CPU.split(w.rows, cost: w.columns) { rows in
      k.pointee.int8_quantize(
        codes.slice(rows).pointer.assumingMemoryBound(to: Int8.self),
        scales.slice(rows).pointer.assumingMemoryBound(to: UInt16.self), w.slice(rows).pointer, w.dtype.code,
        rows.count * scales.columns)
    }
  }
}

/// A weight as it is.
private struct WholeWeight: RowWeightForm {
  let weight: Tensor  // [out, in]
}

extension CPU {
  /// A bfloat16 weight as 8-bit codes: with a scale for every 32 weights, their rounding stays below that of the bfloat16
  /// activations that they meet. A float32 one is used as it is.
  package func prepareRows(_ weight: Tensor) -> any RowWeightForm {
    CPU.usesCodes(weight) ? Int8Matrix(weight) : WholeWeight(weight: weight)
  }

  package func rowWeightBytes(_ weight: Tensor) -> Int {
    guard CPU.usesCodes(weight) else { return weight.byteCount }
    return weight.count + weight.count / Int8Matrix.blockSize * 2
  }

  private static func usesCodes(_ weight: Tensor) -> Bool {
    weight.dtype == .bfloat16 && weight.columns % Int8Matrix.blockSize == 0
  }

  package func multiplyRows(_ y: Matrix, _ x: Matrix, _ weight: any RowWeightForm) {
    switch weight {
    case let codes as Int8Matrix: multiply(y, x, codes)
    case let whole as WholeWeight:
      let w = whole.weight
      let part = LinearPart(weight: .dense(w), outputs: w.rows, inputs: w.columns)
      linearByRow(y, x, parts: [part], low: [nil])
    default: preconditionFailure("a weight that another device prepared")
    }
  }

  /// y = x·Wᵀ; a row's result does not depend on the other rows. Rows of bfloat16 are multiplied as whole numbers.
  ///
  /// - Parameters:
  ///   - y: `[T, out]` float32
  ///   - x: `[T, in]` float32 or bfloat16
  package func multiply(_ y: Matrix, _ x: Matrix, _ w: Int8Matrix) {
    let k = InstructionSet.kernels
    let codes = w.codes.pointer.assumingMemoryBound(to: Int8.self)
    let scales = w.scales.pointer.assumingMemoryBound(to: UInt16.self)
    let (outputs, inputs, rowScales) = (w.outputs, w.inputs, w.scales.columns)
    let (input, output) = (MatrixAddress(x), MatrixAddress(y))
    let shares = CPU.rowShares(outputs: outputs, inputs: inputs)
    let whole = WholeRows.forCodes(x, block: Int8Matrix.blockSize)
    let numbers = whole?.address
    Parallel.run(shares.parts) { task in
      let (start, count) = (shares[task].lowerBound, shares[task].count)
      let (codes, scales) = (codes + start * inputs, scales + start * rowScales)
      for first in stride(from: 0, to: input.rows, by: Int(KERNELS_GEMV_ROWS)) {
        let rows = min(Int(KERNELS_GEMV_ROWS), input.rows - first)
        let out = output.output(from: first, column: start)
        if var own = numbers?.group(from: first) {
          k.pointee.int8_dot(out, &own, rows, codes, scales, count, inputs)
        } else {
          k.pointee.int8_gemv(out, input.input(from: first), rows, codes, scales, count, inputs)
        }
      }
    }
    withExtendedLifetime((y, x, w, whole)) {}
  }
}
