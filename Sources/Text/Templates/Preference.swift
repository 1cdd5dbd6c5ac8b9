/// A prompt with two answers, of which one is preferred: a row of DPO's data, its text as written.
struct Preference: Equatable, Sendable {
  /// The row's own system text; nil leaves it to the template.
  var system: String?
  /// User and assistant in turn, the user last.
  var messages: [Message]
  var chosen: String
  var rejected: String

  /// The whole conversation with one of the answers.
  func conversation(answer: String) -> Conversation {
    let turns = stride(from: 0, to: messages.count, by: 2).map { index in
      Turn(
        human: messages[index].content,
        assistant: index + 1 < messages.count ? messages[index + 1].content : answer)
    }
    return Conversation(system: system, turns: turns)
  }
}
