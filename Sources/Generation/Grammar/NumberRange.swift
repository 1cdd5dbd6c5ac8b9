import FireflyBase

/// Numbers between two bounds, as decimals: at most 15 digits before the point and 16 behind it, and no exponent.
struct NumberRange {
  var lower: Bound?
  var upper: Bound?

  /// A bound by its digits, so that nothing is rounded.
  struct Bound {
    var isNegative: Bool
    var whole: Int
    /// Behind the point, 0…9, the last not 0.
    var fraction: [UInt8]
    var isExclusive: Bool

    /// nil for what is no number, or has too many digits.
    init?(_ value: JSONValue, isExclusive: Bool) {
      guard let number = value.double, number.isFinite else { return nil }
      let text = value.int.map(String.init) ?? "\(number)"
      let parts = text.lowercased().split(separator: "e")
      guard let mantissa = parts.first, let exponent = parts.count == 1 ? 0 : Int(parts[1]) else {
        return nil
      }
      let halves = mantissa.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
      var digits = halves.joined().utf8.map { $0 &- UInt8(ascii: "0") }
      var point = (halves.first?.count ?? 0) + exponent
      guard digits.allSatisfy({ $0 < 10 }), abs(point) < 40 else { return nil }
      if point < 0 {
        digits = [UInt8](repeating: 0, count: -point) + digits
        point = 0
      }
      digits += [UInt8](repeating: 0, count: max(0, point - digits.count))
      var fraction = Array(digits[point...])
      while fraction.last == 0 { fraction.removeLast() }
      let whole = digits[..<point].drop { $0 == 0 }
      guard whole.count <= 15, fraction.count <= NumberRange.places else { return nil }
      self.whole = whole.reduce(0) { $0 * 10 + Int($1) }
      self.fraction = fraction
      self.isExclusive = isExclusive
      isNegative = text.hasPrefix("-") && (self.whole > 0 || !fraction.isEmpty)
    }

    fileprivate init(zeroExclusive: Bool) {
      (isNegative, whole, fraction, isExclusive) = (false, 0, [], zeroExclusive)
    }

    /// The least whole number from here on, and the largest up to here.
    var leastWhole: Int { floor + (isWhole && !isExclusive ? 0 : 1) }
    var mostWhole: Int { isWhole && isExclusive ? floor - 1 : floor }

    private var isWhole: Bool { fraction.isEmpty }
    private var floor: Int { isNegative ? -whole - (isWhole ? 0 : 1) : whole }

    /// Whether the bound is below another, by what it is alone.
    func isBelow(_ other: Bound) -> Bool {
      guard isNegative == other.isNegative else { return isNegative }
      let magnitude = (whole, fraction)
      let others = (other.whole, other.fraction)
      func precedes(_ first: (Int, [UInt8]), _ second: (Int, [UInt8])) -> Bool {
        first.0 < second.0 || first.0 == second.0 && first.1.lexicographicallyPrecedes(second.1)
      }
      return isNegative ? precedes(others, magnitude) : precedes(magnitude, others)
    }
  }

  /// Digits behind the point.
  private static let places = 16

  /// nil when there is no number.
  var pattern: TextPattern? {
    var parts: [TextPattern] = []
    if upper.map({ !$0.isNegative }) ?? true {
      let low = lower.flatMap { $0.isNegative ? nil : $0 } ?? Bound(zeroExclusive: false)
      parts += NumberRange.magnitudes(low, upper)
    }
    if lower?.isNegative ?? true {
      let low = upper.flatMap { $0.isNegative ? $0 : nil } ?? Bound(zeroExclusive: true)
      let negative = NumberRange.magnitudes(low, lower)
      if !negative.isEmpty { parts.append(.sequence([.text("-"), .choice(negative)])) }
    }
    return parts.isEmpty ? nil : .choice(parts)
  }

