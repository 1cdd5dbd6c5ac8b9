/// One message of a chat: who speaks and what is said.
public struct Message: Equatable, Sendable {
  /// Who speaks: "system", "user" or "assistant".
  public var role: String
  public var content: String

  public init(role: String, content: String) {
    self.role = role
    self.content = content
  }
}

/// What one person asked and what the assistant answered.
public struct Turn: Equatable, Sendable {
  public var human: String
  public var assistant: String

  public init(human: String, assistant: String) {
    self.human = human
    self.assistant = assistant
  }
}

/// A row of a conversation file, its text as written.
public struct Conversation: Equatable, Sendable {
  /// The row's own system text; nil leaves it to the template, and an empty text counts as present.
  public var system: String?
  public var turns: [Turn]
  /// Where the row stands in its file, from 1; 0 when it comes from no file.
  public var line: Int

  public init(system: String? = nil, turns: [Turn], line: Int = 0) {
    self.system = system
    self.turns = turns
    self.line = line
  }
}

extension Conversation {
  /// Pairs alternating messages into turns: an optional system message, then user, assistant, user, assistant…
  ///
  /// - Returns: nil when the roles do not alternate or the last user message has no answer.
  init?(messages: [Message], system: String?, line: Int) {
    var rest = messages[...]
    var system = system
    if let first = rest.first, first.role == "system" {
      system = first.content
      rest.removeFirst()
    }
    guard !rest.isEmpty, rest.count.isMultiple(of: 2) else { return nil }
    var turns: [Turn] = []
    while let human = rest.popFirst(), let assistant = rest.popFirst() {
      guard human.role == "user", assistant.role == "assistant" else { return nil }
      turns.append(Turn(human: human.content, assistant: assistant.content))
    }
    self.init(system: system, turns: turns, line: line)
  }
}
