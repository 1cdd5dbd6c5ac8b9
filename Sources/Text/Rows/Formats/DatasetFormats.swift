import FireflyBase

/// Why a row was left out of the training set.
public enum DropReason: String, CaseIterable, Comparable, Sendable {
  case noTarget = "no answer within max_seq_length"
  case nothingLearnt = "every answer is marked as not to be learnt"
  case rolesDoNotAlternate = "user and assistant do not alternate"
  case noText = "an answer has neither text nor calls"
  case toolMessages = "tool messages are not supported in rows of this shape"
  case noPlaceForTools = "tool calls that this template has no place for"

  public static func < (first: DropReason, second: DropReason) -> Bool { first.rawValue < second.rawValue }
}

/// A shape of row: how to tell it, and how to read it. A new shape is one more entry of `table`.
struct RowFormat: Sendable {
  /// What a row turned out to be.
  enum Content {
    case conversation(Conversation)
    case text(String)
    case preference(Preference)
    case unusable(DropReason)
  }

  let name: String
  /// The keys that tell this format from those further down in the table.
  let keys: [String]
  /// The other keys that `read` looks at; nil: what else is in a row is not of interest.
  let others: Set<String>?
  let read: @Sendable (Row) throws -> Content
  /// What `read` leaves out of the row within the keys that it looks at.
  var leftOut: @Sendable (Row) -> [String] = { _ in [] }

  static let table =
    shapes + questions
    + [RowFormat(name: "text", keys: ["text"], others: nil, read: { .text(try $0.text("text")) })]

  private static let shapes: [RowFormat] = [
    RowFormat(
      name: "preference", keys: ["chosen", "rejected"],
      others: Set(["conversations", "messages", "system", "tools", "functions"] + preferenceQuestions),
      read: readPreference, leftOut: leftOutOfPreference),
    RowFormat(
      name: "openai_preference", keys: ["preferred_output", "non_preferred_output"], others: ["input"],
      read: readOpenAIPreference, leftOut: leftOutOfOpenAIPreference),
    RowFormat(
      name: "firefly", keys: ["conversation"], others: ["system", "tools", "functions"], read: readFirefly,
      leftOut: { leftOutOfSystem($0, "conversation") + leftOutOfTurns($0) }),
    RowFormat(
      name: "sharegpt", keys: ["conversations"], others: ["system", "tools", "functions"], read: readShareGPT,
      leftOut: { leftOutOfSystem($0, "conversations") }),
    RowFormat(
      name: "messages", keys: ["messages"],
      others: ["system", "tools", "functions", "parallel_tool_calls"], read: readMessages,
      leftOut: { leftOutOfSystem($0, "messages") }),
    RowFormat(
      name: "alpaca", keys: ["instruction", "output"],
      others: ["input", "system", "history", "tools", "text"],
      read: readAlpaca),
    RowFormat(
      name: "query", keys: ["query", "response"], others: ["system", "history", "tools"], read: readQuery),
    RowFormat(
      name: "calls", keys: ["query", "answers"], others: ["system", "tools"], read: readCalls),
    RowFormat(
      name: "completion", keys: ["prompt", "completion"], others: ["system", "tools"], read: readCompletion,
      leftOut: { leftOutOfSystem($0, "prompt") }),
    RowFormat(
      name: "tasks", keys: ["input", "target"], others: [], read: readTask,
      leftOut: leftOutOfTask),
    RowFormat(
      name: "moss", keys: ["chat"], others: ["meta_instruction", "system", "tools", "functions"],
      read: readMoss, leftOut: leftOutOfMoss),
    RowFormat(
      name: "moss_plain", keys: ["plain_text"], others: ["prefix", "system", "tools", "functions"],
      read: readMossPlain,
      leftOut: { $0["prefix"] != nil && $0["system"] != nil ? ["system"] : [] }),
    RowFormat(
      name: "ultrachat", keys: ["data"], others: ["system", "tools", "functions"], read: readUltraChat),
  ]

  /// The format of `row`.
  ///
  /// - Throws: `FireflyError` naming the keys found and the keys of each format.
  static func of(_ row: Row) throws -> RowFormat {
    if let format = table.first(where: { $0.keys.allSatisfy { row[$0] != nil } }) { return format }
    let known = table.map { $0.keys.map { "\"\($0)\"" }.joined(separator: " and ") + " (\($0.name))" }
    let found = row.keys.sorted().map { "\"\($0)\"" }
    throw FireflyError(
      "the row has no shape that is known", at: row.place, expected: known.joined(separator: ", or "),
      found: found.isEmpty ? "an empty object" : found.joined(separator: ", "),
      fix: "Name its parts so, for example: jq -c '{conversation: [{human: .QUESTION, assistant: .ANSWER}]}'."
    )
  }

  /// The keys of the row that nothing looks at.
  ///
  /// - Throws: `FireflyError` for a key that is refused by its name.
  func unusedKeys(of row: Row) throws -> [String] {
    try (others.map { try RowKeys.unused(of: row, followed: $0.union(keys)) } ?? []) + leftOut(row)
  }
}

// MARK: - The formats

extension RowFormat {
  /// `{"conversation": [{"human": …, "assistant": …}, …], "system": …?, "tools": …?}`. XTuner calls the two "input" and
  /// "output", and has the system text in the first turn. Others have messages there.
  @Sendable private static func readFirefly(_ row: Row) throws -> Content {
    let items = try row.objects("conversation")
    if let first = items.first, first["from"] ?? first["role"] != nil {
      return try content(of: row, items, wrapsFunctions: true)
    }
    return try turns(of: row, items)
  }

  /// What the two speakers of a turn are called, the usual names first.
  private static let turnKeys = [
    (human: "human", assistant: "assistant"), (human: "input", assistant: "output"),
    (human: "question", assistant: "answer"), (human: "user", assistant: "assistant"),
  ]