  /// Numbers without a sign; nil: there is no upper bound.
  private static func magnitudes(_ low: Bound, _ high: Bound?) -> [TextPattern] {
    let (least, most) = (Digits(low), high.map { Digits($0) })
    func number(_ whole: TextPattern?, _ low: Digits?, _ high: Digits?) -> TextPattern? {
      guard let whole, let fraction = fraction(low, high) else { return nil }
      return .sequence([whole, fraction])
    }
    if let high, high.whole < low.whole { return [] }
    if let high, high.whole == low.whole {
      return [number(.text("\(low.whole)"), least, most)].compactMap(\.self)
    }
    let last = (high?.whole ?? IntegerRange.limit) - 1
    return [
      number(.text("\(low.whole)"), least, nil),
      number(low.whole < last ? IntegerRange(low.whole + 1, last).pattern : nil, nil, nil),
      high.flatMap { $0.whole > low.whole ? number(.text("\($0.whole)"), nil, most) : nil },
    ].compactMap(\.self)
  }

  // MARK: - Behind the point

  /// What is left of a bound's digits; without any, what follows is compared with nought.
  private struct Digits: Equatable {
    var rest: ArraySlice<UInt8>
    let isExclusive: Bool

    init(_ bound: Bound) {
      rest = bound.fraction[...]
      isExclusive = bound.isExclusive
    }

    func after() -> Digits {
      var next = self
      next.rest = rest.dropFirst()
      return next
    }
  }

  /// With the point, or nothing; nil: impossible.
  private static func fraction(_ low: Digits?, _ high: Digits?) -> TextPattern? {
    var parts: [TextPattern] = allowsEnd(low, high) ? [.text("")] : []
    if let digits = digits(low, high, places: places, atLeast: 1) {
      parts.append(.sequence([.text("."), digits]))
    }
    return parts.isEmpty ? nil : .choice(parts)
  }

  /// Whether the number may end here: what is left of it is nought.
  private static func allowsEnd(_ low: Digits?, _ high: Digits?) -> Bool {
    let isAbove = low.map { $0.rest.isEmpty && !$0.isExclusive } ?? true
    let isBelow = high.map { !$0.rest.isEmpty || !$0.isExclusive } ?? true
    return isAbove && isBelow
  }

  private static func digits(
    _ low: Digits?, _ high: Digits?, places: Int, atLeast least: Int
  ) -> TextPattern? {
    let low = low.flatMap { $0.rest.isEmpty && !$0.isExclusive ? nil : $0 }
    if low == nil && high == nil { return .repeated(JSONGrammar.digit, atLeast: least, atMost: places) }
    var parts: [TextPattern] = least == 0 && allowsEnd(low, high) ? [.text("")] : []
    guard places > 0 else { return parts.first }
    // Digits after which the same may follow, together.
    var groups: [(bytes: ClosedRange<UInt8>, low: Digits?, high: Digits?)] = []
    for digit in UInt8(0)...9 {
      guard let low = after(digit, low: low), let high = after(digit, high: high) else { continue }
      let byte = UInt8(ascii: "0") + digit
      if let last = groups.last, last.low == low, last.high == high, last.bytes.upperBound + 1 == byte {
        groups[groups.count - 1].bytes = last.bytes.lowerBound...byte
      } else {
        groups.append((byte...byte, low, high))
      }
    }
    for group in groups {
      guard let more = digits(group.low, group.high, places: places - 1, atLeast: 0) else { continue }
      parts.append(.sequence([.bytes(ByteSet(group.bytes)), more]))
    }
    return parts.isEmpty ? nil : .choice(parts)
  }

  /// The bound after a digit: `.some(nil)` where it holds whatever follows, nil where the digit is out of it.
  private static func after(_ digit: UInt8, low: Digits?) -> Digits?? {
    guard let low else { return .some(nil) }
    guard let own = low.rest.first else { return digit == 0 ? .some(low) : .some(nil) }
    return digit > own ? .some(nil) : digit == own ? .some(low.after()) : nil
  }

  private static func after(_ digit: UInt8, high: Digits?) -> Digits?? {
    guard let high else { return .some(nil) }
    guard let own = high.rest.first else { return digit == 0 && !high.isExclusive ? .some(high) : nil }
    return digit < own ? .some(nil) : digit == own ? .some(high.after()) : nil
  }
}
