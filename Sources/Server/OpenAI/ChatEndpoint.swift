import FireflyBase
import FireflyGeneration
import FireflyText

/// `POST /v1/chat/completions`.
struct ChatEndpoint {
  let service: Service

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body).checked(by: ParameterTables.chat)
    _ = try service.model(parameters)
    let chat = try ChatRequest(parameters, service)
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
    answers.stop(at: try service.stopIDs(of: chat.template), parameters)
    let prompt = try PromptTruncation(parameters, longest: service.shape.maxPositions - 1).part(
      of: chat.prompt(service))
    let isThinking = chat.isThinking(after: prompt, service)
    try constrain(&answers, chat, isThinking: isThinking, parameters)
    answers.options.shownTokens = ChatEndpoint.marks(chat, service.tokenizer)
    let separates = parameters["reasoning_format"] != .string("none")
    let reader = ChatAnswerReader(
      chat.tools, isThinking: isThinking, separates: separates, chat.template.reasoningMarks,
      channels: separates && chat.template.own.writesChannels
        ? ChannelReader(isInText: chat.continuesAnswer) : nil)
    let format = ChatFormat(
      model: chat.model.name, spelling: service.spelling, reportsTokens: reportsTokens, reader: reader,
      chat.tools.syntax)
    try service.start(
      exchange, answers, prompts: [prompt], parameter: "messages", model: chat.model, format: format,
      reportsTokens: reportsTokens, warnings: parameters.warnings)
  }

  /// Holds the answer to a call where it must be one, otherwise to the format that the request asks for, behind reasoning where
  /// the model reasons.
  private func constrain(
    _ answers: inout AnswerParameters, _ chat: ChatRequest, isThinking: Bool, _ parameters: Parameters
  ) throws {
    try answers.forbidWords(parameters, service.tokenizer)
    let asked = try ResponseFormat.read(parameters)
    guard asked == nil || !chat.continuesAnswer else {
      throw APIError.invalid(
        "An answer of a format is one from its beginning; leave the assistant's message at the end out.",
        "response_format")
    }
    let format = chat.tools.format(or: asked?.format, service.tokenizer, parameters.warnings)
    guard var format else { return }
    if asked != nil && chat.tools.format == nil {
      format = reasoned(format, chat.template, isThinking: isThinking)
    }
    do {
      answers.options.constraint = try service.constraint(format, parameters.warnings)
    } catch let error as FireflyError {
      throw APIError.invalid(error, chat.tools.format == nil ? asked?.parameter ?? "tools" : "tools")
    }
  }

  /// A format behind the reasoning that the prompt has begun, or that the model may begin itself.
  private func reasoned(_ format: TextFormat, _ template: ChatTemplate, isThinking: Bool) -> TextFormat {
    let (marks, own) = (template.reasoningMarks, template.own)
    guard isThinking || own.chat.contains(marks.open) || own.tools?.contains(marks.open) == true else {
      return format
    }
    func pieces(_ mark: String) -> [CallFormat.Piece] { mark.pieces(marks: marks.tokens, service.tokenizer) }
    return .reasoned(open: isThinking ? nil : pieces(marks.open), close: pieces(marks.close), format)
  }

  /// Special tokens that `ChatAnswerReader` looks for.
  private static func marks(_ chat: ChatRequest, _ tokenizer: any Tokenizer) -> Set<Int32> {
    let channels = chat.template.own.writesChannels ? ChannelReader.marks : []
    let texts = chat.template.reasoningMarks.tokens + channels + (chat.tools.syntax?.marks ?? [])
    return Set(texts.compactMap(tokenizer.id(of:)))
  }
}
