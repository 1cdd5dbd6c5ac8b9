import CKernels

/// A quantised format of GGUF files; ggml's names. The raw value is the kernels' number.
package enum BlockFormat: Int32, CaseIterable, Sendable {
  case q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q5_K, q6_K, q2_K, q3_K, iq4_NL, iq4_XS, mxfp4

  /// Elements of a block.
  package var elements: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_NL, .mxfp4: 32
    case .q4_K, .q5_K, .q6_K, .q2_K, .q3_K, .iq4_XS: 256
    }
  }

  /// Bytes of a block.
  package var bytes: Int {
    switch self {
    case .q4_0, .iq4_NL: 18
    case .mxfp4: 17
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q4_K: 144
    case .q5_K: 176
    case .q6_K: 210
    case .q2_K: 84
    case .q3_K: 110
    case .iq4_XS: 136
    }
  }
}

/// A weight matrix of a GGUF file as the file has it: rows of whole quantised blocks.
package struct BlockTensor: Sendable {
  /// One reference, so that handing a matrix on counts once.
  private final class Contents: @unchecked Sendable {
    let bytes: Tensor
    let format: BlockFormat
    let shape: [Int]
    /// The matrix as addresses of its device, made once: a product by few rows is short.
    let kernelsView: kernels_blocks

    init(bytes: Tensor, format: BlockFormat, shape: [Int], turning: Int) {
      self.bytes = bytes
      self.format = format
      self.shape = shape
      kernelsView = kernels_blocks(
        at: bytes.pointer.assumingMemoryBound(to: UInt8.self), columns: shape[1], turning: turning,
        format: format.rawValue)
    }
  }

  private let contents: Contents

  /// uint8 [out·in / elements · bytes]
  package var bytes: Tensor { contents.bytes }
  package var format: BlockFormat { contents.format }
  /// [out, in]
  package var shape: [Int] { contents.shape }
  package var outputs: Int { shape[0] }
  package var inputs: Int { shape[1] }
  package var byteCount: Int { bytes.byteCount }
  /// Holds as long as the matrix lives.
  var kernelsView: kernels_blocks { contents.kernelsView }

  /// - Parameters:
  ///   - bytes: uint8, the blocks row by row, of any alignment.
  ///   - shape: [out, in]; `in` whole blocks.
  ///   - turning: rows of a head whose rows lie in llama.cpp's order, pairs that turn together side by side: they are read
  ///     half a head apart, as transformers has them. 0: rows are read as they lie.
  package init(bytes: Tensor, format: BlockFormat, shape: [Int], turning: Int = 0) {
    precondition(
      shape.count == 2 && shape[1] % format.elements == 0, "\(format) blocks of shape \(shape)")
    let count = shape[0] * shape[1] / format.elements * format.bytes
    precondition(
      bytes.dtype == .uint8 && bytes.count == count,
      "\(format) blocks: expected \(count) bytes, found \(bytes.shape) of \(bytes.dtype)")
    precondition(
      turning >= 0 && turning % 2 == 0 && (turning == 0 || shape[0] % turning == 0),
      "heads of \(turning) rows in \(shape[0])")
    contents = Contents(bytes: bytes, format: format, shape: shape, turning: turning)
  }

  /// Some of the rows, sharing storage; whole heads where rows are read in another order.
  func rows(_ range: Range<Int>) -> BlockTensor {
    let row = inputs / format.elements * format.bytes
    let turning = contents.kernelsView.turning
    precondition(turning == 0 || range.lowerBound % turning == 0, "rows \(range) begin within a head")
    return BlockTensor(
      bytes: bytes.slice(range.lowerBound * row..<range.upperBound * row), format: format,
      shape: [range.count, inputs], turning: turning)
  }

  /// Random weights, for measuring: a few rows again and again, as encoding takes far longer than what is measured.
  package static func random(_ shape: [Int], _ format: BlockFormat, seed: UInt64) -> BlockTensor {
    let few = format.encode(Tensor.random([min(shape[0], 8), shape[1]], .float32, seed: seed))
    let bytes = Tensor([shape[0] * shape[1] / format.elements * format.bytes], .uint8)
    for start in stride(from: 0, to: bytes.count, by: few.count) {
      let part = bytes.slice(start..<min(start + few.count, bytes.count))
      few.slice(0..<part.count).withHostBytes(part.copyBytes)
    }
    return BlockTensor(bytes: bytes, format: format, shape: shape)
  }
}
