import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

@testable import FireflyGeneration

/// Schemas as a grammar: every small value that the jsonschema package finds valid can be said, and no other
/// (tools/reference/schema_fixtures.py).
@Suite struct SchemaTests {
  private static let file: JSONValue? = {
    let path = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/schemas.json"
    return try? JSONValue.read(path)
  }()

  private func grammar(_ schema: String) throws -> ByteGrammar {
    try ByteGrammar(JSONSchema.rules(of: .jsonSchema(OrderedJSON.parse(schema, source: "schema"))).rules)
  }

  private func allows(_ grammar: ByteGrammar, _ text: String) -> Bool {
    var place = grammar.start
    for byte in text.utf8 { place = grammar.place(after: byte, at: place) }
    return place.isEnd
  }

  @Test func exactlyTheValidValuesCanBeSaid() throws {
    let values = (Self.file?["values"]?.array ?? []).compactMap(\.string)
    let cases = Self.file?["cases"]?.array ?? []
    #expect(values.count > 150 && cases.count > 250)
    for item in cases {
      let schema = try #require(item["schema"]?.string)
      let valid = Set((item["valid"]?.array ?? []).compactMap(\.int))
      guard !valid.isEmpty else {
        // No whole number is between 2.25 and 2.5.
        #expect(throws: FireflyError.self, "\(schema)") { _ = try self.grammar(schema) }
        continue
      }
      let grammar = try self.grammar(schema)
      for (index, value) in values.enumerated() {
        #expect(allows(grammar, value) == valid.contains(index), "\(schema) \(value)")
      }
    }
  }

  /// From wherever a text stands it goes on to an end: random bytes that are allowed never come to a place without any.
  @Test func randomTextsComeToAnEnd() throws {
    var random = TestRandom(seed: 14)
    for item in Self.file?["cases"]?.array ?? [] where item["valid"]?.array?.isEmpty == false {
      let schema = try #require(item["schema"]?.string)
      let grammar = try self.grammar(schema)
      for _ in 0..<3 {
        let text = SchemaTests.randomText(grammar, &random)
        #expect(text != nil, "\(schema)")
        if let text, allows(grammar, text) {
          #expect(throws: Never.self, "\(schema)") { try OrderedJSON.parse(text, source: "text") }
        }
      }
    }
  }

