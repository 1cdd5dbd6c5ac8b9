import FireflyBase
import FireflyTestSupport
import Testing

@testable import FireflyText

@Suite struct PreferenceTests {
  private let folder: TemporaryFolder
  private let tokenizer = CharacterTokenizer()

  init() throws { folder = try TemporaryFolder() }

  /// A token for each character; the first generation's format is `[bos] human [eos] answer [eos]`.
  private func load(
    _ lines: [String], maxLength: Int = 1000, maxPromptLength: Int = 512, template: String = "firefly"
  ) throws -> Dataset {
    let path = try folder.write(lines.joined(separator: "\n"), to: "pairs.jsonl")
    return try Dataset.load(
      path, template: ChatTemplate.named(template, tokenizer: tokenizer), tokenizer: tokenizer,
      maxLength: maxLength, maxPromptLength: maxPromptLength)
  }

  /// What a sample's tokens spell, a bar before what is learnt.
  private func spelled(_ sample: Sample) -> String {
    sample.tokens.enumerated().map { position, id in
      let isFirst = sample.targets.first?.lowerBound == position
      return (isFirst ? "|" : "") + (tokenizer.token(of: id) ?? "?")
    }.joined()
  }

  private static let user = #"{"role": "user", "content": "q"}"#
  private static func assistant(_ text: String) -> String { #"{"role": "assistant", "content": "\#(text)"}"# }

  // MARK: - Shapes

  @Test(arguments: [
    // The original's, with keys that it ignores.
    #"""
    {"prompt": "other", "prompt_id": "1", "chosen": [\#(user), \#(assistant("yes"))], "rejected": [\#(user), \#(assistant("no"))], "messages": [], "score_chosen": 8.5}
    """#,
    #"{"prompt": [\#(user)], "chosen": [\#(assistant("yes"))], "rejected": [\#(assistant("no"))]}"#,
    #"{"prompt": "q", "chosen": "yes", "rejected": "no"}"#,
    #"{"question": "q", "chosen": "yes", "rejected": "no"}"#,
    #"{"instruction": "q", "input": "", "chosen": "yes", "rejected": "no"}"#,
    #"{"chosen": "\n\nHuman: q\n\nAssistant: yes", "rejected": "\n\nHuman: q\n\nAssistant: no"}"#,
    #"""
    {"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "yes"}, "rejected": {"from": "gpt", "value": "no"}}
    """#,
  ])
  func aPairIsTwoSamples(_ row: String) throws {
    let dataset = try load([row])
    #expect(dataset.samples.map(spelled) == ["<s>q</s>|yes</s>", "<s>q</s>|no</s>"])
    #expect(dataset.samples.map(\.line) == [1, 1])
    #expect(dataset.report.kept == 1 && dataset.report.formats == ["preference": 1])
    #expect(dataset.report.summary.first == "1 of 1 preference pairs, 13 tokens, 7 of them targets")
    let pair = dataset.samples.pair(0)
    #expect(pair.chosen == dataset.samples[0] && pair.rejected == dataset.samples[1])
    #expect(dataset.samples.rows(fromLine: 1).count == 2 && dataset.samples.rows(fromLine: 2).isEmpty)
  }

  /// OpenAI's rows for the same.
  @Test func openAIsPairs() throws {
    let row =
      #"{"input": {"messages": [\#(Self.user)], "colour": 1}, "preferred_output": [\#(Self.assistant("yes"))], "non_preferred_output": [\#(Self.assistant("no"))]}"#
    let dataset = try load([row])
    #expect(dataset.samples.map(spelled) == ["<s>q</s>|yes</s>", "<s>q</s>|no</s>"])
    #expect(dataset.report.unusedKeys.mapValues(\.first) == ["input.colour": [1]])
  }

  /// Conversations in one text, several turns of them.
  @Test func conversationsInOneText() throws {
    let start = #"\n\nHuman: p\n\nAssistant: r\n\nHuman: q\n\nAssistant: "#
    let rows = ["p", "other"].map {
      #"{"chosen": "\#(start)yes", "rejected": "\#(start.replacing("p\\n", with: $0 + "\\n"))no"}"#
    }
    let dataset = try load(rows)
    #expect(dataset.samples.map(spelled)[0] == "<s>p</s>r</s>q</s>|yes</s>")
    #expect(
      dataset.report.unusedKeys.mapValues(\.first) == ["rejected (the messages before the answer)": [2]])
  }

  /// Questions and lists beside those that are answered, where they say something else.
  @Test(arguments: [
    (
      #""prompt": "other", "chosen": [\#(user), \#(assistant("yes"))], "rejected": [\#(user), \#(assistant("no"))]"#,
      "prompt"
    ),
    (#""prompt": "q", "query": "other", "chosen": "yes", "rejected": "no""#, "query"),
    (#""prompt": "q", "messages": [\#(assistant("else"))], "chosen": "yes", "rejected": "no""#, "messages"),
    (
      #""prompt": [\#(user)], "conversations": [\#(user)], "chosen": "yes", "rejected": "no""#,
      "conversations"
    ),
    (
      #""system": "t", "conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "yes"}, "rejected": {"from": "gpt", "value": "no"}"#,
      "system"
    ),
  ]) func whatIsLeftOutOfPairsIsTold(_ members: String, _ key: String) throws {
    #expect(try load(["{\(members)}"]).report.unusedKeys.mapValues(\.first) == [key: [1]])
  }

  /// As in ultrafeedback_binarized: the question again, and the chosen messages again.
  @Test func whatSaysTheSameIsNotTold() throws {
    let chosen = "[\(Self.user), \(Self.assistant("yes"))]"
    let row =
      #"{"prompt": "q", "chosen": \#(chosen), "rejected": [\#(Self.user), \#(Self.assistant("no"))], "messages": \#(chosen)}"#
    #expect(try load([row]).report.unusedKeys == [:])
  }

  /// Tools and a system text are the conversation's, as in other rows.
  @Test func columnsReachTheTemplate() throws {
    let row = #"{"prompt": "q", "chosen": "yes", "rejected": "no", "system": "s", "tools": [{"name": "f"}]}"#
    var own = tokenizer
    own.chatTemplate =
      "{{ tools[0].function.name }}{% for m in messages %}{{ m.content }}{% if m.role != 'system' %}</s>{% endif %}{% endfor %}"
    let path = try folder.write(row, to: "pairs.jsonl")
    let dataset = try Dataset.load(
      path, template: ChatTemplate.named("auto", tokenizer: own), tokenizer: own, maxLength: 1000,
      maxPromptLength: 512)
    #expect(dataset.samples.map(spelled) == ["fsq</s>|yes</s>", "fsq</s>|no</s>"])
    #expect(dataset.report.lost == [:] && dataset.report.unusedKeys == [:])
    let told = try load([row]).report
    #expect(told.lost.mapValues(\.first) == [.system: [1], .tools: [1]])
  }

  @Test func otherMessagesBeforeTheRejectedAnswerAreTold() throws {
    let other = Self.user.replacing("q", with: "another")
    let row =
      #"{"chosen": [\#(Self.user), \#(Self.assistant("yes"))], "rejected": [\#(other), \#(Self.assistant("no"))]}"#
    let report = try load([row]).report
    #expect(report.unusedKeys.mapValues(\.first) == ["rejected (the messages before the answer)": [1]])
  }

  /// A pair is one row to shares and maxima, and its samples have the line as it is counted over all files.
  @Test func pairsOfSeveralFiles() throws {
    func rows(_ letter: String, _ count: Int) -> String {
      (1...count).map { #"{"prompt": "\#(letter)\#($0)", "chosen": "yes", "rejected": "no"}"# + "\n" }
        .joined()
    }
    let files = [
      DataFile(try folder.write(rows("a", 3), to: "a.jsonl")),
      DataFile(try folder.write(rows("b", 40), to: "b.jsonl"), maxRows: 10),
    ]
    func load(_ part: DataSelection.Part) throws -> Dataset {
      try Dataset.load(
        DataSelection(files, seed: 1, heldOut: .rows(4), part: part),
        template: ChatTemplate.named("firefly", tokenizer: tokenizer), tokenizer: tokenizer, maxLength: 64,
        maxPromptLength: 32)
    }
    let (training, heldOut) = (try load(.training), try load(.heldOut))
    #expect(training.report.kept + heldOut.report.kept == 13 && heldOut.report.kept == 4)
    for data in [training, heldOut] {
      #expect(data.samples.count == 2 * data.report.kept)
      for pair in 0..<data.report.kept {
        let (chosen, rejected) = data.samples.pair(pair)
        #expect(chosen.line == rejected.line && spelled(chosen).hasSuffix("|yes</s>"))
        let asked = spelled(chosen).dropFirst(3).prefix { $0 != "<" }
        #expect(
          data.report.place(chosen.line) == "\(folder.path)/\(asked.prefix(1)).jsonl:\(asked.dropFirst())")
      }
    }
    #expect(Set(training.samples.map(\.line)).isDisjoint(with: heldOut.samples.map(\.line)))
  }

  /// History from `chosen` alone; the answers' texts are not stripped, all others are.
  @Test func historyAndSystem() throws {
    let system = #"{"role": "system", "content": " s "}"#
    func list(_ second: String, _ answer: String) -> String {
      [system, Self.user, Self.assistant(" a "), #"{"role": "user", "content": " \#(second) "}"#]
        .joined(separator: ", ") + ", " + Self.assistant(answer)
    }
    let row = #"{"chosen": [\#(list("r", " yes "))], "rejected": [\#(list("ignored", "no"))]}"#
    let prompt = "System: s\n\nUser: q\nAssistant: a </s>User: r\nAssistant: "
    #expect(
      try load([row], template: "default").samples.map(spelled)
        == [prompt + "| yes  </s>", prompt + "|no </s>"])
  }

  @Test func rowsThatCannotBeUsedAreCounted() throws {
    let good = #"{"prompt": "q", "chosen": "yes", "rejected": "no"}"#
    let roles = #"{"chosen": [\#(Self.user), \#(Self.user)], "rejected": [\#(Self.user), \#(Self.user)]}"#
    let tools = #"{"chosen": [\#(Self.user), {"role": "tool", "content": "x"}], "rejected": []}"#
    let report = try load([good, roles, tools]).report
    #expect(report.kept == 1 && report.rows == 3)
    #expect(report.dropped[.rolesDoNotAlternate]?.first == [2])
    #expect(report.dropped[.toolMessages]?.first == [3])
  }

  @Test(arguments: [
    (
      #"{"chosen": [\#(user), \#(assistant("a"))], "rejected": [\#(assistant("b"))]}"#,
      "as many messages as in \"chosen\", 2"
    ),
    (#"{"conversation": [{"human": "a", "assistant": "b"}]}"#, "no preference pair"),
    (#"{"chosen": "a", "rejected": "b"}"#, "wrong \"prompt\""),
    (#"{"prompt": "q", "chosen": "a", "rejected": 3}"#, "wrong"),
    (#"{"chosen": [{"role": "robot", "content": "a"}], "rejected": []}"#, "found robot"),
  ])
  func badRowIsNamedByLine(_ bad: String, _ expected: String) throws {
    let good = #"{"prompt": "q", "chosen": "yes", "rejected": "no"}"#
    let error = #expect(throws: FireflyError.self) { try load([good, "", bad]) }
    let told = error?.description ?? ""
    #expect(told.contains("pairs.jsonl:3") && told.contains(expected), "\(told)")
  }

  // MARK: - Length

  /// The golden tests of the specification, 9 h.
  @Test(arguments: [
    (300, 200, 724, 300, 200), (900, 100, 300, 724, 100), (100, 20, 900, 100, 20), (1, 125, 899, 1, 125),
  ])
  func goldenH(_ chosen: Int, _ rejected: Int, _ prompt: Int, _ keptChosen: Int, _ keptRejected: Int) throws {
    let whole = TemplatePair(
      prompt: (0..<900).map(Int32.init), chosen: [Int32](repeating: 1, count: chosen),
      rejected: [Int32](repeating: 2, count: rejected))
    let cut = PairLimits(length: 1024, promptLength: 300).cut(whole)
    #expect(cut.prompt == Array(whole.prompt.suffix(prompt)))
    #expect(cut.chosen.count == keptChosen && cut.rejected.count == keptRejected)
  }

  @Test func whatIsCutIsCounted() throws {
    let row = #"{"prompt": "questions", "chosen": "abcd", "rejected": "xy"}"#
    let short = try load([row], maxLength: 12, maxPromptLength: 3)
    // 11 + 5 tokens: the prompt keeps 12 − 5 of its end.
    #expect(short.samples.map(spelled) == ["stions</s>|abcd</s>", "stions</s>|xy</s>"])
    #expect(short.report.truncated.first == [1] && short.report.cutAnswers.count == 0)
    let shorter = try load([row], maxLength: 12, maxPromptLength: 9)
    #expect(shorter.samples.map(spelled) == ["uestions</s>|abc", "uestions</s>|xy</s>"])
    #expect(shorter.report.cutAnswers.first == [1])
    // Nothing is left of the answers.
    let error = #expect(throws: FireflyError.self) { try load([row], maxLength: 9, maxPromptLength: 9) }
    #expect(error?.what == "no row is left to train on")
  }

  // MARK: - Batches

  @Test func bothAnswersContinueThePrompt() throws {
    let lines = [
      #"{"prompt": "q", "chosen": "yes", "rejected": "no"}"#,
      #"{"prompt": "", "chosen": "a", "rejected": "b"}"#,
    ]
    let dataset = try load(lines)
    let pairs = [0, 1].map(dataset.samples.pair)
    let apart = Batch(pairs: pairs, sharesPrompts: false)
    #expect(apart.starts == [0, 7, 13, 17, 21] && apart.trunks.isEmpty && apart.lines == [1, 2])
    #expect(apart.pairs.map(\.chosen) == [0, 2] && apart.pairs.map(\.rejected) == [1, 3])
    #expect(apart.tokens == Batch(dataset.samples).tokens && apart.labels == Batch(dataset.samples).labels)

    let shared = Batch(pairs: pairs, sharesPrompts: true)
    // `<s>q` once; the prompt's last token, which predicts an answer's first, before each answer.
    #expect(shared.starts == [0, 2, 7, 11, 12, 15, 18])
    #expect(shared.trunks == [-1, 0, 0, -1, 3, 3])
    #expect(shared.pairs.map(\.chosen) == [1, 4] && shared.pairs.map(\.rejected) == [2, 5])
    #expect(shared.targetCount == apart.targetCount)
    for (one, other) in zip(shared.pairs, apart.pairs) {
      for (mine, its) in [(one.chosen, other.chosen), (one.rejected, other.rejected)] {
        let own = Int(shared.starts[mine])..<Int(shared.starts[mine + 1])
        let whole = Int(apart.starts[its])..<Int(apart.starts[its + 1])
        #expect(Array(shared.tokens[own]) == Array(apart.tokens[whole].suffix(own.count)))
        #expect(Array(shared.labels[own]) == Array(apart.labels[whole].suffix(own.count)))
      }
    }
  }

  /// A model's own template: the prompt ends where the answers begin.
  @Test func ownTemplate() throws {
    var tokenizer = CharacterTokenizer.chatML
    tokenizer.chatTemplate =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
      + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    let template = try ChatTemplate.named("auto", tokenizer: tokenizer)
    let preference = Preference(
      messages: [Message(role: "user", content: "q")], chosen: Message(role: "assistant", content: "yes"),
      rejected: Message(role: "assistant", content: "yet"))
    let pair = try template.pair(preference, tokenizer)
    let prompt = try tokenizer.encode(
      "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n", parseSpecial: true)
    #expect(pair.prompt == prompt)
    #expect(pair.chosen == tokenizer.plain("yes") + [1] && pair.rejected == tokenizer.plain("yet") + [1])
  }
}
