import FireflyBase
import FireflyGeneration
import FireflyText

/// `text_completion`, whole or in parts.
struct CompletionFormat: AnswerFormat {
  let header: AnswerHeader
  let spelling: TokenSpelling
  let reportsTokens: Bool
  /// What each answer repeats of its prompt, by its index; empty without `echo`.
  let echoes: [Echo]

  /// A prompt as it is repeated before its answer.
  struct Echo: Sendable {
    let ids: [Int32]
    let text: String
  }

  init(model: String, spelling: TokenSpelling, reportsTokens: Bool, echoes: [Echo]) {
    header = AnswerHeader(
      prefix: "cmpl-", object: "text_completion", partObject: "text_completion", model: model)
    self.spelling = spelling
    self.reportsTokens = reportsTokens
    self.echoes = echoes
  }

  func choice(_ index: Int, _ result: GenerationResult) -> JSONValue {
    let echo = echoes.isEmpty ? nil : echoes[index]
    let tokens = echo.map { CompletionFormat.tokens($0, result.promptScores) } ?? []
    let answer = result.tokens.map { Token($0) }
    return choice(
      index, text: (echo?.text ?? "") + result.text,
      reportsTokens ? logProbabilities(tokens + answer) : .null,
      result.finishReason.json)
  }

  func opening(_ index: Int) -> JSONValue? {
    echoes.isEmpty ? nil : choice(index, text: echoes[index].text, .null, .null)
  }

  func pieces(_ index: Int, text: String, tokens: [GeneratedToken]) -> [JSONValue] {
    [choice(index, text: text, reportsTokens ? logProbabilities(tokens.map { Token($0) }) : .null, .null)]
  }

  func closing(_ index: Int, _ reason: FinishReason) -> [JSONValue] {
    [choice(index, text: "", .null, reason.json)]
  }

  private func choice(
    _ index: Int, text: String, _ logProbabilities: JSONValue, _ reason: JSONValue
  ) -> JSONValue {
    .object([
      "index": .int(index), "text": .string(text), "logprobs": logProbabilities, "finish_reason": reason,
    ])
  }

  // MARK: - Log-probabilities

  private struct Token {
    let id: Int32
    /// nil for the first token of a text, before which nothing stands.
    let logProbability: Double?
    let top: [TokenLogProbability]

    init(id: Int32, logProbability: Double?, top: [TokenLogProbability]) {
      self.id = id
      self.logProbability = logProbability
      self.top = top
    }

    init(_ token: GeneratedToken) {
      self.init(id: token.id, logProbability: token.logProbability, top: token.top)
    }
  }

  private static func tokens(_ echo: Echo, _ scores: [TokenScore]) -> [Token] {
    echo.ids.prefix(1).map { Token(id: $0, logProbability: nil, top: []) }
      + scores.map { Token(id: $0.id, logProbability: $0.logProbability, top: $0.top) }
  }

  /// Four lists of one length; offsets are characters from the beginning of the choice's text, the tokens' texts laid
  /// end to end.
  private func logProbabilities(_ tokens: [Token]) -> JSONValue {
    var offset = 0
    var texts: [JSONValue] = []
    var offsets: [JSONValue] = []
    for token in tokens {
      let text = spelling.text(of: token.id)
      texts.append(.string(text))
      offsets.append(.int(offset))
      offset += text.unicodeScalars.count
    }
    return .object([
      "tokens": .array(texts), "text_offset": .array(offsets),
      "token_logprobs": .array(tokens.map { $0.logProbability.map(JSONValue.logProbability) ?? .null }),
      "top_logprobs": .array(tokens.map(top)),
    ])
  }

  /// The most likely tokens by their texts, and the one that stands there.
  private func top(_ token: Token) -> JSONValue {
    guard let own = token.logProbability else { return .null }
    var members: [String: JSONValue] = [:]
    for entry in token.top + [TokenLogProbability(id: token.id, logProbability: own)] {
      let text = spelling.text(of: entry.id)
      if members[text] == nil { members[text] = .logProbability(entry.logProbability) }
    }
    return .object(members)
  }
}
