/// A moment of AdamW in 8 bits, in blocks of 256 elements: one is a value of the map times the largest magnitude of its block.
package struct ByteMoment: Sendable {
  /// Elements that share a scale.
  package static let blockSize = 256

  /// uint8 [n]
  package let codes: Tensor
  /// float32 [⌈n/256⌉]
  package let absmax: Tensor
  package let map: MomentMap

  package init(codes: Tensor, absmax: Tensor, map: MomentMap) {
    precondition(
      codes.dtype == .uint8 && absmax.dtype == .float32
        && absmax.count == ByteMoment.blocks(of: codes.count),
      "a moment of \(codes.shape) \(codes.dtype) with \(absmax.shape) \(absmax.dtype)")
    precondition(map.values.device === codes.device, "a moment and its map on two devices")
    self.codes = codes
    self.absmax = absmax
    self.map = map
  }

  /// With a map of its own.
  package init(codes: Tensor, absmax: Tensor, map: DynamicMap) {
    self.init(codes: codes, absmax: absmax, map: MomentMap(map, on: codes.device))
  }

  package static func blocks(of count: Int) -> Int { (count + blockSize - 1) / blockSize }

  /// The moment of some of the elements, from the beginning of a block.
  package func slice(_ range: Range<Int>) -> ByteMoment {
    precondition(range.lowerBound % ByteMoment.blockSize == 0, "elements \(range) begin inside a block")
    let first = range.lowerBound / ByteMoment.blockSize
    return ByteMoment(
      codes: codes.slice(range), absmax: absmax.slice(first..<first + ByteMoment.blocks(of: range.count)),
      map: map)
  }

  /// The elements in float32: for tests and comparisons.
  package var floats: [Float] {
    let (scales, values) = (absmax.floats, map.values.floats)
    return codes.withHostBytes { codes in
      codes.indices.map { values[Int(codes[$0])] * scales[$0 / ByteMoment.blockSize] }
    }
  }
}

/// A `DynamicMap` where the moments are whose codes it explains.
package struct MomentMap: Sendable {
  /// float32 `[256]`
  package let values: Tensor
  /// uint8 `[65,536]`
  package let codesOfGrid: Tensor

  package init(values: Tensor, codesOfGrid: Tensor) {
    self.values = values
    self.codesOfGrid = codesOfGrid
  }

  package init(_ map: DynamicMap, on device: any Device) {
    values = Tensor(map.values, [map.values.count], on: device)
    codesOfGrid = Tensor([map.codesOfGrid.count], .uint8, on: device)
    codesOfGrid.copy(bytes: map.codesOfGrid[...])
  }
}
