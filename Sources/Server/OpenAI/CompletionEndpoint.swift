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
    let longest = service.shape.maxPositions - 1
    let prompts = try PromptReader(service: service, parameter: "prompt", longest: longest).read(parameters) {
      count in
      try service.checkCount(count, answers, "prompt")
    }
    let echoes = echo ? self.echoes(prompts, n: answers.n) : []
    let format = CompletionFormat(
      model: model.name, spelling: service.spelling, reportsTokens: top != nil, echoes: echoes)
    try service.start(
      exchange, answers, prompts: prompts.map(\.ids), parameter: "prompt", model: model,
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

  private func echoes(_ prompts: [PromptReader.Prompt], n: Int) -> [CompletionFormat.Echo] {
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
}
