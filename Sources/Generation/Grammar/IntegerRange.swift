/// Whole numbers from one to another, as their digits.
struct IntegerRange {
  let least: Int
  let most: Int

  /// Beyond every bound: 16 digits.
  static let limit = 1_000_000_000_000_000

  /// - Parameters: both within `limit`.
  init(_ least: Int, _ most: Int) {
    self.least = least
    self.most = most
  }

  /// nil when there is none.
  var pattern: TextPattern? {
    guard least <= most else { return nil }
    var parts: [TextPattern] = []
    if least < 0 {
      let negative = IntegerRange.positive(max(1, -most), -least)
      parts.append(.sequence([.text("-"), .choice(negative)]))
    }
    if most >= 0 { parts += IntegerRange.positive(max(0, least), most) }
    return .choice(parts)
  }

  /// Numbers of one length after the other.
  private static func positive(_ least: Int, _ most: Int) -> [TextPattern] {
    var parts: [TextPattern] = []
    var start = least
    while start <= most {
      let digits = String(start).count
      let end = min(most, power(digits) - 1)
      parts.append(sameLength(Array(String(start).utf8), Array(String(end).utf8)))
      start = end + 1
    }
    return parts
  }

  private static func power(_ digits: Int) -> Int { (0..<digits).reduce(1) { power, _ in power * 10 } }

  /// Numbers from one to another of as many digits.
  private static func sameLength(_ least: [UInt8], _ most: [UInt8]) -> TextPattern {
    guard let (low, high) = least.first.flatMap({ low in most.first.map { (low, $0) } }) else {
      return .text("")
    }
    let (lowRest, highRest) = (Array(least.dropFirst()), Array(most.dropFirst()))
    func digit(_ range: ClosedRange<UInt8>) -> TextPattern { .bytes(ByteSet(range)) }
    let (zeros, nines) = (lowRest.map { _ in UInt8(ascii: "0") }, lowRest.map { _ in UInt8(ascii: "9") })
    let any = TextPattern.repeated(JSONGrammar.digit, atLeast: lowRest.count, atMost: lowRest.count)
    if lowRest == zeros && highRest == nines { return .sequence([digit(low...high), any]) }
    if low == high { return .sequence([digit(low...low), sameLength(lowRest, highRest)]) }
    var parts = [
      TextPattern.sequence([digit(low...low), sameLength(lowRest, nines)]),
      TextPattern.sequence([digit(high...high), sameLength(zeros, highRest)]),
    ]
    if low + 1 < high { parts.append(.sequence([digit(low + 1...high - 1), any])) }
    return .choice(parts)
  }
}