  /// The system texts of XTuner's turns but the one that counts, which is the row's or the first turn's.
  private static func leftOutOfTurns(_ row: Row) -> [String] {
    let systems = (row["conversation"]?.array ?? []).map { $0["input"] == nil ? nil : $0["system"]?.string }
    let own = row["system"]?.string ?? systems.first ?? nil
    let others = systems.compactMap(\.self).filter { !$0.isEmpty && $0 != own }
    return others.isEmpty ? [] : ["conversation.system"]
  }

  private static func turns(of row: Row, _ items: [Row]) throws -> Content {
    var system = try row.optionalText("system")
    var messages: [Message] = []
    for (index, turn) in items.enumerated() {
      let (human, assistant) = turnKeys.first { turn[$0.human] != nil } ?? turnKeys[0]
      let hasSystem = human == "input"
      let details = try MessageDetails(
        turn, beside: Set([human, assistant] + (hasSystem ? ["system"] : [])), isAnswer: true)
      if hasSystem, index == 0, let own = try turn.optionalText("system"), !own.isEmpty {
        system = system ?? own
      }
      messages.append(Message(role: "user", content: try turn.text(human)))
      messages.append(
        Message(
          role: "assistant", content: try turn.text(assistant), members: details.members,
          isLearnt: details.isLearnt))
    }
    return .conversation(
      Conversation(
        system: system, messages: messages, tools: try row.tools(wrapsFunctions: true), line: row.line))
  }

  /// `{"conversations": [{"from": "human", "value": …}, …], "system": …?, "tools": …?}`.
  @Sendable private static func readShareGPT(_ row: Row) throws -> Content {
    try content(of: row, list: "conversations")
  }

  /// `{"messages": [{"role": "user", "content": …}, …], "tools": …?}`, as OpenAI's; a content may be a list of text parts.
  @Sendable private static func readMessages(_ row: Row) throws -> Content {
    try content(of: row, list: "messages")
  }

  /// A list of messages that is a conversation; a system message in it goes before the row's own system text. LIMA's are
  /// texts alone, and COIG's are turns.
  private static func content(of row: Row, list: String) throws -> Content {
    if let texts = row.texts(list) { return try content(of: row, texts) }
    let items = try row.objects(list)
    if list == "conversations", let first = items.first, first["from"] == nil, first["role"] == nil,
      turnKeys.contains(where: { first[$0.human] != nil })
    {
      return try turns(of: row, items)
    }
    return try content(of: row, items, wrapsFunctions: list == "conversations")
  }

  private static func content(of row: Row, _ items: [Row], wrapsFunctions: Bool) throws -> Content {
    var messages = try MessageReader.messages(items)[...]
    var system = try row.optionalText("system")
    if let first = messages.first, first.role == "system" {
      system = first.content
      messages.removeFirst()
    }
    let conversation = Conversation(
      system: system, messages: Array(messages),
      tools: try row.tools(wrapsFunctions: wrapsFunctions), line: row.line)
    guard conversation.isInTurn else { return .unusable(.rolesDoNotAlternate) }
    let isEmpty = conversation.messages.contains { $0.contentForm != .text && $0.toolCalls.isEmpty }
    return isEmpty ? .unusable(.noText) : .conversation(conversation)
  }

  /// `{"instruction": …, "input": …?, "output": …, "system": …?, "history": [[user, assistant], …]?, "tools": …?}`.
  @Sendable private static func readAlpaca(_ row: Row) throws -> Content {
    let question = [try row.text("instruction"), try row.optionalText("input") ?? ""]
    return try question.filter { !$0.isEmpty }.joined(separator: "\n").answered(row, "output")
  }

  /// ms-swift's `{"query": …, "response": …, "system": …?, "history": [[user, assistant], …]?, "tools": …?}`.
  @Sendable private static func readQuery(_ row: Row) throws -> Content {
    try row.text("query").answered(row, "response")
  }

  /// TRL's `{"prompt": […], "completion": […], "tools": …?}`, lists of messages. Its texts, which no template is around, are not
  /// conversations.
  @Sendable private static func readCompletion(_ row: Row) throws -> Content {
    guard row["prompt"]?.array != nil, row["completion"]?.array != nil else {
      throw row.wrong(
        "prompt", expected: "lists of messages in \"prompt\" and \"completion\"", found: row.kind("prompt"),
        fix: "A text with its answer is {\"conversation\": [{\"human\": …, \"assistant\": …}]}.")
    }
    return try content(of: row, row.objects("prompt") + row.objects("completion"), wrapsFunctions: false)
  }

  /// `{"kind": …, "input": …, "target": …}`, the original's first format: later turns are packed into `target` with `</s>`
  /// between utterances, and a last one without an answer is left out; every utterance is stripped.
  @Sendable private static func readTask(_ row: Row) throws -> Content {
    let rest = try row.text("target").split(separator: "</s>", omittingEmptySubsequences: false)
    let utterances = ([try row.text("input")] + rest.map(String.init)).map(\.strippedAsPython)
    let turns = stride(from: 0, to: utterances.count - 1, by: 2).map {
      Turn(human: utterances[$0], assistant: utterances[$0 + 1])
    }
    return .conversation(Conversation(turns: turns, line: row.line))
  }

  @Sendable private static func leftOutOfTask(_ row: Row) -> [String] {
    let rest = row["target"]?.string?.split(separator: "</s>", omittingEmptySubsequences: false) ?? []
    let last = rest.last.map { String($0).strippedAsPython } ?? ""
    return rest.count.isMultiple(of: 2) && !last.isEmpty ? ["target (the last utterance)"] : []
  }
}
