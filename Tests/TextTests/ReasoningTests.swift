import FireflyBase
import FireflyTestSupport
import FireflyText
import Foundation
import Testing

/// Reasoning in rows: learnt where the template writes it, told where it does not.
@Suite struct ReasoningTests {
  private static let sources: [String: String] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../JinjaTests/Fixtures/templates.json").path
    return ((try? JSONValue.read(path))?.object ?? [:]).compactMapValues(\.string)
  }()

  private func load(_ rows: String..., template source: String, variables: JSONMembers = [:]) throws
    -> (learnt: [[String]], report: DatasetReport)
  {
    let tokenizer = CharacterTokenizer(
      specials: [
        "<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>",
      ],
      chatTemplate: source)
    let template = try ChatTemplate.named("auto", tokenizer: tokenizer).with(variables: variables)
    let folder = try TemporaryFolder()
    let path = try folder.write(Data(rows.joined(separator: "\n").utf8), to: "rows.jsonl")
    let data = try withExtendedLifetime(folder) {
      try Dataset.load(path, template: template, tokenizer: tokenizer, maxLength: 9999)
    }
    let learnt = data.samples.map { sample in
      sample.targets.map { tokenizer.decode(Array(sample.tokens[$0]), skipSpecial: false) }
    }
    return (learnt, data.report)
  }

  private static func row(_ members: String) -> String {
    #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", \#(members)}]}"#
  }

  @Test(arguments: [
    #""content": "So.", "reasoning_content": "Let me think.""#,
    #""content": "So.", "thinking": "Let me think.""#,
    #""content": "So.", "reasoning": "Let me think.""#,
    #""content": "<think>\nLet me think.\n</think>\n\nSo.""#,
  ])
  func isLearntWhereTheTemplateWritesIt(_ members: String) throws {
    let qwen3 = try #require(Self.sources["qwen3"])
    let found = try load(Self.row(members), template: qwen3)
    #expect(found.learnt == [["<think>\nLet me think.\n</think>\n\nSo.<|im_end|>"]])
    #expect(found.report.lost == [:] && found.report.unusedKeys == [:])
  }

  /// A row may say what its template's variables are; TRL reads this column too.
  @Test func aRowsVariablesGoBeforeTheRuns() throws {
    let source =
      "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ mood }}</s>{% endif %}{% endfor %}"
    let rows = ["", #", "chat_template_kwargs": {"mood": "!", "custom": null}"#].map {
      String(Self.row(#""content": "a""#).dropLast()) + $0 + "}"
    }
    let found = try load(rows[0], rows[1], template: source, variables: ["mood": .string("?")])
    #expect(found.learnt == [["a?</s>"], ["a!</s>"]])
    #expect(found.report.unusedKeys == [:])
    let error = thrownError {
      _ = try load(
        String(Self.row(#""content": "a""#).dropLast()) + #", "chat_template_kwargs": {"messages": []}}"#,
        template: source)
    }
    #expect(error?.place?.contains("rows.jsonl:1") == true)
  }

  @Test(arguments: [
    #""content": "So.", "reasoning_content": "Let me think.""#,
    #""content": "<think>\nLet me think.\n</think>\n\nSo.""#, #""content": "Let me think.</think>So.""#,
  ])
  func isToldWhereTheTemplateLeavesItOut(_ members: String) throws {
    let r1 = try #require(Self.sources["deepseek_r1"])
    let report = try load(Self.row(members), template: r1).report
    #expect(report.lost.mapValues(\.first) == [.reasoning: [1]])
    #expect(report.summary.contains("answers whose reasoning this template leaves out: 1 (line 1)"))
  }

  /// Qwen3 writes the thoughts of the last answer only.
  @Test func thoughtsOfEarlierAnswersAreTold() throws {
    let qwen3 = try #require(Self.sources["qwen3"])
    let row =
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "One.", "reasoning_content": "r1"}, {"role": "user", "content": "p"}, {"role": "assistant", "content": "Two.", "reasoning_content": "r2"}]}"#
    let found = try load(row, template: qwen3)
    #expect(found.learnt == [["One.<|im_end|>", "<think>\nr2\n</think>\n\nTwo.<|im_end|>"]])
    #expect(found.report.lost.mapValues(\.first) == [.reasoning: [1]])
  }

  /// An empty block is no reasoning.
  @Test func anEmptyThoughtIsNotMissed() throws {
    let r1 = try #require(Self.sources["deepseek_r1"])
    #expect(try load(Self.row(#""content": "<think>\n\n</think>\n\nSo.""#), template: r1).report.lost == [:])
  }

  @Test func aNamedTemplateHasNoPlaceForReasoningBesideTheText() throws {
    let folder = try TemporaryFolder()
    let row = Self.row(#""content": "So.", "reasoning_content": "r""#)
    let path = try folder.write(Data(row.utf8), to: "rows.jsonl")
    let report = try Dataset.load(
      path, template: .named("default"), tokenizer: CharacterTokenizer(), maxLength: 99
    ).report
    #expect(report.lost.mapValues(\.first) == [.reasoning: [1]])
  }

  // MARK: - Variables

  private static let switching = """
    {% for m in messages %}<|im_start|>{{ m.role }}
    {{ m.content }}<|im_end|>
    {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
    {% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}{{ mood }}{% endif %}
    """

  @Test func variablesReachTheTemplate() throws {
    let tokenizer = CharacterTokenizer(chatTemplate: Self.switching)
    let plain = try ChatTemplate.named("auto", tokenizer: tokenizer)
    let template = try plain.with(variables: ["enable_thinking": .bool(false), "mood": .string("glad")])
    let history = [Message(role: "user", content: "q")]
    let prompts = try [plain, template].map {
      tokenizer.decode(try $0.promptTokens(history: history, tokenizer: tokenizer), skipSpecial: false)
    }
    #expect(prompts[0].hasSuffix("<|im_start|>assistant\n"))
    #expect(prompts[1].hasSuffix("<|im_start|>assistant\n<think></think>glad"))
    #expect(plain != template && template.variablesWarning == nil)
    // Part of another name, a member and text around tags are no variables.
    let lost = try plain.with(variables: [
      "thinking": .bool(true), "role": .null, "think": .null, "mood": .null,
    ])
    #expect(lost.variablesWarning?.hasSuffix(": thinking, role, think") == true)
    #expect(
      try ChatTemplate.named("auto", tokenizer: CharacterTokenizer(chatTemplate: "{{ messages }}"))
        .with(variables: ["enable_thinking": .bool(false)]).variablesWarning == nil)
    // What is written for other programs has them as defaults.
    let kept = try ChatTemplate.own(template.own, tokenizer: tokenizer)
    #expect(
      try kept.promptTokens(history: history, tokenizer: tokenizer)
        == template.promptTokens(history: history, tokenizer: tokenizer))
  }

  @Test func variablesHaveTheirPlace() throws {
    let tokenizer = CharacterTokenizer(chatTemplate: Self.switching)
    let own = try ChatTemplate.named("auto", tokenizer: tokenizer)
    #expect(throws: FireflyError.self) { try own.with(variables: ["messages": .null]) }
    let error = #expect(throws: FireflyError.self) {
      try ChatTemplate.named("qwen").with(variables: ["enable_thinking": .bool(true)])
    }
    #expect(error?.what == "template \"qwen\" has no variables")
    #expect(try ChatTemplate.named("qwen").with(variables: [:]) == .named("qwen"))
  }

  // MARK: - Where answers begin and end

  /// The prompt opens a thought, the history has none: both share the first byte of a special token.
  @Test func anEmptyAnswerIsItsStopToken() throws {
    let source =
      "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% else %}<｜Assistant｜>"
      + "{{ m.content.split('</think>')[-1] }}<｜end▁of▁sentence｜>{% endif %}{% endfor %}"
      + "{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
    let found = try load(
      Self.row(#""content": """#), Self.row(#""content": "ok""#), template: source)
    #expect(found.learnt == [["<｜end▁of▁sentence｜>"], ["ok<｜end▁of▁sentence｜>"]])
    #expect(found.report.dropped == [:])
  }

  /// A training template's block ends in the stop token and a newline.
  @Test func aGenerationBlockMayEndInWhiteSpace() throws {
    let source =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
      + "{{ '<|im_end|>\\n' }}{% endgeneration %}{% else %}{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
      + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    let tokenizer = CharacterTokenizer(
      specials: ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"], chatTemplate: source)
    let template = try ChatTemplate.named("auto", tokenizer: tokenizer)
    #expect(template.stopWarning(tokenizer) == nil)
    #expect(try template.stopIDs(tokenizer) == [4, 2])
    let masked =
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}, {"role": "user", "content": "p"}, {"role": "assistant", "content": "b"}]}"#
    #expect(try load(masked, template: source).learnt == [["b<|im_end|>\n"]])
  }

  /// transformers takes the template "tool_use" for rows with tools.
  @Test func theTemplateForToolsIsTaken() throws {
    let own = OwnTemplate(
      chat: "{% for m in messages %}{{ m.content }}</s>{% endfor %}",
      tools: "{{ tools | tojson }}{% for m in messages %}{{ m.content }}</s>{% endfor %}")
    let tokenizer = CharacterTokenizer()
    let template = try ChatTemplate.own(own, tokenizer: tokenizer)
    let history = [Message(role: "user", content: "q")]
    let tools: [OrderedJSON] = [.object(["name": .string("f")])]
    let prompts = try [nil, tools].map {
      tokenizer.decode(
        try template.promptTokens(history: history, tools: $0, tokenizer: tokenizer), skipSpecial: false)
    }
    #expect(prompts == ["q</s>", "[{\"name\": \"f\"}]q</s>"])
  }
}
