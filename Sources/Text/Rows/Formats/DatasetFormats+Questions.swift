import FireflyBase

/// Rows of one question and its answer, in the words of those who publish such.
extension RowFormat {
  static let questions: [RowFormat] = [
    ("question", "response"), ("question", "answer"), ("instruction", "response"), ("prompt", "response"),
    ("input", "output"), ("problem", "solution"),
  ].map { question, answer in
    // Only an instruction has more to it: Dolly's context, GPTeacher's input.
    let further = question == "instruction" ? ["input", "context"] : []
    return RowFormat(
      name: "\(question)_\(answer)", keys: [question, answer],
      others: Set(["system", "system_prompt", "history", "tools"] + further),
      read: { row in
        let parts = try [row.text(question)] + further.compactMap { try row.optionalText($0) }
        return try parts.filter { !$0.isEmpty }.joined(separator: "\n").answered(row, answer)
      },
      leftOut: { $0["system"] != nil && $0["system_prompt"] != nil ? ["system_prompt"] : [] })
  }

  /// `{"query": …, "answers": [{"name": …, "arguments": …}, …], "tools": …}`, the last two lists or their JSON texts, as
  /// xlam-function-calling has them: the answer is calls.
  @Sendable static func readCalls(_ row: Row) throws -> Content {
    let answers = row["answers"] ?? .null
    let calls = Row(
      ["role": .string("tool_call"), "content": .string(answers.string ?? answers.jsonText)],
      place: "\(row.place): answers", line: row.line)
    let messages =
      [Message(role: "user", content: try row.text("query"))]
      + (try MessageReader.messages([calls]))
    return .conversation(
      Conversation(
        system: try row.optionalText("system"), messages: messages,
        tools: try row.tools(wrapsFunctions: true),
        line: row.line))
  }

  /// `{"data": [question, answer, question, …]}`, as UltraChat.
  @Sendable static func readUltraChat(_ row: Row) throws -> Content {
    guard let texts = row.texts("data") else {
      throw row.wrong(
        "data", expected: "a list of texts, questions and answers in turn", found: row.kind("data"))
    }
    return try content(of: row, texts)
  }

  /// What the user and the assistant say in turn.
  static func content(of row: Row, _ texts: [String]) throws -> Content {
    let messages = texts.enumerated().map {
      Message(role: $0.isMultiple(of: 2) ? "user" : "assistant", content: $1)
    }
    let conversation = Conversation(
      system: try row.optionalText("system"), messages: messages, tools: try row.tools(wrapsFunctions: true),
      line: row.line)
    return conversation.isInTurn ? .conversation(conversation) : .unusable(.rolesDoNotAlternate)
  }
}

extension Row {
  /// A list of texts and nothing else; nil for anything else.
  func texts(_ key: String) -> [String]? {
    guard let list = self[key]?.array, !list.isEmpty else { return nil }
    return list.map(\.string) as? [String]
  }
}

extension String {
  /// The question as a conversation with what the row has before it, and its answer.
  func answered(_ row: Row, _ answer: String) throws -> RowFormat.Content {
    var turns: [Turn] = []
    for (index, pair) in (try row.optionalList("history") ?? []).enumerated() {
      guard let pair = pair.array, pair.count == 2, let human = pair[0].string, let assistant = pair[1].string
      else { throw row.wrong("history[\(index)]", expected: "[user text, assistant text]", found: pair.kind) }
      turns.append(Turn(human: human, assistant: assistant))
    }
    turns.append(Turn(human: self, assistant: try row.text(answer)))
    let system = try row.optionalText("system") ?? row.optionalText("system_prompt")
    var conversation = Conversation(system: system, turns: turns, line: row.line)
    conversation.tools = try row.tools(wrapsFunctions: true)
    return .conversation(conversation)
  }
}
