import FireflyText

/// What of an answer is shown, and what the conversation remembers of it: where answers come in channels, reasoning is shown
/// before the text and forgotten.
struct ChatAnswer {
  private var channels: ChannelReader?
  /// What is remembered.
  private(set) var said = ""
  private var isThinking = false

  init(_ template: ChatTemplate) { channels = template.own.writesChannels ? ChannelReader() : nil }

  /// What is shown of a further piece.
  mutating func append(_ piece: String) -> String {
    if let events = channels?.append(piece) { return shown(events) }
    said += piece
    return piece
  }

  /// The rest of it.
  mutating func finish() -> String { shown(channels?.finish() ?? []) }

  private mutating func shown(_ events: [ChannelReader.Event]) -> String {
    events.map { event in
      switch event {
      case .reasoning(let text):
        isThinking = true
        return text
      case .text(let text): return say(text)
      case .call(let call): return say(call.name)
      }
    }.joined()
  }

  private mutating func say(_ text: String) -> String {
    defer { isThinking = false }
    said += text
    return isThinking ? "\n\n" + text : text
  }
}
