/// A token that may come next.
struct Candidate {
  var id: Int32
  var logit: Float
  /// In proportion to its probability; that of the most likely token is 1.
  var weight = 0.0

  /// The most likely first, of equals the lowest id.
  ///
  /// Without top-k that may be a whole vocabulary at every token, so many are sorted by the bits of their logits: three passes,
  /// each of which keeps the order of what it does not tell apart, in the place of seventeen comparisons for each of them.
  ///
  /// - Parameter candidates: by rising id.
  static func sorted(_ candidates: [Candidate]) -> [Candidate] {
    guard candidates.count > fewest else {
      return candidates.sorted { ($1.logit, $0.id) < ($0.logit, $1.id) }
    }
    var keys = candidates.indices.map { UInt64(fallingBits(candidates[$0].logit)) << 32 | UInt64($0) }
    var sorted = [UInt64](repeating: 0, count: keys.count)
    for digit in 0..<digits {
      pass(keys, into: &sorted, shift: UInt64(32 + digit * digitBits))
      swap(&keys, &sorted)
    }
    return keys.map { candidates[Int($0 & 0xFFFF_FFFF)] }
  }

  /// Below it, comparisons are as fast.
  private static let fewest = 512
  private static let (digits, digitBits) = (3, 11)

  /// One stable pass of a radix sort: by the digit at `shift`.
  private static func pass(_ keys: [UInt64], into sorted: inout [UInt64], shift: UInt64) {
    let mask = UInt64(1) << UInt64(digitBits) - 1
    var places = [Int](repeating: 0, count: 1 << digitBits)
    for key in keys { places[Int(key >> shift & mask)] += 1 }
    var start = 0
    for digit in places.indices { (places[digit], start) = (start, start + places[digit]) }
    for key in keys {
      let digit = Int(key >> shift & mask)
      sorted[places[digit]] = key
      places[digit] += 1
    }
  }

  /// A number that falls where the logit rises.
  private static func fallingBits(_ logit: Float) -> UInt32 {
    let bits = (logit + 0).bitPattern  // -0 is 0
    return bits >> 31 == 1 ? bits : ~bits & 0x7FFF_FFFF
  }
}
