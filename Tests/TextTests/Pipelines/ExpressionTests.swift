import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@testable import FireflyText

/// The expressions of published tokenizers cut texts as Oniguruma does, and normal forms are those of Unicode
/// (tools/reference/expression_fixtures.py).
@Suite struct ExpressionTests {
  private static func fixture(_ name: String) throws -> JSONValue {
    try JSONValue.read(TokenizerTests.fixtures + "/expressions/\(name).json")
  }

  private static func strings(_ list: JSONValue?) throws -> [String] {
    try #require(list?.array).compactMap(\.string)
  }

  /// Lengths in bytes of the matches and of what lies between them.
  private func lengths(_ text: String, by expression: RegularExpression) throws -> [Int] {
    var lengths: [Int] = []
    try Array(text.utf8).withUnsafeBufferPointer { bytes in
      var done = 0
      try expression.forEachMatch(in: bytes, workspace: RegularExpressionWorkspace()) { match in
        if match.lowerBound > done { lengths.append(match.lowerBound - done) }
        if !match.isEmpty { lengths.append(match.count) }
        done = match.upperBound
      }
      if done < bytes.count { lengths.append(bytes.count - done) }
    }
    return lengths
  }

  @Test func cutsAreOnigurumas() throws {
    let fixture = try Self.fixture("cases")
    let texts = try Self.strings(fixture["texts"])
    let cases = try #require(fixture["expressions"]?.array)
    #expect(texts.count > 200 && cases.count == 11)
    for item in cases {
      let (name, pattern) = (try #require(item["name"]?.string), try #require(item["pattern"]?.string))
      let expression = try RegularExpression(tokenizers: pattern, at: name)
      let expected = try #require(item["lengths"]?.array)
      #expect(expected.count == texts.count)
      for (text, pieces) in zip(texts, expected) {
        let found = try lengths(text, by: expression)
        #expect(found == pieces.array?.compactMap(\.int), "\(name): \(text.debugDescription)")
      }
    }
  }

  /// Where the two dialects differ, and what only Oniguruma's has.
  @Test func theDialectIsOnigurumas() throws {
    let fixture = try Self.fixture("cases")
    let texts = try Self.strings(fixture["short"])
    let cases = try #require(fixture["dialect"]?.array)
    #expect(texts.count > 20 && cases.count > 60)
    for item in cases {
      let pattern = try #require(item["pattern"]?.string)
      let expression = try RegularExpression(tokenizers: pattern, at: "test")
      for (text, pieces) in zip(texts, item["lengths"]?.array ?? []) {
        let found = try lengths(text, by: expression)
        #expect(found == pieces.array?.compactMap(\.int), "\(pattern): \(text.debugDescription)")
      }
    }
  }

  /// Signs in any order are an expression or a message.
  @Test func noExpressionStopsTheProgram() {
    let signs = Array("[]()^&|\\-{},?*+:!<>=#imwspPxud0a1")
    var random = TestRandom(seed: 5)
    var (taken, refused) = (0, 0)
    for _ in 0..<20_000 {
      let count = Int.random(in: 1...12, using: &random)
      let pattern = String((0..<count).map { _ in signs[Int.random(in: signs.indices, using: &random)] })
      do {
        _ = try RegularExpression(tokenizers: pattern, at: "test")
        taken += 1
      } catch {
        refused += 1
      }
    }
    #expect(taken > 500 && refused > 500)
  }

  @Test(arguments: [
    ("(?x: a )", "the group"), ("(a)\\1", "the escape \"\\1\""), ("\\X", "the escape"),
    ("a{3,1}", "the repetition"),
    ("[a", "a class that has no end"), ("[a&&]", "an empty class"),
    ("[a-\\d]", "a range that ends with a class"),
    ("(a", "a group without its end"), ("a)", "without its opening one"), ("|*a", "a repetition of nothing"),
    (String(repeating: "(", count: 100_000), "brackets within each other"),
    (String(repeating: "[a", count: 100_000), "brackets within each other"),
    (String(repeating: "(?i)", count: 100_000), "brackets within each other"),
    ("(?#a\\", "a group without its end"),
    ("[[:latin:]]", "the class"), ("(?~a)", "the group"), ("\\", "a backslash at the end"),
  ]) func whatHasNoEqualIsRefused(_ pattern: String, _ words: String) {
    #expect {
      try RegularExpression(tokenizers: pattern, at: "test")
    } throws: {
      "\($0)".contains("unsupported regular expression") && "\($0)".contains(words)
    }
  }

  @Test(arguments: ["NFC", "NFD", "NFKC", "NFKD"]) func formsAreUnicodes(_ form: String) throws {
    let fixture = try Self.fixture("forms")
    let (texts, expected) = (try Self.strings(fixture["texts"]), try Self.strings(fixture[form]))
    #expect(texts.count > 50 && texts.count == expected.count)
    for (text, expected) in zip(texts, expected) {
      let found =
        switch form {
        case "NFC": UnicodeForms.compose(Array(text.utf8))
        case "NFD": UnicodeForms.decompose(Array(text.utf8))
        case "NFKC": UnicodeForms.composeCompatibly(Array(text.utf8))
        default: UnicodeForms.decomposeCompatibly(Array(text.utf8))
        }
      // Bytes: Swift's own == takes forms of one text for the same.
      #expect(found == Array(expected.utf8), "\(text.debugDescription)")
    }
  }

  /// Characters that came with Unicode 13 to 15: a pair of Dives Akuru, a small letter that only looks different.
  @Test func newerCharactersHaveForms() {
    func scalars(_ bytes: [UInt8]) -> [UInt32] {
      String(decoding: bytes, as: UTF8.self).unicodeScalars.map(\.value)
    }
    #expect(scalars(UnicodeForms.decompose(Array("\u{11938}".utf8))) == [0x11935, 0x11930])
    #expect(scalars(UnicodeForms.compose(Array("\u{11935}\u{11930}".utf8))) == [0x11938])
    #expect(scalars(UnicodeForms.composeCompatibly(Array("\u{10781}".utf8))) == [0x2D0])
  }
}
