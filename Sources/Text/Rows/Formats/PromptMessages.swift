import FireflyBase

/// The messages of a row that asks for an answer, read as those of training rows are.
package struct PromptMessages {
  /// With the row's system text first, where it has one.
  package var messages: [Message]
  /// nil when the row says nothing of tools.
  package var tools: [OrderedJSON]?
  /// The row's keys that nothing reads and that may mean something; of a row of another shape alone.
  package private(set) var unusedKeys: [String] = []

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

  /// A row of any shape that training takes, with its answer; nil for pairs, plain texts, and what is no such row.
  ///
  /// - Throws: `FireflyError` naming the row, or the part of it that is wrong.
  package init?(trainingRow members: JSONMembers, place: String) throws {
    let row = Row(members, place: place, line: 0)
    guard let format = try? RowFormat.of(row) else { return nil }
    switch try format.read(row) {
    case .conversation(let conversation):
      let system = conversation.system.map { [Message(role: "system", content: $0)] } ?? []
      messages = system + conversation.messages
      tools = conversation.tools
      unusedKeys = try format.unusedKeys(of: row)
    case .unusable(let reason):
      throw FireflyError("the row cannot be used", at: place, found: reason.rawValue)
    case .text, .preference: return nil
    }
  }

  /// The keys of a row that asks for an answer which are not `followed`, nor known to mean nothing.
  package static func unused(_ row: JSONMembers, followed: Set<String>) -> [String] {
    row.entries.filter { $0.value != .null && !followed.contains($0.key) && !RowKeys.isHarmless($0.key) }.map(
      \.key)
  }
}
