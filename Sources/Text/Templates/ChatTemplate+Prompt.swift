import FireflyBase

extension ChatTemplate {
  /// A prompt ready for generation.
  public struct Prompt: Equatable, Sendable {
    public var tokens: [Int32]
    /// Turns left out at the beginning so that the rest fits.
    public var droppedTurns: Int
    /// What of the conversation the template leaves out.
    public var lost: Set<LostPart> = []
  }

  /// The tokens up to where the assistant begins to speak, as in a training row.
  ///
  /// - Parameters:
  ///   - history: an optional system message, then user and assistant in turn, the last one the user's. A template of the
  ///     table takes nothing else; a model's own decides itself. What called tools said goes before an answer, with the
  ///     role "tool".
  ///   - system: replaces the template's system text; a system message in `history` goes before it.
  ///   - tools: what the assistant may call, each in OpenAI's form; nil for none.
  ///   - continuesAnswer: whether the last message is the assistant's, an answer that has begun: the tokens then end where its
  ///     text does, as with transformers' `continue_final_message`.
  /// - Throws: `FireflyError` for what the template cannot take, and for an answer to go on with that it does not write as it is.
  public func promptTokens(
    history: [Message], system: String? = nil, tools: [OrderedJSON]? = nil, continuesAnswer: Bool = false,
    tokenizer: any Tokenizer
  ) throws -> [Int32] {
    try prompt(
      history: history, system: system, tools: tools, continuesAnswer: continuesAnswer,
      tokenizer: tokenizer, budget: .max
    ).tokens
  }

  /// The prompt as `promptTokens` makes it, with the oldest turns left out, whole, until at most `budget` tokens
  /// remain; the system part stays. A turn is a message of the user with all that follows up to the next.
  ///
  /// - Throws: `FireflyError` as `promptTokens` does, and when the system part and the last turn alone are longer than `budget`.
  public func prompt(
    history: [Message], system: String? = nil, tools: [OrderedJSON]? = nil, continuesAnswer: Bool = false,
    tokenizer: any Tokenizer, budget: Int
  ) throws -> Prompt {
    var whole = TemplateHistory(
      system: system, messages: history[...], tools: tools, continuesAnswer: continuesAnswer)
    if let first = history.first, first.role == "system" {
      whole.system = first.content
      whole.messages.removeFirst()
    }
    try whole.checkEnd()
    try check(whole)
    let messages = whole.messages
    let turns = messages.indices.filter {
      $0 == messages.startIndex || messages[$0].role == "user" && messages[$0 - 1].role != "user"
    }
    func shortened(by dropped: Int) throws -> Prompt {
      var history = whole
      history.messages = messages[turns[dropped]...]
      let prompt = try prompt(history, tokenizer)
      return Prompt(tokens: prompt.tokens, droppedTurns: dropped, lost: prompt.lost)
    }
    let all = try shortened(by: 0)
    if all.tokens.count <= budget { return all }
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

extension TemplateHistory {
  /// - Throws: `FireflyError` when the last message is not what the history says it is.
  fileprivate func checkEnd() throws {
    guard let last = messages.last else {
      throw FireflyError(
        "there is no message to answer", expected: "a message with role \"user\" at the end")
    }
    guard continuesAnswer else {
      guard last.role != "assistant" else {
        throw FireflyError(
          "the last message must be the user's", expected: "a message with role \"user\" at the end")
      }
      return
    }
    guard last.role == "assistant" else {
      throw FireflyError(
        "there is no answer to go on with", expected: "a message with role \"assistant\" at the end")
    }
    guard last.toolCalls.isEmpty, !last.content.isEmpty else {
      throw FireflyError(
        "the last answer cannot be gone on with: it \(last.toolCalls.isEmpty ? "has no text" : "calls a tool")"
      )
    }
  }
}
