/// A random generator that is a value: Philox4x32-10 (Salmon et al. 2011) over (seed, stream, counter).
///
/// The same numbers on every machine and thread count; its whole state is three integers, so it can be saved and
/// resumed.
package struct CounterRandom: RandomNumberGenerator, Codable, Hashable, Sendable {
  package let seed: UInt64
  /// Generators of one seed with different streams are independent.
  package let stream: UInt64
  /// How many 64-bit numbers have been drawn.
  package private(set) var counter: UInt64

  package init(seed: UInt64, stream: UInt64 = 0, counter: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
    self.counter = counter
  }

  package mutating func next() -> UInt64 {
    let block = Self.philox(
      (
        UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
        UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
      ),
      key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    counter &+= 1
    return UInt64(block.0) | UInt64(block.1) << 32
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  package mutating func double() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in [0, 1), a multiple of 2⁻²⁴.
  package mutating func float() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in `0..<bound` without bias (Lemire 2019).
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a random integer below \(bound)")
    let bound = UInt64(bound)
    var product = bound.multipliedFullWidth(by: next())
    if product.low < bound {
      let least = (0 &- bound) % bound
      while product.low < least { product = bound.multipliedFullWidth(by: next()) }
    }
    return Int(product.high)
  }

  /// Fisher and Yates's shuffle, the same on every platform and Swift version.
  package mutating func shuffle<Element>(_ items: inout [Element]) {
    guard items.count > 1 else { return }
    for last in stride(from: items.count - 1, to: 0, by: -1) {
      items.swapAt(last, integer(below: last + 1))
    }
  }

  /// The finalizer of SplitMix64: a bijection of 64 bits that scatters its input.
  package static func mix(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  package static func philox(
    _ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
      let a = UInt32(0xd251_1f53).multipliedFullWidth(by: c.0)
      let b = UInt32(0xcd9e_8d57).multipliedFullWidth(by: c.2)
      c = (b.high ^ c.1 ^ k.0, b.low, a.high ^ c.3 ^ k.1, a.low)
      k = (k.0 &+ 0x9e37_79b9, k.1 &+ 0xbb67_ae85)
    }
    return c
  }
}
