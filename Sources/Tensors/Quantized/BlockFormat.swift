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

  /// x in whole blocks of Q4_0 or Q8_0, as ggml's reference quantiser makes them.
  ///
  /// - Parameter x: float32, finite, a multiple of 32 elements.
  /// - Returns: uint8 [bytes].
  package func encode(_ x: Tensor) -> Tensor {
    precondition(self == .q4_0 || self == .q8_0, "encoding to \(self)")
    Ops.checkFloat32(x.dtype)
    precondition(x.count % elements == 0, "\(x.count) elements in blocks of \(elements)")
    let blocks = x.count / elements
    let out = Tensor([blocks * bytes], .uint8)
    Ledger.measure(.elementwise) {
      CPU.split(blocks, cost: 8 * elements) { range in
        kernels_encode_blocks(
          rawValue, out.pointer.assumingMemoryBound(to: UInt8.self) + range.lowerBound * bytes,
          x.floatPointer + range.lowerBound * elements, range.count)
      }
    }
    return out
  }
}
