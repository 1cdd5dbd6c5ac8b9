import FireflyBase
import Testing

@Suite struct OrderedJSONTests {
  @Test func membersKeepTheirOrder() throws {
    let value = try OrderedJSON.parse(
      #"{"b": 1, "a": [true, null, {"z": "x", "y": 2.5}], "c": "é"}"#, source: "test")
    #expect(value.object?.keys == ["b", "a", "c"])
    #expect(value["a"]?.array?.last?.object?.keys == ["z", "y"])
    #expect(value["b"]?.double == 1 && value["c"]?.string == "é")
    #expect(value.unordered["a"]?.array?.count == 3)
  }

  /// As in Python: the last value, at the first one's place; with few members and with many.
  @Test(arguments: [2, 40]) func aKeyThatStandsTwice(_ count: Int) throws {
    let others = (0..<count).map { "\"k\($0)\": \($0)" }.joined(separator: ", ")
    let value = try OrderedJSON.parse("{\"k0\": -1, \(others), \"k1\": -2}", source: "test")
    let members = try #require(value.object)
    #expect(members.keys == (0..<count).map { "k\($0)" })
    #expect(members["k0"] == .int(0) && members["k1"] == .int(-2))
    var fewer = members
    fewer["k0"] = nil
    #expect(fewer.keys == (1..<count).map { "k\($0)" } && fewer["k1"] == .int(-2))
  }

  /// To Swift's strings two Unicode forms are equal; to Python's they are not.
  @Test(arguments: [0, 40]) func keysInTwoUnicodeForms(_ count: Int) throws {
    let others = (0..<count).map { ", \"k\($0)\": 0" }.joined()
    let text = "{\"\u{E9}\": 1, \"e\u{301}\": 2\(others)}"
    let members = try #require(OrderedJSON.parse(text, source: "test").object)
    #expect(members.keys.count == count + 2)
    #expect(members["\u{E9}"] == .int(1) && members["e\u{301}"] == .int(2))
    #expect {
      try JSONValue.parse(text, source: "test")
    } throws: {
      "\($0)".contains("a key that differs from another only in its Unicode form in line 1, column")
    }
  }

  @Test(arguments: ["{\"a\": }", "[1,", "", "{} x"]) func brokenTextIsRefused(_ text: String) {
    #expect(throws: FireflyError.self) { try OrderedJSON.parse(text, source: "test") }
  }
}
