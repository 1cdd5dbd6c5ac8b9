import FireflyText

/// Where two tokenizers give different ids, on a text with what they differ in: numbers, contractions, spaces, lines,
/// scripts, decomposed letters, code, emoji, and special tokens.
enum TokenizerProbe {
  private static let text = """
    Hello, world! It's  the DON'T of 3 men, 12345 sheep and 2,000.50 €.\tTab\n\n\n  indented   line  \r
    　全角　空格。中文和English混排，二〇二四年12月，第１２３号。日本語のテスト 한국어 Русский العربية हिन्दी ไทย
    café cafe\u{301} ﬁ Å A\u{30A} ǅ ½ x² \u{200B}zero\u{A0}width 👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇳
    def f(x):\n        return x**2 + 1  # comment_with_under_scores 0xFF 1e-5 <b>&amp;</b> https://example.org/?q=1
    """

  enum Difference: Equatable {
    case nowhere
    /// In a text with this token in it.
    case beside(String)
    case inPlainText
  }

  /// - Parameter added: tokens that are looked for in the text itself.
  static func difference(_ first: any Tokenizer, _ second: any Tokenizer, added: [String]) throws
    -> Difference
  {
    let texts = text.split(separator: "\n").map(String.init) + [text, " leading", "a", "", " ", "\n"]
    guard try texts.allSatisfy({ try same(first, second, $0) }) else { return .inPlainText }
    let unlike = try added.prefix(64).first { try !same(first, second, "a\($0)b \($0) c") }
    return unlike.map { .beside($0) } ?? .nowhere
  }

  private static func same(_ first: any Tokenizer, _ second: any Tokenizer, _ text: String) throws -> Bool {
    try [true, false].allSatisfy { special in
      try first.encode(text, parseSpecial: special) == second.encode(text, parseSpecial: special)
    }
  }
}
