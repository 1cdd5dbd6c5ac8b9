import CKernels

// Blocks come from files and go to files: they are decoded and encoded on the processor.
extension BlockFormat {
  /// Blocks decoded at a time: a float32 copy of all would be twice as large as the result in float16.
  private static let blocksAtOnce = 1024

  /// out float32, bfloat16 or float16 = the elements of whole blocks, in their order.
  package func decode(_ bytes: UnsafeRawBufferPointer, into out: Tensor) {
    let blocks = out.count / elements
    precondition(
      out.count % elements == 0 && bytes.count == blocks * self.bytes,
      "\(out.count) elements from \(bytes.count) bytes of \(self)")
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let k = InstructionSet.kernels
    Ledger.measure(.elementwise) {
      CPU.split(blocks, cost: 4 * elements) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: BlockFormat.blocksAtOnce) {
          let slice = start..<min(start + BlockFormat.blocksAtOnce, range.upperBound)
          let part = out.reshaped([blocks, elements]).slice(slice)
          let decoded = out.dtype == .float16 ? Tensor(part.shape, .float32) : part
          var row = kernels_blocks(
            at: base + start * self.bytes, columns: part.count, turning: 0, format: rawValue)
          k.pointee.blocks_decode(
            kernels_out(at: decoded.pointer, stride: part.count, type: decoded.dtype.code), &row, 0, 0, 1,
            part.count)
          if out.dtype == .float16 { CPU.shared.convert(part.matrix, decoded.matrix) }
        }
      }
    }
  }

  /// The same from blocks in a tensor's bytes.
  package func decode(_ blocks: Tensor, into out: Tensor) { blocks.withHostBytes { decode($0, into: out) } }

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
