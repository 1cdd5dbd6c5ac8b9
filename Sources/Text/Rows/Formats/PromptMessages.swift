import FireflyBase

/// The messages of a row that asks for an answer, read as those of training rows are.
package struct PromptMessages {
  /// With the row's system text first, where it has one.
  package var messages: [Message]
  /// nil when the row says nothing of tools.
  package var tools: [OrderedJSON]?

  /// - Parameters:
  ///   - row: with a list `messages`, and `system` and `tools` where it has them.
  ///   - place: path and line.
  /// - Throws: `FireflyError` naming the message and what is wrong with it.
  package init(_ row: JSONMembers, place: String) throws {
    let row = Row(row, place: place, line: 0)
    messages = try MessageReader.messages(row.objects("messages"))
    if let system = try row.optionalText("system"), messages.first?.role != "system" {
      messages.insert(Message(role: "system", content: system), at: 0)
    }
    tools = try row.tools(wrapsFunctions: false)
  }

  /// The keys of a row that asks for an answer which are not `followed`, nor known to mean nothing.
  package static func unused(_ row: JSONMembers, followed: Set<String>) -> [String] {
    row.entries.filter { $0.value != .null && !followed.contains($0.key) && !RowKeys.isHarmless($0.key) }.map(
      \.key)
  }
}
