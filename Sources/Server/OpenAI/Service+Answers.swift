import FireflyGeneration

extension Service {
  /// Has a chat's or completion's prompts answered, whole or as a stream.
  ///
  /// - Parameters:
  ///   - parameter: the request's, which holds the prompts.
  ///   - model: the name of the model that was asked for.
  ///   - reportsTokens: whether log-probabilities were asked for.
  /// - Throws: `APIError` for a prompt that the model cannot read, more answers than are allowed, or a full queue.
  func start(
    _ exchange: HTTPExchange, _ answers: AnswerParameters, prompts: [[Int32]], parameter: String,
    model: String, format: any AnswerFormat, reportsTokens: Bool
  ) throws {
    let count = prompts.count * answers.n
    guard count <= options.answersPerRequest else {
      throw APIError.invalid(
        "The request asks for \(count) answers; at most \(options.answersPerRequest) are allowed.", parameter)
    }
    for prompt in prompts { try check(prompt, answers.options, parameter) }
    let requests = answers.requests(prompts, model: model, place: parameter)
    let usage = Usage(promptTokens: prompts.map(\.count), answersPerPrompt: answers.n)
    if answers.stream {
      let sink = StreamedAnswer(
        exchange, format, count: count, reportsTokens: reportsTokens,
        usage: answers.includesUsage ? usage : nil)
      try submit(requests, sink, exchange) { sink.open(count: count) }
    } else {
      let sink = WholeAnswer(exchange, count: count) { results in
        let choices = results.enumerated().map { format.choice($0, $1) }
        return .json(format.header.message(choices, usage: usage.json(results), isPart: false))
      }
      try submit(requests, sink, exchange)
    }
  }
}
