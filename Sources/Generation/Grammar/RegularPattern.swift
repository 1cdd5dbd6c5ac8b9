import FireflyBase

/// A regular expression of a schema's (ECMA 262, as JSON Schema has it) as the texts within a JSON string that it finds itself
/// in: literals, classes, groups, alternatives, repetitions, `^` and `$` at the ends, and outside of groups what looks ahead or
/// behind. What refers back or looks at words' borders is refused.
struct RegularPattern {
  let pattern: TextPattern
  /// The characters of such a text, at least and at most.
  let least: Int
  let most: Int?

  /// - Throws: `FireflyError` for what is no expression, or has a part that is not supported.
  init(_ expression: String, at place: String) throws {
    var parser = RegularPatternParser(rest: Array(expression.unicodeScalars)[...], place: place)
    let parts = try parser.alternatives(.whole)
    if let extra = parser.rest.first { throw parser.unsupported(String(Character(extra))) }
    let all = Part.oneOf(try parts.map { try parser.whole($0) })
    (pattern, least, most) = (all.pattern, all.least, all.most)
  }

  /// Any text of so many characters, each in one spelling.
  static func any(atLeast least: Int = 0, atMost most: Int? = nil) -> TextPattern {
    .repeated(ScalarSet.all.inJSON, atLeast: least, atMost: most)
  }

  /// A text within a JSON string, in the spelling that expressions have.
  static func literal(_ text: String) -> TextPattern {
    .sequence(text.unicodeScalars.map { ScalarSet([$0.value...$0.value]).inJSON })
  }

  /// Whether the whole of `name`, within a JSON string, is such a text.
  func allows(_ name: String) throws -> Bool {
    let grammar = try ByteGrammar([.sequence([.text("\""), pattern, .text("\"")])])
    var place = grammar.start
    for byte in JSONValue.string(name).text().utf8 { place = grammar.place(after: byte, at: place) }
    return place.isEnd
  }

  /// A part with the characters that it takes.
  struct Part {
    var pattern: TextPattern
    var least: Int
    var most: Int?

    static let anything = Part(pattern: RegularPattern.any(), least: 0, most: nil)

    static func one(_ set: ScalarSet) -> Part { Part(pattern: set.inJSON, least: 1, most: 1) }

    static func joined(_ parts: [Part]) -> Part {
      let most = parts.map(\.most)
      return Part(
        pattern: .sequence(parts.map(\.pattern)), least: parts.reduce(0) { $0 &+ $1.least },
        most: most.contains(nil) ? nil : most.compactMap(\.self).reduce(0, &+))
    }

    static func oneOf(_ parts: [Part]) -> Part {
      let most = parts.map(\.most)
      return Part(
        pattern: .choice(parts.map(\.pattern)), least: parts.map(\.least).min() ?? 0,
        most: most.contains(nil) ? nil : most.compactMap(\.self).max())
    }

    func repeated(_ count: (least: Int, most: Int?)) -> Part {
      Part(
        pattern: .repeated(pattern, atLeast: count.least, atMost: count.most), least: least &* count.least,
        most: count.most.flatMap { times in most.map { $0 &* times } })
    }

    /// The texts that are of another pattern, too, or are not.
    func cut(with other: TextPattern, _ isNegated: Bool) throws -> Part {
      let (own, other) = (try ByteAutomaton(pattern), try ByteAutomaton(other))
      let rest = try isNegated ? own.without(other) : own.cut(with: other)
      return Part(pattern: rest.pattern, least: least, most: most)
    }
  }
}
