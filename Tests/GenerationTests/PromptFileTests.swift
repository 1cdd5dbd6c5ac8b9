import FireflyBase
import FireflyGeneration
import FireflyText
import Foundation
import Testing

@Suite struct PromptFileTests {
  func row(_ json: String) throws -> PromptRow {
    try PromptFile.row(OrderedJSON.parse(json, source: "p:1"), place: "p:1")
  }

  @Test func theThreeShapesOfRow() throws {
    let text = try row(#"{"prompt": "one", "reference": "two"}"#)
    #expect(text == PromptRow(content: .text("one"), reference: "two", place: "p:1"))
    let user = Message(role: "user", content: "one")
    let system = Message(role: "system", content: "s")
    let firefly = try row(#"{"system": "s", "conversation": [{"human": "one", "assistant": "two"}]}"#)
    #expect(firefly == PromptRow(content: .messages([system, user]), reference: "two", place: "p:1"))
    let open = try row(
      #"{"conversation": [{"human": "one", "assistant": "two"}, {"human": "three"}]}"#)
    #expect(
      open.content
        == .messages([
          user, Message(role: "assistant", content: "two"), Message(role: "user", content: "three"),
        ]))
    #expect(open.reference == nil)
    let messages = try row(#"{"messages": [{"role": "user", "content": "one"}]}"#)
    #expect(messages == PromptRow(content: .messages([user]), place: "p:1"))
  }

  /// What one trains on can be asked as it is.
  @Test(arguments: [
    #"{"instruction": "one", "input": "", "output": "two"}"#,
    #"{"conversations": [{"from": "human", "value": "one"}, {"from": "gpt", "value": "two"}]}"#,
    #"{"prompt": [{"role": "user", "content": "one"}], "completion": [{"role": "assistant", "content": "two"}]}"#,
    #"{"prompt": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]}"#,
    #"{"query": "one", "response": "two"}"#, #"{"input": "one", "target": "two"}"#,
  ])
  func rowsOfTrainingAreQuestions(json: String) throws {
    let user = Message(role: "user", content: "one")
    #expect(try row(json) == PromptRow(content: .messages([user]), reference: "two", place: "p:1"))
  }

  @Test func aTextMayHaveItsCompletion() throws {
    let expected = PromptRow(content: .text("one"), reference: "two", place: "p:1")
    #expect(try row(#"{"prompt": "one", "completion": "two"}"#) == expected)
    #expect(
      try row(#"{"instruction": "a", "output": "b", "input": "", "odd": 1}"#).unusedKeys == ["odd"])
  }

  @Test func keysThatNothingReadsAreKnown() throws {
    #expect(
      try row(#"{"prompt": "a", "system": "s", "id": 3, "odd": 1, "reference": "b"}"#).unusedKeys == [
        "system", "odd",
      ])
    #expect(
      try row(#"{"conversation": [{"human": "a"}], "system": "s", "tools": []}"#).unusedKeys == ["tools"])
    #expect(
      try row(#"{"messages": [{"role": "user", "content": "a"}], "tools": [], "system": "s", "x": null}"#)
        .unusedKeys == [])
    #expect(try row(#"{"question": "a", "answer": "b", "system": "s", "level": 2}"#).unusedKeys == ["level"])
  }

  @Test func toolsComeAlong() throws {
    let called = try row(
      #"{"tools": [{"type": "function", "function": {"name": "f"}}], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "r"}]}"#
    )
    guard case .messages(let messages) = called.content else { return #expect(Bool(false), "no messages") }
    #expect(messages.map(\.role) == ["user", "assistant", "tool"])
    #expect(messages[1].toolCalls == [ToolCall(id: "1", name: "f", arguments: .object([:]))])
    #expect(called.tools?.first?["function"]?["name"] == .string("f"))
  }

  @Test(arguments: [
    (#"{"text": "x"}"#, "p:1"), (#"[1]"#, "p:1"), (#"{"prompt": 5}"#, "p:1: prompt"),
    (#"{"conversation": []}"#, "p:1"),
    (#"{"conversation": [{"assistant": "x"}]}"#, "p:1: conversation[0].human"),
    (#"{"conversation": [{"human": "x"}, {"human": "y"}]}"#, "p:1: conversation[0].assistant"),
    (#"{"messages": [{"role": "user"}]}"#, "p:1: messages[0]"),
    (#"{"messages": [{"role": "assistant", "content": "x"}]}"#, "p:1"),
  ])
  func wrongRowsNameTheirPlace(json: String, place: String) {
    let error = #expect(throws: FireflyError.self) { try row(json) }
    #expect(error?.place == place)
  }

  @Test func linesAreCountedWithBlankOnesAndMalformedOnesNamed() throws {
    let path = NSTemporaryDirectory() + "prompts-\(UUID().uuidString).jsonl"
    defer { unlink(path) }
    try AtomicFile.write(Data("{\"prompt\": \"a\"}\r\n\n  \n{\"prompt\": \"b\"}".utf8), to: path)
    #expect(try PromptFile.read(path).map(\.place) == ["\(path):1", "\(path):4"])
    try AtomicFile.write(Data("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"\n".utf8), to: path)
    let error = #expect(throws: FireflyError.self) { try PromptFile.read(path) }
    #expect(error?.place == "\(path):2")
    try AtomicFile.write(Data("\n".utf8), to: path)
    #expect(throws: FireflyError.self) { try PromptFile.read(path) }
  }
}
