import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Rows whose messages say what is not learnt, and rows with keys that nobody reads.
@Suite struct MessageMaskTests {
  private func load(_ rows: [String], template: String = "default") throws -> Dataset {
    let folder = try TemporaryFolder()
    let path = try folder.write(Data(rows.joined(separator: "\n").utf8), to: "rows.jsonl")
    return try withExtendedLifetime(folder) {
      try Dataset.load(
        path, template: .named(template), tokenizer: CharacterTokenizer(), maxLength: 999)
    }
  }

  private func learnt(_ sample: Sample) -> [String] {
    sample.targets.map { CharacterTokenizer().decode(Array(sample.tokens[$0]), skipSpecial: false) }
  }

  /// Every trainer's word, each in its own format.
  @Test(arguments: [
    (#""weight": 0"#, #""weight": 1"#), (#""train": false"#, #""train": true"#),
    (#""training": false"#, #""training": true"#), (#""loss": false"#, #""loss": true"#),
    (#""loss_mask": 0"#, #""loss_mask": 1"#), (#""masked": true"#, #""masked": false"#),
    (#""weight": 0.0"#, #""id": 3"#),
  ])
  func masksAreFollowed(_ off: String, _ on: String) throws {
    let rows = [
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", \#(off)}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", \#(on)}]}"#,
      #"{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b", \#(off)}, {"from": "human", "value": "c"}, {"from": "gpt", "value": "d", \#(on)}]}"#,
      #"{"conversation": [{"human": "a", "assistant": "b", \#(off)}, {"human": "c", "assistant": "d", \#(on)}]}"#,
    ]
    let data = try load(rows)
    #expect(data.samples.map(learnt) == Array(repeating: ["d </s>"], count: 3))
    #expect(
      data.samples.allSatisfy {
        CharacterTokenizer().decode($0.tokens, skipSpecial: false)
          == "User: a\nAssistant: b </s>User: c\nAssistant: d </s>"
      })
    #expect(data.report.unusedKeys == [:])
  }

  @Test func turnsOfXTuner() throws {
    let row =
      #"{"conversation": [{"system": "s", "input": "a", "output": "b", "output_with_loss": false}, {"input": "c", "output": "d", "output_with_loss": true}]}"#
    let data = try load([row])
    #expect(data.samples.map(learnt) == [["d </s>"]])
    #expect(
      CharacterTokenizer().decode(data.samples[0].tokens, skipSpecial: false).hasPrefix(
        "System: s\n\nUser: a"))
  }

  @Test func rowsWithNothingToLearnAreCountedAsThat() throws {
    let rows = [
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#,
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}"#,
    ]
    let report = try load(rows).report
    #expect(report.dropped.mapValues(\.first) == [.nothingLearnt: [2]])
    #expect(
      report.summary.contains("dropped, every answer is marked as not to be learnt: 1 (line 2)"))
  }

