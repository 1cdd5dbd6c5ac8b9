import FireflyBase

/// What one person asked and what the assistant answered.
package struct Turn: Equatable, Sendable {
  package var human: String
  package var assistant: String

  package init(human: String, assistant: String) {
    self.human = human
    self.assistant = assistant
  }
}

/// A row of a conversation file, its text as written.
package struct Conversation: Equatable, Sendable {
  /// The row's own system text; nil leaves it to the template, and an empty text counts as present.
  package var system: String?
  /// User and assistant in turn, the assistant last; before an answer there may be calls and what the tools said.
  package var messages: [Message]
  /// The tools that may be called, as the row describes them; nil when it says nothing of tools.
  package var tools: [OrderedJSON]?
  /// Where the row stands in its file, from 1; 0 when it comes from no file.
  package var line: Int

  package init(system: String? = nil, messages: [Message], tools: [OrderedJSON]? = nil, line: Int = 0) {
    self.system = system
    self.messages = messages
    self.tools = tools
    self.line = line
  }

  package init(system: String? = nil, turns: [Turn], line: Int = 0) {
    self.init(
      system: system,
      messages: turns.flatMap {
        [Message(role: "user", content: $0.human), Message(role: "assistant", content: $0.assistant)]
      }, line: line)
  }
}

extension Conversation {
  /// Whether the messages are in turn: the user begins, the assistant follows the user or a tool, a tool follows the
  /// assistant or another tool, and the assistant has the last word.
  var isInTurn: Bool {
    let before = ["user": ["", "assistant"], "assistant": ["user", "tool"], "tool": ["assistant", "tool"]]
    var last = ""
    for message in messages {
      guard before[message.role]?.contains(last) == true else { return false }
      last = message.role
    }
    return last == "assistant"
  }

  /// There are calls among the messages, or what tools said.
  var hasToolMessages: Bool {
    messages.contains { $0.role == "tool" || $0.members["tool_calls"] != nil }
  }
}
