import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Writes `content` to a file of its own, which is gone after `body`.
private func withFile<Value>(_ content: Data, _ body: (String) throws -> Value) throws -> Value {
  let folder = try TemporaryFolder()
  let path = try folder.write(content, to: "rows.jsonl")
  return try withExtendedLifetime(folder) { try body(path) }
}

private func load(
  _ text: String, template: String = "firefly", maxLength: Int = 1024
) throws -> Dataset {
  try withFile(Data(text.utf8)) { path in
    try Dataset.load(
      path, template: try ChatTemplate.named(template), tokenizer: CharacterTokenizer(), maxLength: maxLength)
  }
}

private func row(_ turns: (String, String)...) -> String {
  let list = turns.map { #"{"human": "\#($0.0)", "assistant": "\#($0.1)"}"# }
  return #"{"conversation_id": 1, "conversation": [\#(list.joined(separator: ", "))], "dataset": "t"}"#
}

private func text(_ sample: Sample) -> String {
  CharacterTokenizer().decode(sample.tokens, skipSpecial: false)
}

@Suite struct DatasetTests {
  @Test func keepsOrderAndLines() throws {
    let file = "\u{FEFF}" + row(("a", "b")) + "\r\n\n  \t\n" + row(("中", "😀\\n")) + "\n" + row(("e", "f"))
    let dataset = try load(file)
    #expect(dataset.samples.map(\.line) == [1, 4, 5])
    #expect(dataset.samples.map(text) == ["<s>a</s>b</s>", "<s>中</s>😀\n</s>", "<s>e</s>f</s>"])
    #expect(dataset.report.rows == 3 && dataset.report.kept == 3 && dataset.report.blankLines == 2)
    #expect(dataset.report.tokens == 5 + 6 + 5)
    #expect(dataset.report.targets == 2 + 3 + 2)
  }

  @Test func countsWhatTruncationTakes() throws {
    let rows = [
      row(("a", "b")),  // 5 tokens: fits
      row(("aaaaaaaa", "b")),  // no answer left
      row(("a", "bbbbbbbb")),  // the answer is cut
      row(("a", "bb"), ("cccc", "d")),  // cut between answers: the first one keeps its stop
      row(("a", "bbb"), ("c", "d")),  // cut just behind the stop
    ]
    let report = try load(rows.joined(separator: "\n"), maxLength: 7).report
    #expect(report.kept == 4)
    #expect(report.dropped.mapValues(\.first) == [.noTarget: [2]])
    #expect(report.truncated.first == [3, 4, 5])
    #expect(report.cutAnswers.first == [3])
    #expect(report.longest == 13)
    #expect(report.lengthPercentiles == [50: 7, 90: 7, 99: 7, 100: 7])
    #expect(report.tokens == 5 + 7 + 7 + 7)
    #expect(report.targets == 2 + 4 + 3 + 4)
    let told = report.summary.joined(separator: "\n")
    #expect(told.contains("dropped, no answer within max_seq_length: 1 (line 2)"))
    #expect(told.contains("answers cut before their stop token: 1 (line 3)"))
    #expect(report.json["dropped"]?[DropReason.noTarget.rawValue]?["count"] == .int(1))
  }

  @Test func nothingLeftIsAnError() throws {
    let error = #expect(throws: FireflyError.self) { try load(row(("aaaaaaaa", "b")), maxLength: 7) }
    #expect(error?.what == "no row is left to train on")
    #expect(error?.fix?.contains("max_seq_length") == true)
    #expect(throws: FireflyError.self) { try load(row(("a", "b")), maxLength: 1) }
  }

  @Test func systemTextWithoutAPlaceIsCounted() throws {
    let line = #"{"system": "s", "conversation": [{"human": "a", "assistant": "b"}]}"#
    #expect(try load(line).report.lost[.system]?.first == [1])
    #expect(try load(line, template: "mistral").report.lost[.system]?.count == 1)
    let kept = try load(line, template: "default")
    #expect(kept.report.lost == [:])
    #expect(kept.samples.map(text) == ["System: s\n\nUser: a\nAssistant: b </s>"])
  }

  @Test func manyRowsComeInOrder() throws {
    let count = 10_000
    let rows = (1...count).map { row(("q\($0)", "a\($0)")) }
    var shares: [Double] = []
    let dataset = try withFile(Data(rows.joined(separator: "\n").utf8)) { path in
      try Dataset.load(
        path, template: try ChatTemplate.named("firefly"), tokenizer: CharacterTokenizer(), maxLength: 99
      ) { shares.append($0) }
    }
    #expect(dataset.samples.map(text) == (1...count).map { "<s>q\($0)</s>a\($0)</s>" })
    #expect(dataset.samples.map(\.line) == Array(1...count))
    #expect(shares == shares.sorted() && shares.last == 1)
  }

  @Test func firstBadLineIsNamed() throws {
    var rows = (1...5000).map { row(("q\($0)", "a")) }
    rows[4321] = "{"
    rows[4400] = "{"
    let error = #expect(throws: FireflyError.self) { try load(rows.joined(separator: "\n")) }
    #expect(error?.place?.hasSuffix(".jsonl:4322") == true)
  }

  // MARK: - Bad rows

  @Test(arguments: [
    ("{\"conversation\": [", "not valid JSON"),
    ("[{\"conversation\": []}]", "not an object"),
    ("[{\"conversation\"", "not valid JSON"),
    ("3", "not an object"),
    ("{}", "an empty object"),
    ("{\"text\": \"plain\"}", "\"task_type\": \"pretrain\""),
    ("{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}", "for DPO"),
    ("{\"question\": \"a\"}", "found \"question\""),
    ("{\"conversation\": null}", "no shape that is known"),
    ("{\"conversation\": []}", "at least one turn"),
    ("{\"conversation\": {}}", "expected a list, found an object"),
    ("{\"conversation\": [\"a\"]}", "wrong \"conversation[0]\""),
    ("{\"conversation\": [{\"human\": \"a\"}]}", "wrong \"assistant\" (expected a string, found nothing)"),
    ("{\"conversation\": [{\"human\": 3, \"assistant\": \"b\"}]}", "expected a string, found a number"),
    ("{\"conversation\": [{\"human\": \"a\", \"assistant\": null}]}", "found nothing"),
    ("{\"conversation\": [{\"human\": \"a\", \"assistant\": \"b\"}], \"system\": 1}", "wrong \"system\""),
    ("{\"messages\": [{\"role\": \"robot\", \"content\": \"a\"}]}", "found robot"),
    ("{\"instruction\": \"a\", \"output\": \"b\", \"history\": [[\"x\"]]}", "history[0]"),
  ])
  func badRowIsNamedByLine(_ bad: String, _ expected: String) throws {
    let error = #expect(throws: FireflyError.self) { try load(row(("a", "b")) + "\n\n" + bad + "\n") }
    let told = error?.description ?? ""
    #expect(told.contains(".jsonl:3"), "\(told)")
    #expect(told.contains(expected), "\(told)")
  }

  @Test func invalidBytesAreNamedByLine() throws {
    let bytes = Data((row(("a", "b")) + "\n").utf8) + Data([0x7B, 0x22, 0xC3, 0x28, 0x22, 0x7D])
    let error = #expect(throws: FireflyError.self) {
      try withFile(bytes) { path in
        try Dataset.load(
          path, template: try ChatTemplate.named("firefly"), tokenizer: CharacterTokenizer(), maxLength: 9)
      }
    }
    #expect(error?.description.contains(".jsonl:2: the line is not valid UTF-8") == true)
  }

  @Test(arguments: ["", "\n \n", "\u{FEFF}"]) func emptyFileIsAnError(_ content: String) {
    let error = #expect(throws: FireflyError.self) { try load(content) }
    #expect(["the file is empty", "the file has no rows"].contains(error?.what))
  }

  @Test func missingFileIsAnError() {
    #expect(throws: FireflyError.self) {
      try Dataset.load(
        "/nonexistent/rows.jsonl", template: try ChatTemplate.named("firefly"),
        tokenizer: CharacterTokenizer(), maxLength: 9)
    }
  }
}

