import CKernels

/// The NF4 data type (Dettmers et al. 2023, "QLoRA") as bitsandbytes stores it.
package enum NF4 {
  /// Weights that share a scale.
  package static let blockSize = 64
  /// Scales that share a scale, when they are quantised themselves.
  package static let nestedBlockSize = 256

  /// The 16 values of a code, for a block whose largest magnitude is 1.
  package static let codeBook: [Float] = [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ]

  /// Code i + 1 begins above midpoint i.
  package static let midpoints: [Float] = zip(codeBook, codeBook.dropFirst()).map { ($0 + $1) / 2 }
}

/// A weight matrix of 4-bit codes, with one scale per 64 of them.
package struct NF4Tensor: Sendable {
  package enum Scales: Sendable {
    /// absmax: float32 [blocks].
    case plain(absmax: Tensor)
    /// Double quantization: a block's scale is map[code]·absmax[block / 256] + offset, with `codes` uint8 [blocks],
    /// `absmax` float32 [⌈blocks/256⌉] and `map` float32 [256].
    case nested(codes: Tensor, absmax: Tensor, map: Tensor, offset: Float)
  }

  /// One reference, so that handing a matrix on counts once.
  private final class Contents: @unchecked Sendable {
    let codes: Tensor
    let shape: [Int]
    let scales: Scales
    let originalDType: DType
    /// The matrix as addresses of its device, made once: a product by few rows is short.
    let kernelsView: kernels_nf4

    init(codes: Tensor, shape: [Int], scales: Scales, originalDType: DType) {
      kernelsView = kernels_nf4(codes: codes, columns: shape[1], scales: scales, dtype: originalDType)
      self.codes = codes
      self.shape = shape
      self.scales = scales
      self.originalDType = originalDType
    }
  }

  private let contents: Contents

  /// uint8 [⌈out·in/2⌉], the first of two codes in the high half, row-major.
  package var codes: Tensor { contents.codes }
  /// [out, in]
  package var shape: [Int] { contents.shape }
  package var scales: Scales { contents.scales }
  /// What the weights were before: a decoded weight is rounded to it.
  package var originalDType: DType { contents.originalDType }
  /// Holds as long as the matrix lives.
  var kernelsView: kernels_nf4 { contents.kernelsView }

  package init(codes: Tensor, shape: [Int], scales: Scales, originalDType: DType) {
    precondition(shape.count == 2, "NF4 shape \(shape): expected [out, in]")
    let count = shape[0] * shape[1]
    let blocks = NF4Tensor.blocks(of: count)
    func checkScales(_ tensor: Tensor, _ count: Int, _ name: String) {
      precondition(
        tensor.dtype == .float32 && tensor.count == count,
        "\(name): expected \(count) float32, found \(tensor.shape) of \(tensor.dtype)")
    }
    precondition(
      codes.dtype == .uint8 && codes.count == (count + 1) / 2,
      "NF4 codes: expected \((count + 1) / 2) bytes, found \(codes.shape) of \(codes.dtype)")
    switch scales {
    case .plain(let absmax):
      checkScales(absmax, blocks, "absmax")
    case .nested(let codes, let absmax, let map, _):
      precondition(
        codes.dtype == .uint8 && codes.count == blocks, "absmax codes \(codes.shape) of \(codes.dtype)")
      checkScales(absmax, NF4Tensor.nestedBlocks(of: blocks), "nested absmax")
      checkScales(map, 256, "nested map")
    }
    precondition(
      [.float32, .bfloat16, .float16].contains(originalDType), "NF4 of \(originalDType) weights")
    contents = Contents(codes: codes, shape: shape, scales: scales, originalDType: originalDType)
  }

  /// Memory for a matrix with nested scales, which nobody has filled.
  package static func unfilled(_ shape: [Int], on device: any Device) -> NF4Tensor {
    let count = shape[0] * shape[1]
    let blocks = blocks(of: count)
    return NF4Tensor(
      codes: Tensor([(count + 1) / 2], .uint8, on: device), shape: shape,
      scales: .nested(
        codes: Tensor([blocks], .uint8, on: device),
        absmax: Tensor([nestedBlocks(of: blocks)], .float32, on: device),
        map: Tensor([256], .float32, on: device), offset: 0),
      originalDType: .bfloat16)
  }

  package static func blocks(of count: Int) -> Int { (count + NF4.blockSize - 1) / NF4.blockSize }
  package static func nestedBlocks(of blocks: Int) -> Int {
    (blocks + NF4.nestedBlockSize - 1) / NF4.nestedBlockSize
  }

  /// Some of the rows, sharing storage; they begin where a block of scales does.
  func rows(_ range: Range<Int>) -> NF4Tensor {
    let (first, end) = (range.lowerBound * inputs, range.upperBound * inputs)
    precondition(
      first % (NF4.blockSize * NF4.nestedBlockSize) == 0, "rows \(range) of \(shape) begin within a block")
    func whole(_ size: Int) -> Range<Int> { first / size..<(end + size - 1) / size }
    let blocks = whole(NF4.blockSize)
    let scales: Scales =
      switch scales {
      case .plain(let absmax): .plain(absmax: absmax.slice(blocks))
      case .nested(let codes, let absmax, let map, let offset):
        .nested(
          codes: codes.slice(blocks), absmax: absmax.slice(whole(NF4.blockSize * NF4.nestedBlockSize)),
          map: map, offset: offset)
      }
    return NF4Tensor(
      codes: codes.slice(whole(2)), shape: [range.count, inputs], scales: scales, originalDType: originalDType
    )
  }

  package var outputs: Int { shape[0] }
  package var inputs: Int { shape[1] }
  /// Whether the scales are quantised themselves.
  package var isDouble: Bool {
    if case .nested = scales { true } else { false }
  }
  /// Bytes of the codes and scales together.
  package var byteCount: Int {
    switch scales {
    case .plain(let absmax): codes.byteCount + absmax.byteCount
    case .nested(let scaleCodes, let absmax, let map, _):
      codes.byteCount + scaleCodes.byteCount + absmax.byteCount + map.byteCount
    }
  }
}
