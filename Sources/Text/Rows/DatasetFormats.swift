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
    case text(String)
    case preference(Preference)
    case unusable(DropReason)
  }

  let name: String
  /// The keys that tell this format from those further down in the table.
  let keys: [String]
  let read: @Sendable (Row) throws -> Content

  static let table: [RowFormat] = [
    RowFormat(name: "preference", keys: ["chosen", "rejected"], read: readPreference),
    RowFormat(name: "firefly", keys: ["conversation"], read: readFirefly),
    RowFormat(name: "sharegpt", keys: ["conversations"], read: readShareGPT),
    RowFormat(name: "messages", keys: ["messages"], read: readMessages),
    RowFormat(name: "alpaca", keys: ["instruction", "output"], read: readAlpaca),
    RowFormat(name: "tasks", keys: ["input", "target"], read: readTask),
    RowFormat(name: "moss", keys: ["chat"], read: readMoss),
    RowFormat(name: "moss_plain", keys: ["plain_text"], read: readMossPlain),
    RowFormat(name: "text", keys: ["text"], read: { .text(try $0.text("text")) }),
  ]

  /// The format of `row`.
  ///
  /// - Throws: `FireflyError` naming the keys found and the keys of each format.
  static func of(_ row: Row) throws -> RowFormat {
    if let format = table.first(where: { $0.keys.allSatisfy { row.members[$0] != nil } }) { return format }
    let known = table.map { $0.keys.map { "\"\($0)\"" }.joined(separator: " and ") + " (\($0.name))" }
    let found = row.members.keys.sorted().map { "\"\($0)\"" }
    throw FireflyError(
      "the row has no shape that is known", at: row.place, expected: known.joined(separator: ", or "),
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
    try content(of: row, list: "conversations")
  }

  /// `{"messages": [{"role": "user", "content": …}, …]}`, as OpenAI's; a content may be a list of text parts.
  @Sendable private static func readMessages(_ row: Row) throws -> Content {
    try content(of: row, list: "messages")
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
}
