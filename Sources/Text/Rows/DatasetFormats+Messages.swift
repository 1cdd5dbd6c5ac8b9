import FireflyBase
import Foundation

/// Lists of messages: who speaks, and what is said.
extension RowFormat {
  /// What the publishers of such data call the speakers, in lower case.
  private static let roles: [String: String] = [
    "human": "user", "user": "user", "prompter": "user", "gpt": "assistant", "assistant": "assistant",
    "model": "assistant", "bot": "assistant", "chatgpt": "assistant", "bing": "assistant",
    "bard": "assistant",
    "system": "system", "developer": "system",
  ]
  private static let toolRoles: Set<String> = [
    "function_call", "function-call", "function", "observation", "function_response", "tool", "tool_call",
    "tool_response", "ipython",
  ]

  /// A list of messages that is a conversation.
  static func content(of row: Row, list: String) throws -> Content {
    guard let messages = try messages(row.objects(list)) else { return .unusable(.toolMessages) }
    let system = try row.optionalText("system")
    return Conversation(messages: messages, system: system, line: row.line).map(Content.conversation)
      ?? .unusable(.rolesDoNotAlternate)
  }

  /// Items are `{"role", "content"}` or `{"from", "value"}`, in either list.
  ///
  /// - Returns: nil when there are tool messages among them.
  static func messages(_ items: [Row]) throws -> [Message]? {
    var messages: [Message] = []
    for item in items {
      let (speaker, text) = item.members["from"] == nil ? ("role", "content") : ("from", "value")
      let name = try item.text(speaker)
      if toolRoles.contains(name.lowercased()) { return nil }
      guard let role = roles[name.lowercased()] else {
        throw item.wrong(
          speaker, expected: (roles.keys.sorted() + toolRoles.sorted()).joined(separator: ", "), found: name)
      }
      if role == "assistant", item.members[text] == nil || item.members["tool_calls"] != nil { return nil }
      messages.append(Message(role: role, content: try item.textOrParts(text)))
    }
    return messages
  }

  // MARK: - MOSS

  /// `{"meta_instruction": …?, "chat": {"turn_1": {"Human": "<|Human|>: …<eoh>\n", "MOSS": "<|MOSS|>: …<eom>\n", …}, …}}`,
  /// as moss-003-sft-data. Turns that call tools are not supported.
  @Sendable static func readMoss(_ row: Row) throws -> Content {
    guard let chat = row.members["chat"]?.object, !chat.isEmpty else {
      throw row.wrong("chat", expected: "an object with \"turn_1\", \"turn_2\", …", found: row.kind("chat"))
    }
    var turns: [Turn] = []
    for number in 1...chat.count {
      guard let object = chat["turn_\(number)"]?.object else {
        throw row.wrong(
          "chat", expected: "\"turn_\(number)\"", found: chat.keys.sorted().joined(separator: ", "))
      }
      let turn = Row(object, place: "\(row.place): chat.turn_\(number)", line: row.line)
      let commands = bare(try turn.optionalText("Commands") ?? "", label: "<|Commands|>:", end: "<eoc>")
      guard commands.isEmpty || commands == "None" else { return .unusable(.toolMessages) }
      turns.append(
        Turn(
          human: bare(try turn.text("Human"), label: "<|Human|>:", end: "<eoh>"),
          assistant: bare(try turn.text("MOSS"), label: "<|MOSS|>:", end: "<eom>")))
    }
    return .conversation(
      Conversation(system: try row.optionalText("meta_instruction"), turns: turns, line: row.line))
  }

  /// `{"prefix": …?, "plain_text": "[Human]: …<eoh> [MOSS]: …<eoa> …"}`, as moss-002-sft-data.
  @Sendable static func readMossPlain(_ row: Row) throws -> Content {
    var turns: [Turn] = []
    for part in try row.text("plain_text").components(separatedBy: "<eoa>") {
      let utterances = part.components(separatedBy: "<eoh>")
      if utterances.count == 1, part.strippedAsPython.isEmpty { continue }
      guard utterances.count == 2 else {
        throw row.wrong(
          "plain_text", expected: "\"[Human]: …<eoh> [MOSS]: …<eoa>\"", found: String(part.prefix(40)))
      }
      turns.append(
        Turn(
          human: bare(utterances[0], label: "[Human]:", end: "<eoh>"),
          assistant: bare(utterances[1], label: "[MOSS]:", end: "<eoa>")))
    }
    guard !turns.isEmpty else { throw row.wrong("plain_text", expected: "at least one turn", found: "none") }
    return .conversation(Conversation(system: try row.optionalText("prefix"), turns: turns, line: row.line))
  }

  /// The text without the label in front and the mark at the end.
  private static func bare(_ text: String, label: String, end: String) -> String {
    var text = text.strippedAsPython
    if text.hasPrefix(label) { text.removeFirst(label.count) }
    text = text.strippedAsPython
    if text.hasSuffix(end) { text.removeLast(end.count) }
    return text.strippedAsPython
  }
}
