import FireflyBase

/// A prompt with two answers, of which one is preferred: a row of DPO's data, its text as written.
struct Preference: Equatable, Sendable {
  /// The row's own system text; nil leaves it to the template.
  var system: String?
  /// User and assistant in turn, the user last.
  var messages: [Message]
  /// As in `Conversation`.
  var tools: [OrderedJSON]?
  var chosen: Message
  var rejected: Message

  /// The whole conversation with one of the answers.
  func conversation(answer: Message) -> Conversation {
    Conversation(system: system, messages: messages + [answer], tools: tools)
  }
}
