/// A 64-bit hash that is the same in every process, to tell whether two inputs are the same; no cryptography.
///
/// For texts and numbers; whole files go faster through `ContentHash`. Checkpoints and results of evaluations hold what
/// it gives: another rule here would make them all strangers.
package struct StableHash {
  private var state: UInt64 = 0

  package init() {}

  package mutating func add(_ value: UInt64) {
    state = ContentHash.spread((state ^ value) &+ 0x9E37_79B9_7F4A_7C15)
  }

  package mutating func add(_ bytes: some Collection<UInt8>) {
    add(UInt64(bytes.count))
    for byte in bytes { add(UInt64(byte)) }
  }

  /// 16 hexadecimal digits.
  package var text: String { ContentHash.hexadecimal(state) }
}
