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
