import FireflyBase
import Foundation
import Testing

@Suite struct JSONValueTests {
  @Test func keepsKindsApart() throws {
    let value = try JSONValue.parse(
      #"{"a": true, "b": 1, "c": 1.5, "d": [null, "x"], "e": 0, "f": 1e3, "g": 36893488147419103232}"#,
      source: "t")
    #expect(value["a"] == .bool(true))
    #expect(value["b"] == .int(1))
    #expect(value["c"] == .double(1.5))
    #expect(value["d"] == .array([.null, .string("x")]))
    #expect(value["e"] == .int(0))
    #expect(value["f"]?.int == 1000)
    #expect(value["g"]?.double == 0x1p65)
  }

  @Test func textParsesBack() throws {
    let value: JSONValue = .object([
      "quote\"": .string("a\\b\n\u{1}é中😀"), "n": .int(-3), "x": .double(0.1), "l": .array([]),
      "o": .object([:]),
    ])
    #expect(try JSONValue.parse(value.text(), source: "t") == value)
    #expect(try JSONValue.parse(value.text(indent: 2), source: "t") == value)
  }

  @Test func readsWhatTheFormatAllows() throws {
    let text =
      #"\u{FEFF} {"\u0061\ud83d\ude00\/\b\f\n\r\t\"\\": [ -0, -1.5E-2, 1e+3 , 9223372036854775807, true,false,null ],"":{}}"#
      .replacing(#"\u{FEFF}"#, with: "\u{FEFF}")
    let value = try JSONValue.parse(text, source: "t")
    #expect(
      value["a😀/\u{8}\u{C}\n\r\t\"\\"]
        == .array([.int(0), .double(-0.015), .double(1000), .int(.max), .bool(true), .bool(false), .null]))
    #expect(value[""] == .object([:]))
    #expect(try JSONValue.parse(" 5 ", source: "t") == .int(5))
    #expect(try JSONValue.parse(#"{"a": 1, "a": 2}"#, source: "t")["a"] == .int(2))
  }

  @Test(arguments: [
    ("", "the end of the text in line 1, column 1"), ("{", "the end of the text in line 1, column 2"),
    ("{\"a\":}", "unexpected \"}\" in line 1, column 6"), ("[1 2]", "unexpected \"2\" in line 1, column 4"),
    ("nul", "unexpected \"n\""), ("{\"a\":1} x", "unexpected \"x\" in line 1, column 9"),
    ("[\n\"é\", 中]", "unexpected \"中\" in line 2, column 6"), ("[1,]", "unexpected \"]\""),
    ("{a: 1}", "unexpected \"a\""), ("{\"a\" 1}", "unexpected \"1\""), ("01", "column 3"), ("1.", "column 3"),
    ("-", "column 2"), ("+1", "unexpected \"+\""), ("1e", "column 3"), ("1e999", "out of range"),
    ("NaN", "\"N\""),
    ("\"a", "inside a string"), ("\"a\\", "inside a string"), ("\"a\nb\"", "control character"),
    ("\"\\x\"", "unknown escape"), ("\"\\u12G4\"", "hexadecimal"), ("\"\\ud800\"", "surrogate"),
    ("\"\\ud800\\u0041\"", "surrogate"), ("\"\\udc00\"", "surrogate"),
    (String(repeating: "[", count: 100_000), "nested too deep"),
  ])
  func saysWhatIsBroken(_ text: String, _ named: String) {
    let error = #expect(throws: FireflyError.self) { try JSONValue.parse(text, source: "file.json") }
    #expect(error?.description.hasPrefix("file.json: not valid JSON: ") == true)
    #expect(error?.description.contains(named) == true, "\(error?.description ?? "")")
  }

  @Test func refusesBytesThatAreNotUTF8() {
    let error = #expect(throws: FireflyError.self) {
      try JSONValue.parse(
        Data([UInt8(ascii: "["), 0x0A, UInt8(ascii: "\""), 0xFF, UInt8(ascii: "\"")]), source: "t")
    }
    #expect(
      error?.description.contains("not UTF-8 in line 2, column 2") == true, "\(error?.description ?? "")")
  }

  @Test func aReaderSkipsAndComesBack() throws {
    let text = #"{"long": [[1, "x\n"], {"y": 2}], "end": "z"}"#
    try Array(text.utf8).withUnsafeBytes { bytes in
      var reader = try JSONReader(bytes, source: "t")
      var kept: JSONReader?
      var names: [String] = []
      try reader.forEachMember { key, reader in
        names.append(String(decoding: key, as: UTF8.self))
        if kept == nil { kept = reader }
        try reader.skip()
      }
      try reader.end()
      #expect(names == ["long", "end"])
      #expect(try kept?.value() == .array([.array([.int(1), .string("x\n")]), .object(["y": .int(2)])]))
    }
  }
}
