import CKernels

/// A quantised format of GGUF files; ggml's names. The raw value is the kernels' number.
package enum BlockFormat: Int32, CaseIterable, Sendable {
  case q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q5_K, q6_K

  /// Elements of a block.
  package var elements: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
    case .q4_K, .q5_K, .q6_K: 256
    }
  }

  /// Bytes of a block.
  package var bytes: Int {
    switch self {
    case .q4_0: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q4_K: 144
    case .q5_K: 176
    case .q6_K: 210
    }
  }
}

// Blocks come from files and go to files: they are decoded and encoded on the processor.
extension BlockFormat {
  /// Blocks decoded at a time: a float32 copy of all would be twice as large as the result in bfloat16.
  private static let blocksAtOnce = 1024

  /// out float32, bfloat16 or float16 = the elements of whole blocks, in their order.
  package func decode(_ bytes: UnsafeRawBufferPointer, into out: Tensor) {
    let blocks = out.count / elements
    precondition(
      out.count % elements == 0 && bytes.count == blocks * self.bytes,
      "\(out.count) elements from \(bytes.count) bytes of \(self)")
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    Ledger.measure(.elementwise) {
      CPU.split(blocks, cost: 4 * elements) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: BlockFormat.blocksAtOnce) {
          let slice = start..<min(start + BlockFormat.blocksAtOnce, range.upperBound)
          let part = out.reshaped([blocks, elements]).slice(slice)
          let decoded = out.dtype == .float32 ? part : Tensor(part.shape, .float32)
          kernels_decode_blocks(rawValue, decoded.floatPointer, base + start * self.bytes, slice.count)
          if out.dtype != .float32 { CPU.shared.convert(part.matrix, decoded.matrix) }
        }
      }
    }
  }

  /// x in whole blocks, as llama.cpp's quantisers make them: the same bytes.
  ///
  /// - Parameters:
  ///   - x: float32, bfloat16 or float16 [rows, columns], finite; columns are whole blocks. A float32 copy is made of a few
  ///     rows at a time.
  ///   - importance: float32 [columns], what an error in a column weighs; nil: by the weights alone.
  /// - Returns: uint8 [bytes].
  package func encode(_ x: Tensor, importance: Tensor? = nil) -> Tensor {
    let (rows, columns) = (x.rows, x.columns)
    precondition(columns % elements == 0, "rows of \(columns) elements in blocks of \(elements)")
    precondition(importance.map { $0.dtype == .float32 && $0.count == columns } ?? true, "importance")
    let rowBytes = columns / elements * bytes
    let out = Tensor([rows * rowBytes], .uint8)
    let atOnce = max(1, BlockFormat.blocksAtOnce * elements / columns)
    Ledger.measure(.elementwise) {
      CPU.split(rows, cost: 200 * columns) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: atOnce) {
          let slice = start..<min(start + atOnce, range.upperBound)
          let part = x.reshaped([rows, columns]).slice(slice)
          let plain = x.dtype == .float32 ? part : Tensor(part.shape, .float32)
          if x.dtype != .float32 { CPU.shared.convert(plain.matrix, part.matrix) }
          kernels_encode_blocks(
            rawValue, out.pointer.assumingMemoryBound(to: UInt8.self) + start * rowBytes, plain.floatPointer,
            importance?.floatPointer, slice.count, columns)
        }
      }
    }
    return out
  }
}
