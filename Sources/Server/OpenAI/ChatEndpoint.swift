import FireflyBase
import FireflyGeneration
import FireflyText

/// `POST /v1/chat/completions`.
struct ChatEndpoint {
  let service: Service

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body).checked(by: ParameterTables.chat)
    let model = try service.model(parameters)
    let template = try service.template(of: model)
    let messages = try ChatMessages.read(parameters, atMost: service.shape.maxPositions)
    var answers = try AnswerParameters(
      parameters, defaults: service.defaults, limits: service.options,
      vocabularySize: service.shape.vocabularySize)
    try answers.limitTokens(
      parameters, ["max_completion_tokens", "max_tokens"], atLeast: 1, usual: .max,
      limit: service.options.maxTokens)
    let reportsTokens = try parameters.flag("logprobs") ?? false
    if let top = try parameters.whole("top_logprobs", in: 0...20) {
      guard reportsTokens || top == 0 else {
        throw APIError.invalid("\"top_logprobs\" needs \"logprobs\" to be true.", "top_logprobs")
      }
      answers.options.topLogProbabilities = top
    }
    answers.options.reportsLogProbabilities = reportsTokens
    answers.stop(at: try service.stopIDs(of: template), parameters)
    try service.constrain(&answers, parameters)
    let prompt = try service.prompt(messages, template)
    let format = ChatFormat(model: model.name, spelling: service.spelling, reportsTokens: reportsTokens)
    try service.start(
      exchange, answers, prompts: [prompt], parameter: "messages", model: model.name, format: format,
      reportsTokens: reportsTokens)
  }
}
