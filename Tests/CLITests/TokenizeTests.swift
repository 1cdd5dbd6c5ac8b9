import FireflyBase
import Testing

@Suite struct TokenizeTests {
  @Test func idsAreHuggingFacesAndDecodeBack() throws {
    let texts = try #require(try Fixture.expected()["texts"]?.array)
    let lines = texts.map { $0["text"]?.text() ?? "null" }
    let outcome = try Command.run(
      "tokenize", Fixture.model, "--json", input: lines.joined(separator: "\n"))
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    let found = try outcome.json()
    #expect(found.count == texts.count)
    for (found, expected) in zip(found, texts) {
      #expect(found["ids"] == expected["ids"])
      #expect(found["decoded"] == expected["text"])
    }
  }

  @Test func aPlainLineBecomesALineOfIds() throws {
    let input = "a \"b\"\n\n你好\n"
    let plain = try Command.run("tokenize", Fixture.model, input: input)
    #expect(plain.status == 0 && plain.errors.isEmpty)
    let objects = try Command.run(
      "tokenize", Fixture.model, "--json", input: "\"a \\\"b\\\"\"\n\"\"\n\"你好\"\n"
    ).json()
    let expected = objects.map { $0["ids"]?.array?.map { "\($0.int ?? -1)" }.joined(separator: " ") ?? "" }
    #expect(expected.count == 3 && !expected[0].isEmpty && expected[1].isEmpty)
    #expect(plain.output == expected.map { $0 + "\n" }.joined())
  }

  @Test func specialTokensAreTextWhenAskedFor() throws {
    let input = #""<|im_end|>""#
    let parsed = try Command.run("tokenize", Fixture.model, "--json", "--parse-special", input: input).json()
    #expect(parsed[0]["ids"] == .array([.int(2)]))
    let plain = try Command.run(
      "tokenize", Fixture.model + "/tokenizer.json", "--json", "--no-parse-special", input: input
    ).json()
    #expect((plain[0]["ids"]?.array?.count ?? 0) > 1)
    #expect(plain[0]["decoded"] == .string("<|im_end|>"))
  }

  @Test func countsTexts() throws {
    let texts = "\"a b\"\n\"\"\n\"<|im_end|>\""
    let ids = try Command.run("tokenize", Fixture.model, "--json", input: texts).json()
      .reduce(0) { $0 + ($1["ids"]?.array?.count ?? 0) }
    let found = try #require(
      try Command.run("tokenize", Fixture.model, "--json", "--count", input: texts).json().first)
    #expect(found["texts"] == .int(3))
    #expect(found["tokens"] == .int(ids))
    #expect((found["load_seconds"]?.double ?? 0) > 0)
    #expect((found["encode_seconds"]?.double ?? -1) >= 0)
  }

  @Test(arguments: [
    ("\"a\"\n[1]\n", "standard input:2: not a JSON string (expected \"text\", found a list)"),
    ("\"a\"\nb\n", "standard input:2: not valid JSON"),
    ("\"a\"\n\n", "standard input:2: not valid JSON"),
  ])
  func aLineThatIsNoStringIsNamed(input: String, message: String) throws {
    let outcome = try Command.run("tokenize", Fixture.model, "--json", input: input)
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("firefly: \(message)"))
    #expect(outcome.output.split(separator: "\n").count == 1)
  }
}
