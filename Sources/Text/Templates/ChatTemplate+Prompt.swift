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
  ///   - history: an optional system message, then user and assistant in turn, the last one the user's. A template of the
  ///     table takes nothing else; a model's own decides itself. What called tools said goes before an answer, with the
  ///     role "tool".
  ///   - system: replaces the template's system text; a system message in `history` goes before it.
  ///   - tools: what the assistant may call, each in OpenAI's form; nil for none.
  public func promptTokens(
    history: [Message], system: String? = nil, tools: [OrderedJSON]? = nil, tokenizer: any Tokenizer
  ) throws -> [Int32] {
    try prompt(history: history, system: system, tools: tools, tokenizer: tokenizer, budget: .max).tokens
  }

  /// The prompt as `promptTokens` makes it, with the oldest turns left out, whole, until at most `budget` tokens
  /// remain; the system part stays. A turn is a message of the user with all that follows up to the next.
  ///
  /// - Throws: `FireflyError` when the system part and the last turn alone are longer than `budget`.
  public func prompt(
    history: [Message], system: String? = nil, tools: [OrderedJSON]? = nil, tokenizer: any Tokenizer,
    budget: Int
  ) throws -> Prompt {
    var messages = history[...]
    var system = system
    if let first = messages.first, first.role == "system" {
      system = first.content
      messages.removeFirst()
    }
    try check(messages, tools: tools)
    let turns = messages.indices.filter {
      $0 == messages.startIndex || messages[$0].role == "user" && messages[$0 - 1].role != "user"
    }
    func shortened(by dropped: Int) throws -> Prompt {
      let history = TemplateHistory(system: system, messages: messages[turns[dropped]...], tools: tools)
      return Prompt(tokens: try prompt(history, tokenizer), droppedTurns: dropped)
    }
    let whole = try shortened(by: 0)
    if whole.tokens.count <= budget { return whole }
    // The fewest turns to leave out, by halving: leaving out more never makes a prompt longer.
    var (low, high) = (1, turns.count - 1)
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
}
