import FireflyBase

extension ChatTemplate {
  /// A prompt ready for generation.
  public struct Prompt: Equatable, Sendable {
    public var tokens: [Int32]
    /// Turns left out at the beginning so that the rest fits.
    public var droppedTurns: Int
  }

  /// The tokens up to where the assistant begins to speak, as in a training row.
  ///
  /// - Parameters:
  ///   - history: an optional system message, then user and assistant in turn; the last one is the user's.
  ///   - system: replaces the template's system text; a system message in `history` goes before it.
  public func promptTokens(
    history: [Message], system: String? = nil, tokenizer: any Tokenizer
  ) throws -> [Int32] {
    try prompt(history: history, system: system, tokenizer: tokenizer, budget: .max).tokens
  }

  /// The prompt as `promptTokens` makes it, with the oldest turns left out, whole, until at most `budget` tokens
  /// remain; the system part stays.
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
    func shortened(by turns: Int) throws -> Prompt {
      Prompt(
        tokens: try prompt(system: system, messages: messages.dropFirst(2 * turns), tokenizer),
        droppedTurns: turns)
    }
    let whole = try shortened(by: 0)
    if whole.tokens.count <= budget { return whole }
    // The fewest turns to leave out, by halving: leaving out more never makes a prompt longer.
    var (low, high) = (1, messages.count / 2)
    while low < high {
      let middle = (low + high) / 2
      if try shortened(by: middle).tokens.count <= budget { high = middle } else { low = middle + 1 }
    }
    let shortest = try shortened(by: high)
    guard shortest.tokens.count <= budget else {
      throw FireflyError(
        "the message does not fit into the context, even alone", expected: "at most \(budget) tokens",
        found: "\(shortest.tokens.count) tokens", fix: "Shorten it, or allow fewer new tokens.")
    }
    return shortest
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