/// The other shapes of rows, told by their keys.
@Suite struct DatasetFormatTests {
  private let expected = "System: s\n\nUser: a\nAssistant: b </s>User: c\nAssistant: d </s>"

  @Test(arguments: [
    #"{"conversation": [{"human": "a", "assistant": "b"}, {"human": "c", "assistant": "d"}], "system": "s"}"#,
    #"""
    {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, {"from": "user", "value": "c"}, {"from": "assistant", "value": "d"}], "system": "s"}
    """#,
    #"""
    {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]}
    """#,
    #"""
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}
    """#,
    #"{"instruction": "c", "input": "", "output": "d", "system": "s", "history": [["a", "b"]]}"#,
    #"""
    {"conversations": [{"role": "System", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "User", "content": "c"}, {"role": "assistant", "content": "d"}]}
    """#,
    #"""
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "a"}]}, {"role": "assistant", "content": "b"}, {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "c"}]}, {"role": "assistant", "content": "d"}]}
    """#,
    #"""
    {"meta_instruction": "s", "num_turns": 2, "chat": {"turn_1": {"Human": "<|Human|>: a<eoh>\n", "Inner Thoughts": "<|Inner Thoughts|>: None<eot>\n", "Commands": "<|Commands|>: None<eoc>\n", "Tool Responses": "<|Results|>: None<eor>\n", "MOSS": "<|MOSS|>: b<eom>\n"}, "turn_2": {"Human": "<|Human|>: c<eoh>\n", "MOSS": "<|MOSS|>: d<eom>\n"}}}
    """#,
    #"{"conversation": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}], "system": "s"}"#,
    #"{"conversations": ["a", "b", "c", "d"], "system": "s"}"#,
    #"{"conversations": [{"question": "a", "answer": "b"}, {"question": "c", "answer": "d"}], "system": "s"}"#,
    #"{"data": ["a", "b", "c", "d"], "system": "s"}"#,
    #"{"system_prompt": "s", "question": "c", "response": "d", "history": [["a", "b"]]}"#,
    #"{"prefix": "s", "num_turns": 2, "plain_text": "[Human]: a<eoh> [MOSS]: b<eoa> [Human]: c<eoh> [MOSS]: d<eoa>"}"#,
  ])
  func theSameConversation(_ line: String) throws {
    #expect(try load(line, template: "default").samples.map(text) == [expected])
  }

  /// A .json file that is one list, told by its first character.
  @Test func aListOfRows() throws {
    let file =
      "\u{FEFF}\n[\n" + row(("a", "[{\\\"\\n]")) + ",\n\n" + row(("c", "d")) + " , " + row(("e", "f"))
      + "\n]\n"
    let dataset = try load(file)
    #expect(dataset.samples.map(text) == ["<s>a</s>[{\"\n]</s>", "<s>c</s>d</s>", "<s>e</s>f</s>"])
    #expect(dataset.samples.map(\.line) == [3, 5, 5])
  }

  @Test(arguments: [
    ("[]", "the file has no rows"), ("[{}", "the list does not end"), ("[{},]", "a row is missing"),
    ("[{\"a\": \"]", "a string does not end"), ("[{}] x", "something follows the list"),
    ("[\n3]", ":2: the row is not an object"),
    ("[{}\n{}]", "not valid JSON"), ("[\n{},\n{\"text\": 1}]", ":2: the row has no shape"),
  ])
  func badListsAreTold(_ file: String, _ expected: String) {
    let error = #expect(throws: FireflyError.self) { try load(file) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
  }

  @Test func toolTurnsOfMossAreDropped() throws {
    let rows = [
      row(("a", "b")),
      #"{"chat": {"turn_1": {"Human": "<|Human|>: a<eoh>", "Commands": "<|Commands|>: Search(\"x\")<eoc>", "MOSS": "<|MOSS|>: b<eom>"}}}"#,
    ]
    #expect(try load(rows.joined(separator: "\n")).report.dropped.mapValues(\.first) == [.toolMessages: [2]])
  }

  /// Columns beside a format's own words for them.
  @Test(arguments: [
    #"{"chat": {"turn_1": {"Human": "a", "MOSS": "b"}}, "system": "s", "tools": [{"name": "f"}]}"#,
    #"{"plain_text": "[Human]: a<eoh> [MOSS]: b<eoa>", "system": "s", "tools": "[{\"name\": \"f\"}]"}"#,
  ])
  func columnsOfMossAreRead(_ row: String) throws {
    let report = try load(row).report
    #expect(report.unusedKeys == [:])
    #expect(
      report.lost.mapValues(\.first) == [.system: [1], .tools: [1]], "the template has no place for them")
  }

  @Test func instructionAndInputAreTwoLines() throws {
    let sample = try load(#"{"instruction": "add", "input": "1 2", "output": "3"}"#).samples[0]
    #expect(text(sample) == "<s>add\n1 2</s>3</s>")
  }

  /// One question and its answer, in the words of well-known sets of rows.
  @Test(arguments: [
    (#"{"instruction": "q", "context": "c", "response": "a", "category": "open_qa"}"#, "q\nc"),
    (#"{"instruction": "q", "context": "", "response": "a"}"#, "q"),
    (#"{"instruction": "q", "input": "i", "response": "a"}"#, "q\ni"),
    (#"{"question": "q", "answer": "a"}"#, "q"), (#"{"prompt": "q", "response": "a"}"#, "q"),
    (#"{"input": "q", "output": "a"}"#, "q"), (#"{"problem": "q", "solution": "a"}"#, "q"),
    (#"{"id": "1", "question": "q", "response": "a", "system_prompt": ""}"#, "q"),
  ])
  func questionsAndAnswers(_ row: String, _ question: String) throws {
    let dataset = try load(row)
    #expect(dataset.samples.map(text) == ["<s>\(question)</s>a</s>"])
    #expect(dataset.report.unusedKeys == [:])
  }

  /// TRL's and LLaMA-Factory's rows for KTO say what not to learn.
  @Test(arguments: [
    #"{"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}], "label": false}"#,
    #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "label": true}"#,
  ])
  func answersToAvoidAreRefused(_ row: String) {
    let error = #expect(throws: FireflyError.self) { try load(row) }
    #expect(error?.what.hasPrefix("\"label\" is not supported") == true)
  }

  /// ms-swift's and TRL's shapes.
  @Test func queriesAndCompletions() throws {
    let rows = [
      #"{"query": "c", "response": "d", "history": [["a", "b"]]}"#,
      #"{"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}], "completion": [{"role": "assistant", "content": "d"}]}"#,
    ]
    let dataset = try load(rows.joined(separator: "\n"))
    #expect(dataset.samples.map(text) == ["<s>a</s>b</s>c</s>d</s>", "<s>a</s>b</s>c</s>d</s>"])
    #expect(dataset.report.formats == ["completion": 1, "query": 1])
    let error = #expect(throws: FireflyError.self) { try load(#"{"prompt": "a", "completion": "b"}"#) }
    #expect(error?.fix?.contains("conversation") == true)
  }

  @Test func taskRowsMayPackTurnsIntoTheTarget() throws {
    let rows = [
      #"{"kind": "Dialogue", "input": "a", "target": "b</s>c</s>d"}"#,
      #"{"kind": "Dialogue", "input": "a", "target": "b</s>c"}"#,
    ]
    let dataset = try load(rows.joined(separator: "\n"))
    #expect(dataset.samples.map(text) == ["<s>a</s>b</s>c</s>d</s>", "<s>a</s>b</s>"])
    #expect(dataset.report.formats == ["tasks": 2])
  }

  @Test func rowsThatCannotBeLearntAreDroppedByReason() throws {
    let rows = [
      row(("a", "b")),
      #"{"messages": [{"role": "user", "content": "a"}]}"#,
      #"{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}"#,
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}"#,
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null}]}"#,
    ]
    let report = try load(rows.joined(separator: "\n")).report
    #expect(report.kept == 1)
    #expect(
      report.dropped.mapValues(\.first) == [.rolesDoNotAlternate: [2, 3, 4], .noText: [5]])
  }
}
