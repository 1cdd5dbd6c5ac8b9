import FireflyBase
import Foundation

extension RowFormat {
  /// `{"meta_instruction": …?, "chat": {"turn_1": {"Human": "<|Human|>: …<eoh>\n", "MOSS": "<|MOSS|>: …<eom>\n", …}, …}}`,
  /// as moss-003-sft-data. Turns that call tools are not supported.
  @Sendable static func readMoss(_ row: Row) throws -> Content {
    guard let chat = row["chat"]?.object, !chat.isEmpty else {
      throw row.wrong("chat", expected: "an object with \"turn_1\", \"turn_2\", …", found: row.kind("chat"))
    }
    var turns: [Turn] = []
    for number in 1...chat.entries.count {
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
    return .conversation(try conversation(turns, row, system: "meta_instruction"))
  }

  /// What turns have beside the two texts and says something, and a second system text.
  @Sendable static func leftOutOfMoss(_ row: Row) -> [String] {
    let labels = [
      "Inner Thoughts": ("<|Inner Thoughts|>:", "<eot>"), "Tool Responses": ("<|Results|>:", "<eor>"),
    ]
    var leftOut: Set<String> = []
    for turn in (row["chat"]?.object?.entries ?? []).compactMap(\.value.object) {
      for entry in turn.entries where !["Human", "MOSS", "Commands"].contains(entry.key) {
        let (label, end) = labels[entry.key] ?? ("", "")
        let text = entry.value.string.map { bare($0, label: label, end: end) }
        if entry.value != .null, text != "", text != "None" { leftOut.insert("chat." + entry.key) }
      }
    }
    if row["meta_instruction"] != nil && row["system"] != nil { leftOut.insert("system") }
    return leftOut.sorted()
  }

  /// The turns with the columns beside them; the format's own word for a system text goes before "system".
  private static func conversation(_ turns: [Turn], _ row: Row, system key: String) throws -> Conversation {
    var conversation = Conversation(
      system: try row.optionalText(key) ?? row.optionalText("system"), turns: turns, line: row.line)
    conversation.tools = try row.tools(wrapsFunctions: true)
    return conversation
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
    return .conversation(try conversation(turns, row, system: "prefix"))
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
