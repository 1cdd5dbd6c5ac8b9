import FireflyBase
import FireflyGeneration
import FireflyText

/// `chat.completion` and `chat.completion.chunk`.
struct ChatFormat: AnswerFormat {
  let header: AnswerHeader
  let spelling: TokenSpelling
  let reportsTokens: Bool

  init(model: String, spelling: TokenSpelling, reportsTokens: Bool) {
    header = AnswerHeader(
      prefix: "chatcmpl-", object: "chat.completion", partObject: "chat.completion.chunk", model: model)
    self.spelling = spelling
    self.reportsTokens = reportsTokens
  }

  func choice(_ index: Int, _ result: GenerationResult) -> JSONValue {
    let shown = result.tokens.filter { $0.offset < result.text.utf8.count }
    return .object([
      "index": .int(index), "logprobs": logProbabilities(shown), "finish_reason": result.finishReason.json,
      "message": .object([
        "role": .string("assistant"), "content": .string(result.text), "refusal": .null,
      ]),
    ])
  }

  func opening(_ index: Int) -> JSONValue? {
    part(index, ["role": .string("assistant"), "content": .string("")], .null, .null)
  }

  func piece(_ index: Int, text: String, tokens: [GeneratedToken]) -> JSONValue {
    part(index, ["content": .string(text)], logProbabilities(tokens), .null)
  }

  func closing(_ index: Int, _ reason: FinishReason) -> JSONValue { part(index, [:], .null, reason.json) }

  private func part(
    _ index: Int, _ delta: [String: JSONValue], _ logProbabilities: JSONValue, _ reason: JSONValue
  ) -> JSONValue {
    .object([
      "index": .int(index), "delta": .object(delta), "logprobs": logProbabilities, "finish_reason": reason,
    ])
  }

  private func logProbabilities(_ tokens: [GeneratedToken]) -> JSONValue {
    guard reportsTokens else { return .null }
    let entries = tokens.map { token in
      var members = entry(token.id, token.logProbability ?? 0)
      members["top_logprobs"] = .array(token.top.map { .object(entry($0.id, $0.logProbability)) })
      return JSONValue.object(members)
    }
    return .object(["content": .array(entries), "refusal": .null])
  }

  private func entry(_ id: Int32, _ logProbability: Double) -> [String: JSONValue] {
    [
      "token": .string(spelling.text(of: id)), "logprob": .logProbability(logProbability),
      "bytes": .array(spelling.bytes(of: id).map { .int(Int($0)) }),
    ]
  }
}
