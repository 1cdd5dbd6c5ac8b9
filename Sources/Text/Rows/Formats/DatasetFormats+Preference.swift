import FireflyBase

/// A prompt and two answers, in the shapes that publishers of such data have.
extension RowFormat {
  /// `{"chosen": …, "rejected": …}`, where an answer is
  /// - a whole list of messages that ends with it, both of one length, as in ultrafeedback_binarized and the original: the
  ///   messages before it are those of `chosen`, a text `prompt` is ignored; or, with a list of messages in `prompt`, those
  ///   that follow it;
  /// - a text, the answer to the text or the messages in `prompt`, or to the text that others call otherwise;
  /// - a text that is all of a conversation, as hh-rlhf's: `\n\nHuman: …\n\nAssistant: …`;
  /// - one message, `{"from", "value"}`, the answer to the list `conversations`.
  @Sendable static func readPreference(_ row: Row) throws -> Content {
    guard let history = try history(row), let chosen = try answer("chosen", of: row),
      let rejected = try answer("rejected", of: row)
    else { return .unusable(.toolMessages) }
    guard chosen.count == rejected.count else {
      throw row.wrong(
        "rejected", expected: "as many messages as in \"chosen\", \(chosen.count)",
        found: "\(rejected.count)")
    }
    var messages = (history + chosen)[...]
    var system = try row.optionalText("system")
    if let first = messages.first, first.role == "system" {
      system = first.content
      messages.removeFirst()
    }
    let answers = [messages.popLast(), rejected.last]
    let speakers = messages.enumerated().allSatisfy {
      $1.role == ($0.isMultiple(of: 2) ? "user" : "assistant")
    }
    guard let chosen = answers[0], let rejected = answers[1], messages.count % 2 == 1, speakers,
      chosen.role == "assistant", rejected.role == "assistant"
    else { return .unusable(.rolesDoNotAlternate) }
    guard chosen.isLearnt && rejected.isLearnt else {
      throw FireflyError(
        "an answer of a preference pair is marked as not to be learnt", at: row.place, fix: "Remove the row.")
    }
    return .preference(
      Preference(
        system: system, messages: Array(messages), tools: try row.tools(wrapsFunctions: true),
        chosen: chosen, rejected: rejected))
  }

  /// What comes before the answers in `rejected`, where it is not what `chosen` has; questions beside the one that is answered,
  /// where they say something else; and a second system text.
  @Sendable static func leftOutOfPreference(_ row: Row) -> [String] {
    let list =
      row["prompt"]?.array != nil ? "prompt" : row["chosen"]?.object != nil ? "conversations" : "chosen"
    var leftOut = leftOutOfSystem(row, list) + otherQuestions(row, besides: list)
    let differs =
      if let chosen = dialogue(row, "chosen"), let rejected = dialogue(row, "rejected") {
        chosen.dropLast() != rejected.dropLast()
      } else if let chosen = row["chosen"]?.array, let rejected = row["rejected"]?.array {
        chosen.dropLast() != rejected.dropLast()
      } else {
        false
      }
    if differs { leftOut.append("rejected (the messages before the answer)") }
    return leftOut
  }

  /// The texts and lists that might be the question and are not.
  private static func otherQuestions(_ row: Row, besides list: String) -> [String] {
    let isText = row["chosen"]?.string != nil && row["prompt"]?.array == nil
    let name = isText ? preferenceQuestions.first { row[$0] != nil } : nil
    var followed: Set<String> = [list]
    if let name { followed.insert(name) }
    if name == "instruction" { followed.insert("input") }
    let said =
      (row[list]?.array ?? []).compactMap { ($0["content"] ?? $0["value"])?.string }
      + [name.flatMap { row[$0]?.string }].compactMap(\.self)
    return (preferenceQuestions + ["conversations", "messages"]).filter { key in
      guard let value = row[key], !followed.contains(key) else { return false }
      if let text = value.string { return !text.isEmpty && !said.contains(text) }
      return value != .array([]) && value != row["chosen"] && value != row["rejected"]
    }
  }

  /// OpenAI's `{"input": {"messages": […], "tools": …?}, "preferred_output": […], "non_preferred_output": […]}`.
  @Sendable static func readOpenAIPreference(_ row: Row) throws -> Content {
    guard let input = row["input"]?.object else {
      throw row.wrong("input", expected: "an object with \"messages\"", found: row.kind("input"))
    }
    var members: JSONMembers = [
      "prompt": input["messages"] ?? .array([]), "chosen": row["preferred_output"] ?? .null,
      "rejected": row["non_preferred_output"] ?? .null,
    ]
    members["tools"] = input["tools"]
    return try readPreference(Row(members, place: row.place, line: row.line))
  }

  @Sendable static func leftOutOfOpenAIPreference(_ row: Row) -> [String] {
    let known = ["messages", "tools", "parallel_tool_calls"]
    return (row["input"]?.object?.keys ?? []).filter { !known.contains($0) }.map { "input." + $0 }
  }

  /// - Returns: nil when there are tool messages among them, or messages without a text.
  private static func plainMessages(_ items: [Row]) throws -> [Message]? {
    let messages = try MessageReader.messages(items)
    let isPlain = messages.allSatisfy { $0.contentForm == .text }
    return isPlain && !Conversation(messages: messages).hasToolMessages ? messages : nil
  }

  /// The messages that stand apart from the answers; nil when there are tool messages among them.
  private static func history(_ row: Row) throws -> [Message]? {
    if row["prompt"]?.array != nil { return try plainMessages(row.objects("prompt")) }
    if dialogue(row, "chosen") != nil { return [] }
    if row["chosen"]?.string != nil {
      let name = preferenceQuestions.first { row[$0] != nil } ?? "prompt"
      let parts = [try row.text(name)] + (name == "instruction" ? [try row.optionalText("input") ?? ""] : [])
      return [Message(role: "user", content: parts.filter { !$0.isEmpty }.joined(separator: "\n"))]
    }
    return row["chosen"]?.object == nil ? [] : try plainMessages(row.objects("conversations"))
  }

  /// What publishers call the question that two texts answer.
  static let preferenceQuestions = ["prompt", "question", "query", "instruction", "input"]

  /// The messages of a text `\n\nHuman: …\n\nAssistant: …`, in a row without a question; nil for any other text.
  private static func dialogue(_ row: Row, _ key: String) -> [Message]? {
    guard let text = row[key]?.string, !preferenceQuestions.contains(where: { row[$0] != nil }) else {
      return nil
    }
    let (human, assistant) = ("\n\nHuman:", "\n\nAssistant:")
    guard text.hasPrefix(human) else { return nil }
    return text.split(separator: human, omittingEmptySubsequences: false).dropFirst().flatMap { turn in
      turn.split(separator: assistant, omittingEmptySubsequences: false).enumerated().map {
        Message(role: $0 == 0 ? "user" : "assistant", content: String($1).strippedAsPython)
      }
    }
  }

  /// The messages that `key` holds, the answer last; nil when there are tool messages among them.
  private static func answer(_ key: String, of row: Row) throws -> [Message]? {
    if let messages = dialogue(row, key) { return messages }
    if let text = row[key]?.string { return [Message(role: "assistant", content: text)] }
    if let object = row[key]?.object {
      return try plainMessages([Row(object, place: "\(row.place): \(key)", line: row.line)])
    }
    return try plainMessages(row.objects(key))
  }
}
