import FireflyBase
import FireflyJinja

extension JinjaFormat {
  /// Whether the template tells the model of tools, found by trying; one that refuses what is tried may.
  func writesTools(_ tokenizer: any Tokenizer) -> Bool {
    let question = Message(role: "user", content: "Question")
    let written = try? rendered(
      [question], tools: [JinjaFormat.probe], forAnswer: true, now: JinjaFormat.rowDate, tokenizer)
    guard let marks = written?.text.marks else { return (source.tools ?? source.chat).contains("tools") }
    return marks.contains { $0.source == Origin.tools }
  }

  /// How the model calls tools, found by trying: the syntax in which what the template writes of a call reads as that call. Where it
  /// writes none, what it says of them, or a token of the vocabulary.
  ///
  /// - Returns: nil where there is none that is known.
  func syntaxOfCalls(_ tokenizer: any Tokenizer) -> ToolSyntax? {
    let call = ToolCall(
      name: "probe", arguments: .object(["text": .string("a b"), "number": .int(3)]))
    let texts = texts(of: call, tokenizer)
    guard !texts.isEmpty else {
      return ToolSyntax(spokenOfIn: source) ?? (describesTools ? ToolSyntax(markedIn: tokenizer) : nil)
    }
    return texts.lazy.compactMap { text in
      ToolSyntax.allCases.first { reads(call, in: text, by: $0) }
    }.first
  }

  private func reads(_ call: ToolCall, in text: String, by syntax: ToolSyntax) -> Bool {
    // A name on a line of its own may be anything but for these.
    if syntax == .glm && shape != .metadata && !source.chat.contains("<|observation|>") { return false }
    if syntax == .recipients && !source.chat.contains(">>>") { return false }
    let calls = ToolCallParser.parse(text, syntax, tools: [JinjaFormat.probe]).compactMap {
      event -> ToolCall? in
      if case .call(let call) = event { call } else { nil }
    }
    // Some templates sort arguments.
    return calls.count == 1 && calls[0].name == call.name
      && calls[0].arguments.unordered == call.arguments.unordered
  }

  /// What the template writes of an answer that is a call: from where the answer begins, and from the end of its question, since the
  /// prompt may share a mark's first letters. None where it writes none.
  private func texts(of call: ToolCall, _ tokenizer: any Tokenizer) -> [String] {
    var call = call
    call.id = "call00000"
    let messages = [
      Message(role: "user", content: "Question"),
      Message(role: "assistant", content: "", members: ["tool_calls": .array([call.openAI])]),
    ]
    let conversation = Conversation(messages: messages, tools: [JinjaFormat.probe])
    guard let written = try? written(conversation, tokenizer), let answer = written.answers.last else {
      return []
    }
    let question = Traces(written.text, count: messages.count).extents[0]
    // Up to the end: where no token ends an answer, it may be cut short.
    let end = written.text.text.utf8.count
    return [answer.lowerBound, question?.upperBound].compactMap { start in
      start.map { written.text.slice($0..<end).text }
    }
  }

  private static let probe: OrderedJSON = {
    let properties: JSONMembers = [
      "text": .object(["type": .string("string")]), "number": .object(["type": .string("integer")]),
    ]
    let function: JSONMembers = [
      "name": .string("probe"), "description": .string("Probes."),
      "parameters": .object(["type": .string("object"), "properties": .object(properties)]),
    ]
    return .object(["type": .string("function"), "function": .object(function)])
  }()
}

extension JinjaFormat {
  /// What stands around reasoning: what the template spells, or writes around an answer's.
  func marksOfReasoning(_ tokenizer: any Tokenizer) -> ReasoningMarks {
    let messages = [
      Message(role: "user", content: "Question"),
      Message(role: "assistant", content: "Answer", members: ["reasoning_content": .string("Thought")]),
    ]
    let written = try? rendered(messages, tools: nil, forAnswer: false, now: JinjaFormat.rowDate, tokenizer)
    return ReasoningMarks(in: source.chat + (source.tools ?? "") + (written?.text.text ?? ""))
  }
}

extension ToolSyntax {
  /// The syntax that a template's text speaks of, where it writes no calls itself to tell it by; nil when it speaks of none
  /// that is known.
  fileprivate init?(spokenOfIn template: OwnTemplate) {
    let text = template.tools ?? template.chat
    let signs: [(ToolSyntax, [String])] = [
      (.deepSeek, [ToolMark.deepSeekBegin]), (.mistral, [ToolMark.mistral]), (.glmXML, ["<arg_key>"]),
      (.kimi, ["<|tool_call_begin|>"]), (.seed, ["<seed:tool_call>"]), (.miniMax, ["<minimax:tool_call>"]),
      (.nemotron, ["<TOOLCALL>"]), (.cohere, ["<|START_ACTION|>"]), (.lfm, ["<|tool_list_start|>"]),
      (.granite, ["<|tool_call|>"]), (.qwenXML, ["<tool_call>\\n<function="]), (.hermes, ["<tool_call>"]),
      (.llama, [ToolMark.python, "ipython"]),
    ]
    if let known = signs.first(where: { $0.1.contains(where: text.contains) }) {
      self = known.0
    } else if template.names("metadata") || text.contains("<|observation|>") {
      self = .glm
    } else {
      return nil
    }
  }
}
