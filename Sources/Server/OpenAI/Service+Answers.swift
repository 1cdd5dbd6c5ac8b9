import FireflyGeneration

extension Service {
  /// Has a chat's or completion's prompts answered, whole or as a stream.
  ///
  /// - Parameters:
  ///   - parameter: the request's, which holds the prompts.
  ///   - model: what was asked for.
  ///   - reportsTokens: whether log-probabilities were asked for.
  ///   - warnings: what the request asks for without effect.
  /// - Throws: `APIError` for a prompt that the model cannot read, more answers than are allowed, or a full queue.
  func start(
    _ exchange: HTTPExchange, _ answers: AnswerParameters, prompts: [[Int32]], parameter: String,
    model: ServedModel, format: any AnswerFormat, reportsTokens: Bool, warnings: Warnings
  ) throws {
    log(warnings)
    let count = prompts.count * answers.bestOf
    try checkCount(prompts.count, answers, parameter)
    for prompt in prompts { try check(prompt, answers.options, parameter) }
    let requests = answers.requests(prompts, adapter: model.key, place: parameter)
    let usage = Usage(promptTokens: prompts.map(\.count), answersPerPrompt: answers.bestOf)
    if answers.stream {
      let sink = StreamedAnswer(
        exchange, format, count: count, reportsTokens: reportsTokens,
        usage: answers.includesUsage ? usage : nil, warnings: warnings.json)
      try submit(requests, sink, exchange) { sink.open(count: count) }
    } else {
      let sink = WholeAnswer(exchange, count: count) { results in
        let choices = answers.chosen(results).enumerated().map { format.choice($0, $1) }
        return .json(
          format.header.message(
            choices, usage: usage.json(results), warnings: warnings.json, isPart: false))
      }
      try submit(requests, sink, exchange)
    }
  }

  /// - Throws: `APIError` when so many prompts ask for more answers than one request may have; to be called before
  ///   anything is made of the prompts.
  func checkCount(_ prompts: Int, _ answers: AnswerParameters, _ parameter: String) throws {
    let (count, overflow) = prompts.multipliedReportingOverflow(by: answers.bestOf)
    guard !overflow, count <= options.answersPerRequest else {
      throw APIError.invalid(
        "The request asks for \(overflow ? prompts : count) answers; at most \(options.answersPerRequest) "
          + "are allowed.", parameter)
    }
  }
}

extension AnswerParameters {
  /// Of each prompt's `bestOf` answers the `n` with the highest log-probability per token, the best first.
  fileprivate func chosen(_ results: [GenerationResult]) -> [GenerationResult] {
    guard bestOf > n else { return results }
    func score(_ result: GenerationResult) -> Double {
      result.tokens.reduce(0) { $0 + ($1.logProbability ?? 0) } / Double(max(result.tokens.count, 1))
    }
    return stride(from: 0, to: results.count, by: bestOf).flatMap { start in
      let ranked = results[start..<start + bestOf].map { (score($0), $0) }.enumerated().sorted {
        ($1.element.0, $0.offset) < ($0.element.0, $1.offset)
      }
      return ranked.prefix(n).map(\.element.1)
    }
  }
}
