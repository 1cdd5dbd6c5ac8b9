import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Conversations that end within an answer, which is to go on.
@Suite struct ContinuationTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()

  private func message(_ json: JSONValue) -> Message {
    Message(role: json["role"]?.string ?? "", content: json["content"]?.string ?? "")
  }

  /// Numbers come from transformers (tools/reference/continuation_fixtures.py).
  @Test func promptsAreThoseOfTransformers() throws {
    let sources = try JSONValue.read(Self.fixtures.path + "/../JinjaTests/Fixtures/templates.json")
    let cases =
      try JSONValue.read(Self.fixtures.path + "/Fixtures/continued/cases.json")["cases"]?.array ?? []
    #expect(cases.count == 648)
    for item in cases {
      let name = try #require(item["template"]?.string)
      let messages = (item["messages"]?.array ?? []).map(message)
      let tokenizer = CharacterTokenizer(
        specials: ["<unk>", "<s>", "</s>"], chatTemplate: sources[name]?.string)
      let template = try ChatTemplate.named("auto", tokenizer: tokenizer)
      let tokens = Result {
        try template.promptTokens(history: messages, continuesAnswer: true, tokenizer: tokenizer)
      }
      guard let text = item["text"]?.string else {
        #expect(throws: FireflyError.self, "\(item.text())") { try tokens.get() }
        continue
      }
      let own = tokenizer.decode(try tokens.get(), skipSpecial: false)
      // llama3 tells the day, which is another here than in the reference's run.
      let day = /Today: \d\d \w{3} \d{4}\n/
      #expect(own.contains(day) == (name == "llama3"))
      #expect(own.replacing(day, with: "") == text.replacing(day, with: ""), "\(name)")
    }
  }

  @Test(arguments: ChatTemplate.names) func aNamedTemplatesPromptIsTheBeginningOfItsRow(_ name: String) throws
  {
    let tokenizer = CharacterTokenizer(
      specials: [
        "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<bos>", "<eos>", "[gMASK]",
        "sop", "<|system|>", "<|user|>", "<|assistant|>",
      ])
    let template = try ChatTemplate.named(name)
    let row = try #require(
      try template.sample(
        Conversation(
          system: "s",
          turns: [Turn(human: "ab", assistant: "c"), Turn(human: "f", assistant: "The end is near")]),
        tokenizer: tokenizer, maxLength: 4096))
    let history = [
      Message(role: "user", content: "ab"), Message(role: "assistant", content: "c"),
      Message(role: "user", content: "f"), Message(role: "assistant", content: "The end "),
    ]
    let prompt = try template.promptTokens(
      history: history, system: "s", continuesAnswer: true, tokenizer: tokenizer)
    let answer = try #require(row.targets.last)
    #expect(prompt == Array(row.tokens[..<prompt.count]))
    #expect(prompt.suffix(8) == tokenizer.plain("The end ").suffix(8))
    let lead = name == "glm4" ? 1 : 0  // a line begins before its answers
    #expect(prompt.count == answer.lowerBound + lead + 8)
  }

  @Test func whatCannotGoOnIsRefused() throws {
    let template = try ChatTemplate.named("default")
    let question = Message(role: "user", content: "a")
    let call = JSONMembers(
      dictionaryLiteral: (
        "tool_calls", .array([ToolCall(name: "f", arguments: .object([:])).openAI])
      ))
    for (last, words) in [
      (question, "no answer to go on with"), (Message(role: "assistant", content: ""), "has no text"),
      (Message(role: "assistant", content: "x", members: call), "calls a tool"),
    ] {
      let error = thrownError {
        _ = try template.promptTokens(
          history: [question, last], continuesAnswer: true, tokenizer: CharacterTokenizer())
      }
      #expect(error?.what.contains(words) == true)
    }
  }

  /// A prompt tells what of the conversation is not in it.
  @Test func whatATemplateLeavesOutIsTold() throws {
    func lost(_ source: String, _ messages: [Message]) throws -> Set<LostPart> {
      let tokenizer = CharacterTokenizer(chatTemplate: source)
      let template = try ChatTemplate.named("auto", tokenizer: tokenizer)
      return try template.prompt(history: messages, tokenizer: tokenizer, budget: .max).lost
    }
    let named = Message(role: "user", content: "a", members: ["name": .string("Ann")])
    let thought = Message(
      role: "assistant", content: "b", members: ["reasoning_content": .string("because")])
    let plain = "{% for m in messages %}{{ m.content }}|{% endfor %}"
    // A call's name is no speaker's.
    let calls =
      "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.name }}{% endfor %}|{% endfor %}"
    let all = "{% for m in messages %}{{ m.name }}{{ m.reasoning_content }}{{ m.content }}|{% endfor %}"
    let question = Message(role: "user", content: "c")
    #expect(try lost(plain, [named, thought, question]) == [.name, .reasoning])
    #expect(try lost(calls, [named, question]) == [.name])
    #expect(try lost(all, [named, thought, question]) == [])
    #expect(try lost(plain, [Message(role: "system", content: "s"), question]) == [])
    let users = "{% for m in messages if m.role == 'user' %}{{ m.content }}|{% endfor %}"
    #expect(try lost(users, [Message(role: "system", content: "s"), question]) == [.system])
    let pieces = try ChatTemplate.named("qwen").prompt(
      history: [named, thought, question], tokenizer: CharacterTokenizer.chatML, budget: .max)
    #expect(pieces.lost == [.name, .reasoning])
  }
}
