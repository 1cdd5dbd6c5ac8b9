import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Plain texts packed into blocks: the specification's section 2.4 and golden test g.
@Suite struct PlainTextTests {
  private static func inFolder<Value>(_ files: [String: String], _ body: (String) throws -> Value) throws
    -> Value
  {
    let folder = try TemporaryFolder()
    for (name, content) in files { try folder.write(content, to: name) }
    return try withExtendedLifetime(folder) { try body(folder.path) }
  }

  private static func load(
    _ content: String, name: String = "texts.jsonl", maxLength: Int, addsBOS: Bool = false
  ) throws -> Dataset {
    try inFolder([name: content]) { folder in
      try Dataset.load(
        "\(folder)/\(name)", template: nil, tokenizer: CharacterTokenizer(addsBOS: addsBOS),
        maxLength: maxLength)
    }
  }

  private static func row(_ letter: String, _ count: Int) -> String {
    #"{"text": "\#(String(repeating: letter, count: count))"}"#
  }

  @Test func goldenG() throws {
    let two = try Self.load(Self.row("a", 700) + "\n" + Self.row("b", 800), maxLength: 1024)
    let u = CharacterTokenizer().plain
    #expect(two.samples.count == 1)
    #expect(
      two.samples[0].tokens == u(String(repeating: "a", count: 700) + String(repeating: "b", count: 324)))
    #expect(two.samples[0].targetCount == 1023)
    #expect(two.report.leftOver == 476)
    let one = try Self.load(Self.row("a", 500), maxLength: 1024)
    #expect(one.samples.map(\.tokens) == [u(String(repeating: "a", count: 500))])
    #expect(one.report.leftOver == 0)
  }

  @Test func everyTokenButTheFirstIsATarget() throws {
    let data = try Self.load(Self.row("a", 3) + "\n\n" + Self.row("b", 4), maxLength: 3, addsBOS: true)
    let u = CharacterTokenizer().plain
    #expect(data.samples.map(\.tokens) == [[1] + u("aa"), u("a") + [1] + u("b"), u("bbb")])
    #expect(data.samples.allSatisfy { $0.labels.dropLast().elementsEqual($0.tokens.dropFirst()) })
    #expect(data.samples.map(\.line) == [1, 1, 3])
    #expect(data.report.rows == 2 && data.report.kept == 3 && data.report.targets == 6)
    #expect(data.report.summary.first == "2 texts in 3 blocks, 9 tokens, 6 of them targets")
  }

  /// What is left over is dropped at the end of each thousand texts.
  @Test func groupsOfAThousandTexts() throws {
    let rows = (0..<1500).map { _ in Self.row("a", 5) }.joined(separator: "\n")
    let data = try Self.load(rows, maxLength: 64)
    #expect(data.samples.count == 5000 / 64 + 2500 / 64)
    #expect(data.report.leftOver == 5000 % 64 + 2500 % 64)
  }

  @Test func aTextFileIsOneText() throws {
    let data = try Self.load("\u{FEFF}one\n\ntwo</s>", name: "book.txt", maxLength: 100)
    #expect(data.samples.map(\.tokens) == [CharacterTokenizer().plain("one\n\ntwo") + [2]])
  }

  /// Alpaca's column of whole texts, beside what they were made of.
  @Test func otherColumnsDoNotMatter() throws {
    let row = #"{"instruction": "a", "input": "", "output": "b", "text": "cd"}"#
    let data = try Self.load(row, name: "rows.jsonl", maxLength: 100)
    #expect(data.samples.map(\.tokens) == [CharacterTokenizer().plain("cd")])
  }

  @Test func aFolderIsReadInOrder() throws {
    let files = [
      "b.jsonl": Self.row("b", 2), "a/z.txt": "zz", "a/c.json": "[\(Self.row("c", 2)),\n\(Self.row("d", 2))]",
      "note.md": "no",
    ]
    let texts = try Self.inFolder(files) { folder in
      try Dataset.load(folder, template: nil, tokenizer: CharacterTokenizer(), maxLength: 4).samples.map {
        CharacterTokenizer().decode($0.tokens, skipSpecial: false)
      }
    }
    #expect(texts == ["ccdd", "zz", "bb"])
  }

  @Test(arguments: [
    (#"{"conversation": [{"human": "a", "assistant": "b"}]}"#, "no plain text"),
    (#"{"text": 3}"#, "wrong \"text\""),
    (#"{"prompt": "a", "chosen": "b", "rejected": "c"}"#, "its shape is \"preference\""),
  ])
  func otherRowsAreRefused(_ row: String, _ expected: String) throws {
    let error = #expect(throws: FireflyError.self) {
      try Self.load(Self.row("a", 9) + "\n" + row, maxLength: 4)
    }
    let told = error?.description ?? ""
    #expect(told.contains("texts.jsonl:2") && told.contains(expected), "\(told)")
  }

  @Test func aFolderWithoutTextsIsTold() throws {
    let error = #expect(throws: FireflyError.self) {
      try Self.inFolder(["note.md": "x"]) {
        try Dataset.load($0, template: nil, tokenizer: CharacterTokenizer(), maxLength: 4)
      }
    }
    #expect(error?.what == "the folder has no texts")
  }

  /// With a template, texts and folders are no conversations.
  @Test func conversationsAreWantedWithATemplate() throws {
    let template = try ChatTemplate.named("firefly")
    for (name, content, expected) in [
      ("rows.jsonl", Self.row("a", 3), "plain text, not a conversation"),
      ("book.txt", "a", "holds no conversations"),
    ] {
      let error = #expect(throws: FireflyError.self) {
        try Self.inFolder([name: content]) {
          try Dataset.load($0 + "/" + name, template: template, tokenizer: CharacterTokenizer(), maxLength: 9)
        }
      }
      #expect(error?.description.contains(expected) == true)
      #expect(error?.fix?.contains("pretrain") == true)
    }
  }
}
