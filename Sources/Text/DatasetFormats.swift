import FireflyBase

/// Why a row was left out of the training set.
public enum DropReason: String, CaseIterable, Comparable, Sendable {
  case noTarget = "no answer within max_seq_length"
  case rolesDoNotAlternate = "user and assistant do not alternate"
  case toolMessages = "tool messages are not supported"

  public static func < (first: DropReason, second: DropReason) -> Bool { first.rawValue < second.rawValue }
}

/// A shape of row: how to tell it, and how to read it. A new shape is one more entry of `table`.
struct RowFormat: Sendable {
  /// What a row turned out to be.
  enum Content {
    case conversation(Conversation)
    case unusable(DropReason)
  }

  let name: String
  /// The keys that tell this format from those further down in the table.
  let keys: [String]
  let read: @Sendable (Row) throws -> Content

  static let table: [RowFormat] = [
    RowFormat(name: "firefly", keys: ["conversation"], read: readFirefly),
    RowFormat(name: "sharegpt", keys: ["conversations"], read: readShareGPT),
    RowFormat(name: "messages", keys: ["messages"], read: readMessages),
    RowFormat(name: "alpaca", keys: ["instruction", "output"], read: readAlpaca),
    RowFormat(name: "tasks", keys: ["input", "target"], read: readTask),
  ]

  /// The format of `row`.
  ///
  /// - Throws: `FireflyError` naming the keys found and the keys of each format.
  static func of(_ row: Row) throws -> RowFormat {
    if let format = table.first(where: { $0.keys.allSatisfy { row.members[$0] != nil } }) { return format }
    let known = table.map { $0.keys.map { "\"\($0)\"" }.joined(separator: " and ") + " (\($0.name))" }
    let found = row.members.keys.sorted().map { "\"\($0)\"" }
    throw FireflyError(
      "the row has no conversation", at: row.place, expected: known.joined(separator: ", or "),
      found: found.isEmpty ? "an empty object" : found.joined(separator: ", "))
  }
}

// MARK: - The formats

extension RowFormat {
  /// `{"conversation": [{"human": …, "assistant": …}, …], "system": …?}`; other keys are ignored.
  @Sendable private static func readFirefly(_ row: Row) throws -> Content {
    let turns = try row.objects("conversation").map { turn in
      Turn(human: try turn.text("human"), assistant: try turn.text("assistant"))
    }
    return .conversation(
      Conversation(system: try row.optionalText("system"), turns: turns, line: row.line))
  }

  /// `{"conversations": [{"from": "human", "value": …}, …], "system": …?}`.
  @Sendable private static func readShareGPT(_ row: Row) throws -> Content {
    try content(of: row, list: "conversations", role: "from", text: "value")
  }

  /// `{"messages": [{"role": "user", "content": …}, …]}`, as OpenAI's.
  @Sendable private static func readMessages(_ row: Row) throws -> Content {
    try content(of: row, list: "messages", role: "role", text: "content")
  }

  /// `{"instruction": …, "input": …?, "output": …, "system": …?, "history": [[user, assistant], …]?}`.
  @Sendable private static func readAlpaca(_ row: Row) throws -> Content {
    var turns: [Turn] = []
    for (index, pair) in (try row.optionalList("history") ?? []).enumerated() {
      guard let pair = pair.array, pair.count == 2, let human = pair[0].string, let assistant = pair[1].string
      else { throw row.wrong("history[\(index)]", expected: "[user text, assistant text]", found: pair.kind) }
      turns.append(Turn(human: human, assistant: assistant))
    }
    let question = [try row.text("instruction"), try row.optionalText("input") ?? ""]
    turns.append(
      Turn(
        human: question.filter { !$0.isEmpty }.joined(separator: "\n"), assistant: try row.text("output")))
    return .conversation(
      Conversation(system: try row.optionalText("system"), turns: turns, line: row.line))
  }

  /// `{"kind": …, "input": …, "target": …}`, the original's first format: later turns are packed into
  /// `target` with `</s>` between utterances, and a last one without an answer is left out.
  @Sendable private static func readTask(_ row: Row) throws -> Content {
    let rest = try row.text("target").split(separator: "</s>", omittingEmptySubsequences: false).map(
      String.init)
    let utterances = [try row.text("input")] + rest
    let turns = stride(from: 0, to: utterances.count - 1, by: 2).map {
      Turn(human: utterances[$0], assistant: utterances[$0 + 1])
    }
    return .conversation(Conversation(turns: turns, line: row.line))
  }

  private static let roles: [String: String] = [
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system",
    "developer": "system",
  ]
  private static let toolRoles: Set<String> = ["function_call", "observation", "tool", "function"]

  private static func content(of row: Row, list: String, role: String, text: String) throws -> Content {
    var messages: [Message] = []
    for item in try row.objects(list) {
      let name = try item.text(role)
      if toolRoles.contains(name) { return .unusable(.toolMessages) }
      guard let role = roles[name] else {
        throw item.wrong(
          role, expected: (roles.keys.sorted() + toolRoles.sorted()).joined(separator: ", "), found: name)
      }
      if role == "assistant", item.members[text] == nil || item.members["tool_calls"] != nil {
        return .unusable(.toolMessages)
      }
      messages.append(Message(role: role, content: try item.text(text)))
    }
    let system = try row.optionalText("system")
    return Conversation(messages: messages, system: system, line: row.line).map(Content.conversation)
      ?? .unusable(.rolesDoNotAlternate)
  }
}

// MARK: - Reading members

/// An object of a row, with its place for error messages. Null members count as absent.
struct Row {
  let members: [String: JSONValue]
  /// Path, line, and inside the row the path to this object.
  let place: String
  let line: Int

  init(_ object: [String: JSONValue], place: String, line: Int) {
    members = object.filter { $0.value != .null }
    self.place = place
    self.line = line
  }

  func text(_ key: String) throws -> String {
    guard let value = members[key] else { throw wrong(key, expected: "a string", found: "nothing") }
    guard let text = value.string else { throw wrong(key, expected: "a string", found: value.kind) }
    return text
  }

  func optionalText(_ key: String) throws -> String? {
    members[key] == nil ? nil : try text(key)
  }

  func optionalList(_ key: String) throws -> [JSONValue]? {
    guard let value = members[key] else { return nil }
    guard let list = value.array else { throw wrong(key, expected: "a list", found: value.kind) }
    return list
  }

  /// The list `key`, which must hold at least one object and nothing else.
  func objects(_ key: String) throws -> [Row] {
    let list = try optionalList(key) ?? []
    guard !list.isEmpty else { throw wrong(key, expected: "at least one turn", found: "an empty list") }
    return try list.enumerated().map { index, value in
      guard let object = value.object else {
        throw wrong("\(key)[\(index)]", expected: "an object", found: value.kind)
      }
      return Row(object, place: "\(place): \(key)[\(index)]", line: line)
    }
  }

  func wrong(_ key: String, expected: String, found: String) -> FireflyError {
    FireflyError("wrong \"\(key)\"", at: place, expected: expected, found: found)
  }
}
