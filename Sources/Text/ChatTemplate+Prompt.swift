import FireflyBase

extension ChatTemplate {
  /// A prompt ready for generation.
  public struct Prompt: Equatable, Sendable {
    public var tokens: [Int32]
    /// Turns left out at the beginning so that the rest fits.
    public var droppedTurns: Int
  }

  /// The tokens up to where the assistant begins to speak, cut into the same pieces as a training row.
  ///
  /// - Parameters:
  ///   - history: an optional system message, then user and assistant in turn; the last one is the user's.
  ///   - system: replaces the template's system text; a system message in `history` goes before it.
  public func promptTokens(
    history: [Message], system: String? = nil, tokenizer: any Tokenizer
  ) throws -> [Int32] {
    try prompt(history: history, system: system, tokenizer: tokenizer, budget: .max).tokens
  }

  /// As `promptTokens`, with the oldest turns left out, whole, until at most `budget` tokens remain; the system part stays.
  ///
  /// - Throws: `FireflyError` when the system part and the last message alone are longer than `budget`.
  public func prompt(
    history: [Message], system: String? = nil, tokenizer: any Tokenizer, budget: Int
  ) throws -> Prompt {
    var messages = history[...]
    var system = system
    if let first = messages.first, first.role == "system" {
      system = first.content
      messages.removeFirst()
    }
    try checkRoles(messages)
    let head = try head(system: system, tokenizer)
    var pieces: [[Int32]] = []  // user, assistant, user, …, user
    for message in messages {
      pieces.append(
        try message.role == "user" ? user(message.content, tokenizer) : assistant(message.content, tokenizer))
    }
    var dropped = 0
    var length = head.count + pieces.reduce(0) { $0 + $1.count }
    while length > budget && 2 * dropped + 1 < pieces.count {
      length -= pieces[2 * dropped].count + pieces[2 * dropped + 1].count
      dropped += 1
    }
    guard length <= budget else {
      throw FireflyError(
        "the message does not fit into the context, even alone", expected: "at most \(budget) tokens",
        found: "\(length) tokens", fix: "Shorten it, or allow fewer new tokens.")
    }
    return Prompt(tokens: head + pieces[(2 * dropped)...].joined(), droppedTurns: dropped)
  }

  private func checkRoles(_ messages: ArraySlice<Message>) throws {
    for (place, message) in messages.enumerated() {
      let expected = place.isMultiple(of: 2) ? "user" : "assistant"
      guard message.role == expected else {
        throw FireflyError(
          "messages must be the user's and the assistant's in turn", at: "message \(place + 1)",
          expected: "role \"\(expected)\"", found: "role \"\(message.role)\"")
      }
    }
    guard messages.count % 2 == 1 else {
      throw FireflyError(
        messages.isEmpty ? "there is no message to answer" : "the last message must be the user's",
        expected: "a message with role \"user\" at the end")
    }
  }
}
