/// bitsandbytes' 8-bit data type (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"): for every power of
/// ten from 10⁻⁶ to 1 twice as many values as for the one below, and 0 and 1. `create_dynamic_map(signed)`.
package struct DynamicMap: Sendable {
  /// The values of the codes, ascending `[256]`.
  package let values: [Float]
  /// The code of each point of the grid: how many midpoints of the values lie below it.
  package let codesOfGrid: [UInt8]

  /// Values from −1 to 1.
  package static let signed = DynamicMap(isSigned: true)
  /// Values from 0 to 1.
  package static let unsigned = DynamicMap(isSigned: false)

  /// bitsandbytes does not look for the nearest value itself: it rounds to one of 65,536 points from −1 to 1 first.
  private static let gridSize = 65_536

  private init(isSigned: Bool) {
    let powers: [Float] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]
    var values: [Float] = [0, 1]
    for (i, power) in powers.enumerated() {
      let count = isSigned ? 1 << i : 2 << i
      let boundaries = DynamicMap.linearSpace(from: 0.1, to: 1, count: count + 1)
      for (low, high) in zip(boundaries, boundaries.dropFirst()) {
        let mean = (low + high) / 2
        values.append(power * mean)
        if isSigned { values.append(-power * mean) }
      }
    }
    values.sort()
    self.values = values
    let midpoints = zip(values, values.dropFirst()).map { 0.5 * ($0 + $1) }
    var code = 0
    codesOfGrid = (0..<DynamicMap.gridSize).map { i in
      let point = -1 + 2 * Float(i) / Float(DynamicMap.gridSize - 1)
      while code < midpoints.count && midpoints[code] < point { code += 1 }
      return UInt8(code)
    }
  }

  /// The code of a value from −1 to 1; of NaN that of 0.
  package func code(of x: Float) -> UInt8 {
    let clamped = x.isNaN ? 0 : min(max(x, -1), 1)
    return codesOfGrid[Int((clamped + 1) * 0.5 * Float(DynamicMap.gridSize - 1) + 0.5)]
  }

  /// `torch.linspace` in float32: from each end towards the middle, each value rounded once.
  private static func linearSpace(from start: Float, to end: Float, count: Int) -> [Float] {
    let step = (end - start) / Float(count - 1)
    return (0..<count).map { i in
      i < count / 2 ? start.addingProduct(step, Float(i)) : end.addingProduct(-step, Float(count - 1 - i))
    }
  }
}
