import FireflyBase
import FireflyGeneration
import FireflyText

/// `POST /v1/completions`.
struct CompletionEndpoint {
  let service: Service

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body).checked(
      by: ParameterTables.completion)
    let model = try service.model(parameters)
    var answers = try AnswerParameters(
      parameters, defaults: service.defaults, limits: service.options,
      vocabularySize: service.shape.vocabularySize)
    // OpenAI's default is 16 tokens.
    try answers.limitTokens(
      parameters, ["max_tokens"], atLeast: 0, usual: 16, limit: service.options.maxTokens)
    let echo = try parameters.flag("echo") ?? false
    let top = try CompletionEndpoint.logProbabilities(parameters)
    try readBestOf(&answers, parameters)
    answers.options.topLogProbabilities = top ?? 0
    answers.options.reportsLogProbabilities = top != nil || answers.bestOf > answers.n
    answers.options.scoresPrompt = echo && top != nil
    if answers.options.scoresPrompt && answers.stream {
      throw APIError.invalid(
        "\"echo\" with \"logprobs\" cannot be streamed; leave one of the three out.", "stream")
    }
    try service.constrain(&answers, parameters)
    let prompts = try prompts(parameters, answers)
    let echoes = echo ? self.echoes(prompts, n: answers.n) : []
    let format = CompletionFormat(
      model: model.name, spelling: service.spelling, reportsTokens: top != nil, echoes: echoes)
    try service.start(
      exchange, answers, prompts: prompts.map(\.ids), parameter: "prompt", model: model.name,
      format: format, reportsTokens: top != nil, warnings: parameters.warnings)
  }

  private func readBestOf(_ answers: inout AnswerParameters, _ parameters: Parameters) throws {
    let most = service.options.answersPerRequest
    guard let count = try parameters.whole("best_of", in: answers.n...max(answers.n, most)) else { return }
    guard count == answers.n || !answers.stream else {
      throw APIError.invalid(
        "The best of several answers cannot be streamed: it is known when all have ended.", "best_of")
    }
    answers.bestOf = count
  }

  private func echoes(_ prompts: [Prompt], n: Int) -> [CompletionFormat.Echo] {
    prompts.flatMap { prompt in
      let text = prompt.text ?? service.tokenizer.decode(prompt.ids, skipSpecial: false)
      return [CompletionFormat.Echo](repeating: .init(ids: prompt.ids, text: text), count: n)
    }
  }

  /// How many of the most likely tokens to report; nil: no log-probabilities at all.
  private static func logProbabilities(_ parameters: Parameters) throws -> Int? {
    if parameters["logprobs"] == .bool(false) { return nil }
    return try parameters.whole("logprobs", in: 0...20)
  }

  private struct Prompt {
    let ids: [Int32]
    /// nil when the request gave ids.
    let text: String?
  }

  /// A text, a list of texts, a list of ids, or a list of lists of ids; how many is looked at first.
  private func prompts(_ parameters: Parameters, _ answers: AnswerParameters) throws -> [Prompt] {
    guard let value = parameters["prompt"] else {
      throw APIError.invalid("\"prompt\" is missing.", "prompt")
    }
    if let text = value.string { return [try encoded(text)] }
    func wrong() -> APIError {
      parameters.wrong(
        "prompt", "a string, a list of strings, a list of token ids or a list of such lists", value)
    }
    guard let list = value.array, let first = list.first else { throw wrong() }
    switch first {
    case .string:
      try service.checkCount(list.count, answers, "prompt")
      return try list.map { try encoded(try $0.string.orThrow(wrong())) }
    case .array:
      try service.checkCount(list.count, answers, "prompt")
      return try list.map {
        Prompt(ids: try CompletionEndpoint.ids($0.array.orThrow(wrong()), wrong), text: nil)
      }
    default:
      return [Prompt(ids: try CompletionEndpoint.ids(list, wrong), text: nil)]
    }
  }

  private static func ids(_ list: [JSONValue], _ wrong: () -> APIError) throws -> [Int32] {
    try list.map { try $0.int.flatMap { Int32(exactly: $0) }.orThrow(wrong()) }
  }

  /// The text's tokens as `generate --raw` reads it: after the beginning-of-sequence token where the model expects
  /// it.
  private func encoded(_ text: String) throws -> Prompt {
    try service.checkLength(of: text.utf8.count, "prompt")
    do {
      return Prompt(ids: try service.tokenizer.textTokens(text), text: text)
    } catch let error as FireflyError {
      throw APIError.invalid(error, "prompt")
    }
  }
}

extension Optional {
  fileprivate func orThrow(_ error: @autoclosure () -> APIError) throws -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}
