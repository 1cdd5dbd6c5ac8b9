/// A part of a regular expression, with the characters that it takes at least and at most.
struct RegularPart {
  var pattern: TextPattern
  var least: Int
  var most: Int?

  static func one(_ set: ScalarSet, _ spelling: TextSpelling) -> RegularPart {
    RegularPart(pattern: set.pattern(spelling), least: 1, most: 1)
  }

  static func anything(_ spelling: TextSpelling) -> RegularPart { one(.all, spelling).repeated((0, nil)) }

  static func joined(_ parts: [RegularPart]) -> RegularPart {
    let most = parts.map(\.most)
    return RegularPart(
      pattern: .sequence(parts.map(\.pattern)), least: parts.reduce(0) { $0 &+ $1.least },
      most: most.contains(nil) ? nil : most.compactMap(\.self).reduce(0, &+))
  }

  static func oneOf(_ parts: [RegularPart]) -> RegularPart {
    let most = parts.map(\.most)
    return RegularPart(
      pattern: .choice(parts.map(\.pattern)), least: parts.map(\.least).min() ?? 0,
      most: most.contains(nil) ? nil : most.compactMap(\.self).max())
  }

  func repeated(_ count: (least: Int, most: Int?)) -> RegularPart {
    RegularPart(
      pattern: .repeated(pattern, atLeast: count.least, atMost: count.most), least: least &* count.least,
      most: count.most.flatMap { times in most.map { $0 &* times } })
  }

  /// The texts that are of another pattern, too, or are not.
  func cut(with other: TextPattern, _ isNegated: Bool) throws -> RegularPart {
    let (own, other) = (try ByteAutomaton(pattern), try ByteAutomaton(other))
    let rest = try isNegated ? own.without(other) : own.cut(with: other)
    return RegularPart(pattern: rest.pattern, least: least, most: most)
  }
}
