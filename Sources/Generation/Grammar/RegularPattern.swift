import FireflyBase

/// A regular expression (ECMA 262, as JSON Schema has it) as the texts that it finds itself in, or that it is the whole of:
/// literals, classes, groups, alternatives, repetitions, `^` and `$` at the ends, and outside of groups what looks ahead or
/// behind. What refers back or looks at words' borders is refused.
struct RegularPattern {
  let pattern: TextPattern
  /// The characters of such a text, at least and at most.
  let least: Int
  let most: Int?

  /// - Parameter isWhole: whether nothing may stand before what it describes, or behind it.
  /// - Throws: `FireflyError` for what is no expression, or has a part that is not supported.
  init(
    _ expression: String, at place: String, _ spelling: TextSpelling = .inJSON, isWhole: Bool = false
  ) throws {
    var parser = RegularPatternParser(rest: Array(expression.unicodeScalars)[...], place: place, spelling)
    var parts = try parser.alternatives(.whole)
    if isWhole { for index in parts.indices { (parts[index].isStart, parts[index].isEnd) = (true, true) } }
    if let extra = parser.rest.first { throw parser.unsupported(String(Character(extra))) }
    let all = RegularPart.oneOf(try parts.map { try parser.whole($0) })
    (pattern, least, most) = (all.pattern, all.least, all.most)
  }

  /// Whether the whole of `name`, within a JSON string, is such a text.
  func allows(_ name: String) throws -> Bool {
    let grammar = try ByteGrammar([.sequence([.text("\""), pattern, .text("\"")])])
    var place = grammar.start
    for byte in JSONValue.string(name).text().utf8 { place = grammar.place(after: byte, at: place) }
    return place.isEnd
  }
}