  @Test(arguments: [
    (#""weight": 0.5"#, "true or false, 1 or 0"), (#""loss": "no""#, "true or false, 1 or 0"),
    (#""weight": 0, "train": true"#, "contradict"),
    (#""train_detail": [{"begin_offset": 0}]"#, "train_detail"),
    (#""mask": true"#, "\"mask\""), (#""loss_scale": 2"#, "loss_scale"), (#""images": ["a.png"]"#, "images"),
  ])
  func whatCannotBeFollowedIsRefused(_ member: String, _ expected: String) {
    let row =
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", \#(member)}]}"#
    let error = #expect(throws: FireflyError.self) { try load([row]) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("rows.jsonl:1: messages[1]") == true)
  }

  @Test func aUsersMessageIsNotLearnt() throws {
    let row =
      #"{"messages": [{"role": "user", "content": "a", "MARK": true}, {"role": "assistant", "content": "b"}]}"#
    #expect(throws: FireflyError.self) { try load([row.replacing("MARK", with: "train")]) }
    #expect(try load([row.replacing("MARK", with: "loss")]).samples.map(learnt) == [["b </s>"]])
  }

  // MARK: - Every key is followed, harmless, told or refused

  /// A row of each format with a key that nothing knows.
  @Test(arguments: [
    #"{"conversation": [{"human": "a", "assistant": "b"}], "odd": 1}"#,
    #"{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "odd": 1}"#,
    #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "odd": 1}"#,
    #"{"instruction": "a", "output": "b", "odd": 1}"#, #"{"input": "a", "target": "b", "odd": 1}"#,
    #"{"chat": {"turn_1": {"Human": "a", "MOSS": "b"}}, "odd": 1}"#,
    #"{"plain_text": "[Human]: a<eoh> [MOSS]: b<eoa>", "odd": 1}"#,
    #"{"query": "a", "response": "b", "odd": 1}"#,
    #"{"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}], "odd": 1}"#,
  ])
  func unknownKeysOfRowsAreTold(_ row: String) throws {
    let report = try load([row]).report
    #expect(report.unusedKeys.mapValues(\.first) == ["odd": [1]])
    #expect(report.summary.contains("key that nothing reads, \"odd\": 1 (line 1)"))
    #expect(report.json["unused_keys"]?["odd"]?["count"] == .int(1))
  }

  /// Within keys that are read, what is left out.
  @Test(arguments: [
    (
      #"{"chat": {"turn_1": {"Human": "a", "MOSS": "b", "Inner Thoughts": "<|Inner Thoughts|>: hm<eot>", "Tool Responses": "<|Results|>: None<eor>"}}}"#,
      "chat.Inner Thoughts"
    ),
    (#"{"chat": {"turn_1": {"Human": "a", "MOSS": "b", "odd": 1}}}"#, "chat.odd"),
    (#"{"chat": {"turn_1": {"Human": "a", "MOSS": "b"}}, "meta_instruction": "s", "system": "t"}"#, "system"),
    (
      #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "system": "t"}"#,
      "system"
    ),
    (
      #"{"conversation": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "system": "t"}"#,
      "system"
    ),
    (
      #"{"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "system": "t"}"#,
      "system"
    ),
    (
      #"{"messages": [{"role": "system", "content": "s", "tools": [], "weight": 0, "id": 1}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#,
      "message.tools"
    ),
    (
      #"{"conversation": [{"input": "a", "output": "b"}, {"input": "c", "output": "d", "system": "x"}]}"#,
      "conversation.system"
    ),
    (#"{"kind": "k", "input": "a", "target": "b</s>c"}"#, "target (the last utterance)"),
    (
      #"{"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "system": "t"}"#,
      "system"
    ),
  ])
  func whatIsLeftOutOfKeysIsTold(_ row: String, _ key: String) throws {
    #expect(try load([row]).report.unusedKeys.mapValues(\.first) == [key: [1]])
    #expect(try load([row.replacing(#""system": "t""#, with: #""system": "s""#)]).report.kept == 1)
  }

  @Test func unknownKeysOfMessagesAreTold() throws {
    let rows = [
      #"{"messages": [{"role": "user", "content": "a", "mood": "x"}, {"role": "assistant", "content": "b"}]}"#,
      #"{"conversation": [{"human": "a", "assistant": "b", "mood": "x"}]}"#,
    ]
    #expect(try load(rows).report.unusedKeys.mapValues(\.first) == ["message.mood": [1, 2]])
  }

  @Test(arguments: ["images", "videos", "audios", "kto_tag", "rejected_response"])
  func rowsOfOtherKindsAreRefused(_ key: String) throws {
    let row =
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "KEY": VALUE}"#
      .replacing("KEY", with: key)
    let error = #expect(throws: FireflyError.self) { try load([row.replacing("VALUE", with: "[\"x\"]")]) }
    #expect(error?.description.contains("\"\(key)\" is not supported") == true)
    #expect(try load([row.replacing("VALUE", with: "[]")]).report.kept == 1, "an empty list says nothing")
  }

  /// What comes with rows of OpenAI's, and says nothing of what is learnt.
  @Test func harmlessKeysAreNotTold() throws {
    let row =
      #"{"id": 1, "source": "s", "messages": [{"role": "user", "content": "a", "id": "m1"}, {"role": "assistant", "content": "b", "refusal": null, "timestamp": 1}], "parallel_tool_calls": false}"#
    #expect(try load([row]).report.unusedKeys == [:])
  }
}