  /// A text, or the beginning of one that does not end soon; nil where there is no way on.
  private static func randomText(_ grammar: ByteGrammar, _ random: inout TestRandom) -> String? {
    var place = grammar.start
    var bytes: [UInt8] = []
    while bytes.count < 200, !place.isOver, !place.isEnd || random.next() % 3 > 0 {
      let allowed = (UInt8.min...UInt8.max).filter { byte in
        place.stacks.contains { stack in
          if let top = stack.last, case .byte(let set, _) = grammar.nodes[Int(top)] {
            set.contains(byte)
          } else {
            false
          }
        }
      }
      // What closes comes seldom among all bytes.
      let closing = allowed.filter { "\"]}".utf8.contains($0) }
      let some = closing.isEmpty || random.next() % 2 == 0 ? allowed : closing
      guard !some.isEmpty else { return nil }
      bytes.append(some[Int(random.next() % UInt64(some.count))])
      place = grammar.place(after: bytes[bytes.count - 1], at: place)
      if place.isDead { return nil }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A remark beside a length costs no more than the length.
  @Test func longTextsOfAFormatThatIsNotHeldTo() throws {
    for format in ["uri", "hostname"] {
      let grammar = try self.grammar(#"{"type": "string", "format": "\#(format)", "maxLength": 2083}"#)
      #expect(allows(grammar, "\"\(String(repeating: "é", count: 2083))\""))
      #expect(!allows(grammar, "\"\(String(repeating: "é", count: 2084))\""))
    }
  }

  @Test func anExpressionBesideALargeLength() throws {
    let grammar = try self.grammar(
      #"{"type": "string", "pattern": "^[a-z_-]+$", "maxLength": 200, "not": {"const": "a"}}"#)
    for (count, isRight) in [(0, false), (1, false), (2, true), (200, true), (201, false)] {
      #expect(allows(grammar, "\"\(String(repeating: "a", count: count))\"") == isRight, "\(count)")
    }
  }

  /// In other orders they are not said, where there are many.
  @Test func manyDifferentItemsComeInOrder() throws {
    let schema =
      #"{"items": {"enum": [1, 2, 3, 4, 5, 6, 7, 8, 9]}, "uniqueItems": true, "minItems": 2, "maxItems": 3}"#
    let (rules, notes) = try JSONSchema.rules(of: .jsonSchema(OrderedJSON.parse(schema, source: "schema")))
    let grammar = try ByteGrammar(rules)
    for text in ["[1, 2]", "[2, 5, 9]", "[8,9]"] { #expect(allows(grammar, text), "\(text)") }
    for text in ["[1]", "[2, 2]", "[1, 2, 3, 4]", "[9]", "[9, 1]"] {
      #expect(!allows(grammar, text), "\(text)")
    }
    #expect(notes.count == 1 && notes[0].contains("order"))
  }

  /// White space of ECMA 262, which Python's is not, and characters by their numbers.
  @Test func charactersOfExpressions() throws {
    for (expression, right, wrong) in [
      (#"^\\s$"#, ["\u{A0}", "\u{FEFF}", "\\n", " "], ["a", "\u{200B}"]),
      ("^.$", ["\u{2027}", "\u{85}", "\\t"], ["\u{2028}", "\\r", "\\n"]),
      (#"^\\x41\\u0042\\u{43}\\cA$"#, [], ["ABC"]),
      (#"^\\x41\\u0042\\u{1F600}\\uD83D\\uDE00\\0$"#, ["AB😀😀\\u0000"], ["AB😀"]),
      (#"^[\\b]$"#, ["\\b"], ["b"]), ("^[😀-😃]+$", ["😁😃"], ["😄"]), (#"^[^\\x00-\\uFFFF]$"#, ["😀"], ["é"]),
    ] as [(String, [String], [String])] {
      guard let grammar = try? self.grammar(#"{"pattern": "\#(expression)"}"#) else {
        #expect(right.isEmpty, "\(expression)")
        continue
      }
      for text in right { #expect(allows(grammar, "\"\(text)\""), "\(expression) \(text)") }
      for text in wrong { #expect(!allows(grammar, "\"\(text)\""), "\(expression) \(text)") }
    }
  }

  /// OpenAPI's word for what may be null.
  @Test func nullableIsAnyOfNull() throws {
    let values = (Self.file?["values"]?.array ?? []).compactMap(\.string)
    for (schema, same) in [
      (
        #"{"type": "string", "maxLength": 1, "nullable": true}"#,
        #"{"anyOf": [{"type": "string", "maxLength": 1}, {"type": "null"}]}"#
      ),
      (#"{"type": "integer", "nullable": false}"#, #"{"type": "integer"}"#),
      (
        #"{"type": "object", "properties": {"a": {"enum": [1], "nullable": true}}, "additionalProperties": false}"#,
        #"{"type": "object", "properties": {"a": {"enum": [1, null]}}, "additionalProperties": false}"#
      ),
      (
        #"{"allOf": [{"type": "integer", "minimum": 2}], "nullable": true}"#,
        #"{"anyOf": [{"type": "integer", "minimum": 2}, {"type": "null"}]}"#
      ),
    ] {
      let (grammar, expected) = (try self.grammar(schema), try self.grammar(same))
      for value in values {
        #expect(allows(grammar, value) == allows(expected, value), "\(schema) \(value)")
      }
    }
  }

  /// Zod 4 writes an expression beside a format; where the expression can be held to the format is told, else the expression.
  @Test func anExpressionBesideAFormat() throws {
    let email =
      #"{"type": "string", "format": "email", "pattern": "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"}"#
    let date =
      #"{"type": "string", "format": "date", "pattern": "^\\d{4}-(?:0[1-9]|1[0-2])-\\d{2}$"}"#
    for (schema, right, wrong, keyword) in [
      (email, "a@b.org", "a..b@c.org", "format"), (date, "2024-02-30", "2024-13-01", "format"),
      (#"{"format": "date", "pattern": "\\b2"}"#, "2024-02-28", "2024-13-01", "pattern"),
    ] {
      let (rules, notes) = try JSONSchema.rules(of: .jsonSchema(OrderedJSON.parse(schema, source: "schema")))
      let grammar = try ByteGrammar(rules)
      #expect(allows(grammar, "\"\(right)\"") && !allows(grammar, "\"\(wrong)\""))
      #expect(notes.count == 1 && notes[0].contains("\"\(keyword)\""), "\(notes)")
    }
    #expect(throws: FireflyError.self) { try self.grammar(#"{"type": "string", "pattern": "\\ba"}"#) }
  }

  /// A name of a listed member is not said in another spelling.
  @Test func membersBesideThoseListedHaveOtherNames() throws {
    let grammar = try self.grammar(
      #"{"properties": {"a": {"type": "null"}, "a\"é": {"type": "null"}}, "additionalProperties": {"type": "integer"}}"#
    )
    for text in [#"{"b": 1}"#, #"{"a": null, "ab": 1}"#, #"{"a\"": 1, "": 2}"#, #"{"a\"éé": 1}"#] {
      #expect(allows(grammar, text), "\(text)")
    }
    for text in [#"{"a": 1}"#, #"{"\u0061": 1}"#, #"{"a\"é": 1}"#, #"{"a\"\u00e9": 1}"#, #"{"b": null}"#] {
      #expect(!allows(grammar, text), "\(text)")
    }
  }
}
