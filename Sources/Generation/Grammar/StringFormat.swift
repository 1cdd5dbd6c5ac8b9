/// JSON Schema's formats of strings, without the quotation marks. What is not of a format cannot be written; not all that is
/// can be.
enum StringFormat {
  static let patterns: [String: TextPattern] = [
    "date": date, "time": time, "date-time": .sequence([date, .text("T"), time]), "uuid": uuid, "ipv4": ipv4,
    "email": email,
  ]

  private static func digits(_ characters: String) -> TextPattern { .bytes(ByteSet(characters)) }

  private static func two(_ least: Int, _ most: Int) -> TextPattern {
    .choice((least...most).map { .text($0 < 10 ? "0\($0)" : "\($0)") })
  }

  /// Every month has 28 days.
  private static let date = TextPattern.sequence([
    digits("12"), .repeated(JSONGrammar.digit, atLeast: 3, atMost: 3), .text("-"),
    .choice([
      .sequence([two(1, 12), .text("-"), two(1, 28)]),
      .sequence([.choice([.text("01"), .text("03"), two(4, 12)]), .text("-"), two(29, 30)]),
      .sequence([.choice(["01", "03", "05", "07", "08", "10", "12"].map(TextPattern.text)), .text("-31")]),
    ]),
  ])

  private static let time = TextPattern.sequence([
    two(0, 23), .text(":"), two(0, 59), .text(":"), two(0, 59),
    .optional(.sequence([.text("."), .repeated(JSONGrammar.digit, atLeast: 1, atMost: 6)])),
    .choice([.text("Z"), .sequence([digits("+-"), two(0, 23), .text(":"), two(0, 59)])]),
  ])

  private static let uuid: TextPattern = {
    func hex(_ count: Int) -> TextPattern {
      .repeated(digits("0123456789abcdef"), atLeast: count, atMost: count)
    }
    return .sequence([
      hex(8), .text("-"), hex(4), .text("-"), hex(4), .text("-"), hex(4), .text("-"), hex(12),
    ])
  }()

  private static let ipv4: TextPattern = {
    let part = IntegerRange(0, 255).pattern ?? .text("0")
    return .sequence([part, .text("."), part, .text("."), part, .text("."), part])
  }()

  private static let email: TextPattern = {
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    func word(_ more: String) -> TextPattern {
      .sequence([digits(letters), .repeated(digits(letters + more), atLeast: 0, atMost: 30)])
    }
    return .sequence([
      word("_+-"), .repeated(.sequence([.text("."), word("_+-")]), atLeast: 0, atMost: 3), .text("@"),
      word(""),
      .repeated(.sequence([.text("."), word("")]), atLeast: 1, atMost: 3),
    ])
  }()
}
