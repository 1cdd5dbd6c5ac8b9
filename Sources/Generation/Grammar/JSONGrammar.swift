/// JSON's own parts as patterns. White space is bounded and so are numbers, so that an answer gets on.
enum JSONGrammar {
  /// Rules that every grammar of JSON has, by their numbers; rule 0 is the whole text.
  static let (character, space, value) = (1, 2, 3)
  static let firstFreeRule = 4

  static let shared: [TextPattern] = [characterRule, spaceRule, valueRule]

  /// At most one space, or a line end with what indents the next line.
  private static let spaceRule = TextPattern.choice([
    .text(" "),
    .sequence([.text("\n"), .repeated(.bytes(ByteSet(" \t")), atLeast: 0, atMost: 20)]),
  ])

  static let gap = TextPattern.optional(.rule(space))
  static let comma = TextPattern.sequence([.text(","), gap])

  // MARK: - Strings

  /// A character of a string: UTF-8, or an escape.
  private static let characterRule = TextPattern.choice([
    .bytes(ByteSet(0x20...0x21, 0x23...0x5B, 0x5D...0x7F)),
    .sequence([.bytes(ByteSet(0xC2...0xDF)), tail]),
    .sequence([.bytes(ByteSet(0xE0...0xE0)), .bytes(ByteSet(0xA0...0xBF)), tail]),
    .sequence([.bytes(ByteSet(0xE1...0xEC, 0xEE...0xEF)), tail, tail]),
    .sequence([.bytes(ByteSet(0xED...0xED)), .bytes(ByteSet(0x80...0x9F)), tail]),
    .sequence([.bytes(ByteSet(0xF0...0xF0)), .bytes(ByteSet(0x90...0xBF)), tail, tail]),
    .sequence([.bytes(ByteSet(0xF1...0xF3)), tail, tail, tail]),
    .sequence([.bytes(ByteSet(0xF4...0xF4)), .bytes(ByteSet(0x80...0x8F)), tail, tail]),
    .sequence([.text("\\"), .choice([.bytes(ByteSet("\"\\/bfnrt")), .sequence([.text("u"), codePoint])])]),
  ])

  private static let tail = TextPattern.bytes(ByteSet(0x80...0xBF))
  private static let hex = TextPattern.bytes(ByteSet("0123456789abcdefABCDEF"))

  /// Four digits that are no half of a surrogate pair, or both halves.
  private static let codePoint = TextPattern.choice([
    .sequence([.bytes(ByteSet("0123456789abcefABCEF")), hex, hex, hex]),
    .sequence([.bytes(ByteSet("dD")), .bytes(ByteSet("01234567")), hex, hex]),
    .sequence([
      .bytes(ByteSet("dD")), .bytes(ByteSet("89abAB")), hex, hex, .text("\\u"), .bytes(ByteSet("dD")),
      .bytes(ByteSet("cdefCDEF")), hex, hex,
    ]),
  ])

  /// A string of so many characters.
  static func string(atLeast least: Int = 0, atMost most: Int? = nil) -> TextPattern {
    .sequence([.text("\""), .repeated(.rule(character), atLeast: least, atMost: most), .text("\"")])
  }

  // MARK: - Numbers

  static let digit = TextPattern.bytes(ByteSet("0123456789"))

  static let integer = TextPattern.sequence([
    .optional(.text("-")),
    .choice([
      .text("0"), .sequence([.bytes(ByteSet("123456789")), .repeated(digit, atLeast: 0, atMost: 15)]),
    ]),
  ])

  static let number = TextPattern.sequence([
    integer, .optional(.sequence([.text("."), .repeated(digit, atLeast: 1, atMost: 16)])),
    .optional(
      .sequence([
        .bytes(ByteSet("eE")), .optional(.bytes(ByteSet("+-"))), .repeated(digit, atLeast: 1, atMost: 2),
      ])),
  ])

  // MARK: - Values

  static let boolean = TextPattern.choice([.text("true"), .text("false")])
  static let null = TextPattern.text("null")

  private static let valueRule = TextPattern.choice([
    string(), number, boolean, null, list(of: value), object,
  ])

  /// Any object.
  static let object = object(further: member(string(), value))

  /// A list of so many of a rule's values.
  static func list(of rule: Int, atLeast least: Int = 0, atMost most: Int? = nil) -> TextPattern {
    list(
      PatternGraph.items(
        first: [], others: [PatternGraph.Item(pattern: .rule(rule))], (least, most), separator: comma))
  }

  static func list(_ items: PatternGraph) -> TextPattern {
    .sequence([.text("["), gap, .graph(items), gap, .text("]")])
  }

  static func string(otherThan names: [String]) -> TextPattern {
    .sequence([.text("\""), content(otherThan: names), .text("\"")])
  }

  static func member(_ key: TextPattern, _ value: Int) -> TextPattern {
    .sequence([key, .text(":"), gap, .rule(value)])
  }

  /// An object with members in their order and any number of further ones, `atLeast` to `atMost` in all.
  static func object(
    _ members: [PatternGraph.Member] = [], further: TextPattern? = nil, atLeast least: Int = 0,
    atMost most: Int? = nil
  ) -> TextPattern {
    let members = PatternGraph.members(
      members, further: further, atLeast: least, atMost: most, separator: comma)
    return .sequence([.text("{"), gap, .graph(members), gap, .text("}")])
  }
}
