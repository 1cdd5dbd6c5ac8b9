/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers everywhere for the same seed.
package struct SeededRandom {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return SeededRandom.mix(state)
  }

  /// A number in `range`; the bias of the product method is below 2⁻⁵⁰ for ranges this small.
  package mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next().multipliedFullWidth(by: UInt64(range.count)).high)
  }

  package mutating func pick<Element>(_ list: [Element]) -> Element { list[number(0...list.count - 1)] }

  /// Fisher and Yates.
  package mutating func shuffle<Element>(_ list: inout [Element]) {
    guard list.count > 1 else { return }
    for last in stride(from: list.count - 1, to: 0, by: -1) { list.swapAt(last, number(0...last)) }
  }

  /// SplitMix64's finaliser: spreads the bits of `value` over all 64.
  package static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
