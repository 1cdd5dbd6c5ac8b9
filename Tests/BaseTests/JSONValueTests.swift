import FireflyBase
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

  @Test(arguments: ["", "{", "{\"a\":}", "[1 2]", "nul", "{\"a\":1} x"])
  func refusesBrokenText(_ text: String) {
    #expect(throws: FireflyError.self) { try JSONValue.parse(text, source: "t") }
  }
}
