import Foundation

/// Attention with linear biases (Press, Smith and Lewis, 2022): instead of positions, each head prefers near keys by its
/// own slope.
enum ALiBi {
  /// 2^(−8/n), 2^(−16/n), … for n heads, a power of two; for another number those of the power below, then every other
  /// one of the power above, as BLOOM and Baichuan have it.
  static func slopes(heads: Int) -> [Float] {  // [H]
    guard heads & (heads - 1) != 0 else {
      return (1...heads).map { Float(exp2(-8 * Double($0) / Double(heads))) }
    }
    let below = 1 << (Int.bitWidth - 1 - heads.leadingZeroBitCount)
    let above = slopes(heads: 2 * below).enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
    return slopes(heads: below) + above.prefix(heads - below)
  }
}
