import FireflyBase
import FireflyText
import Foundation
import Testing

/// The named templates in Jinja, which merged and exported models carry: the same text, the same stop token.
@Suite struct TemplateFormTests {
  /// Every template's tokens.
  private static let tokenizer = CharacterTokenizer(
    specials: [
      "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>",
      "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<bos>", "<eos>", "<start_of_turn>",
      "<end_of_turn>", "[gMASK]", "sop", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
      "<|end|>",
      "<｜end▁of▁sentence｜>", "<reserved_102>", "<reserved_103>", "<reserved_106>", "<reserved_107>",
    ])

  private static let conversations: [Conversation] = {
    let one = [Turn(human: "Hello?", assistant: "Hi.")]
    let texts = [
      Turn(human: "  What is 2+2? ", assistant: " 4. \n"),
      Turn(human: "中文 'quoted' \\n", assistant: "\"é\" {{ x }}"),
      Turn(human: "", assistant: ""),
    ]
    let systems = [nil, "Be brief.", "  two\nlines  ", ""]
    return systems.flatMap { system in [one, texts].map { Conversation(system: system, turns: $0) } }
  }()

  @Test(arguments: ChatTemplate.names) func writesTheSameText(_ name: String) throws {
    let template = try ChatTemplate.named(name)
    let form = try ChatTemplate.own(template.own, tokenizer: Self.tokenizer)
    for conversation in Self.conversations {
      let samples = try [template, form].map {
        try #require(try $0.sample(conversation, tokenizer: Self.tokenizer, maxLength: 9999))
      }
      #expect(samples[1].tokens == samples[0].tokens, "\(text(samples[1])) is not \(text(samples[0]))")
      let history = conversation.messages.dropLast()
      let prompts = try [template, form].map {
        try $0.promptTokens(
          history: Array(history), system: conversation.system, tokenizer: Self.tokenizer)
      }
      #expect(prompts[1] == prompts[0])
    }
    #expect(template.writes(as: form, Self.tokenizer))
  }

  @Test(arguments: ChatTemplate.names) func learnsTheSameStopToken(_ name: String) throws {
    let template = try ChatTemplate.named(name)
    let form = try ChatTemplate.own(template.own, tokenizer: Self.tokenizer)
    #expect(form.endToken(Self.tokenizer) == template.endToken(Self.tokenizer))
    #expect(try form.stopIDs(Self.tokenizer).first == template.endToken(Self.tokenizer))
    let sample = try #require(
      try form.sample(Self.conversations[0], tokenizer: Self.tokenizer, maxLength: 999))
    let last = try #require(sample.targets.last)
    #expect(try template.stopIDs(Self.tokenizer).contains(sample.tokens[last.upperBound - 1]))
  }

  @Test func otherTemplatesWriteOtherwise() throws {
    let names = ["qwen", "llama3", "vicuna", "default"]
    for (first, second) in zip(names, names.dropFirst()) {
      #expect(try !ChatTemplate.named(first).writes(as: .named(second), Self.tokenizer))
    }
    #expect(try ChatTemplate.named("mistral").writes(as: .named("mixtral"), Self.tokenizer))
  }

  private func text(_ sample: Sample) -> String {
    Self.tokenizer.decode(sample.tokens, skipSpecial: false).debugDescription
  }
}
