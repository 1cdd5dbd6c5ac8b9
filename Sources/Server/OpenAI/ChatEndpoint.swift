import FireflyBase
import FireflyGeneration
import FireflyText

/// `POST /v1/chat/completions`.
struct ChatEndpoint {
  let service: Service

  private static let known = AnswerParameters.known.union([
    "messages", "logprobs", "top_logprobs", "max_completion_tokens", "tools", "tool_choice", "functions",
    "function_call", "response_format", "modalities",
  ])

  func answer(_ exchange: HTTPExchange) throws {
    let parameters = try Parameters(body: exchange.takeRequest().body)
    try parameters.refuseOthers(than: ChatEndpoint.known)
    try ChatEndpoint.refuseTools(parameters)
    let model = try service.model(parameters)
    guard let template = model.template else {
      throw APIError.invalid(
        "Nothing tells the chat template of \"\(model.name)\"; start the server with --template, or use "
          + "/v1/completions.", "model")
    }
    let messages = try ChatEndpoint.messages(parameters)
    var answers = try AnswerParameters(
      parameters, defaults: service.defaults, limits: service.options,
      vocabularySize: service.shape.vocabularySize)
    try answers.limitTokens(
      parameters, ["max_completion_tokens", "max_tokens"], atLeast: 1, usual: .max,
      limit: service.options.maxTokens)
    let reportsTokens = try parameters.flag("logprobs") ?? false
    if let top = try parameters.whole("top_logprobs", in: 0...20) {
      guard reportsTokens else {
        throw APIError.invalid("\"top_logprobs\" needs \"logprobs\" to be true.", "top_logprobs")
      }
      answers.options.topLogProbabilities = top
    }
    answers.options.reportsLogProbabilities = reportsTokens
    let prompt: [Int32]
    do {
      answers.options.stopIDs.formUnion(try template.stopIDs(service.tokenizer))
      prompt = try template.promptTokens(history: messages, tokenizer: service.tokenizer)
    } catch let error as FireflyError {
      throw APIError.invalid(error, "messages")
    }
    let format = ChatFormat(model: model.name, spelling: service.spelling, reportsTokens: reportsTokens)
    try service.start(
      exchange, answers, prompts: [prompt], parameter: "messages", model: model.name, format: format,
      reportsTokens: reportsTokens)
  }

  private static func refuseTools(_ parameters: Parameters) throws {
    try parameters.refuse("tools", unless: [.array([])])
    try parameters.refuse("functions", unless: [.array([])])
    try parameters.refuse("tool_choice", unless: [.string("none"), .string("auto")])
    try parameters.refuse("function_call", unless: [.string("none"), .string("auto")])
    try parameters.refuse("response_format", unless: [.object(["type": .string("text")])])
    try parameters.refuse("modalities", unless: [.array([.string("text")])])
  }

  private static func messages(_ parameters: Parameters) throws -> [Message] {
    guard let value = parameters["messages"] else {
      throw APIError.invalid("\"messages\" is missing.", "messages")
    }
    guard let list = value.array, !list.isEmpty else {
      throw parameters.wrong("messages", "a list of at least one message", value)
    }
    return try list.enumerated().map { try message($1, "messages[\($0)]") }
  }

  private static func message(_ value: JSONValue, _ place: String) throws -> Message {
    guard let role = value["role"]?.string else {
      throw APIError.invalid("\"\(place).role\" must be a string.", "\(place).role")
    }
    let roles = ["system": "system", "developer": "system", "user": "user", "assistant": "assistant"]
    guard let known = roles[role] else {
      throw APIError.invalid(
        "\"\(place).role\" must be system, developer, user or assistant, not \"\(role.prefix(40))\".",
        "\(place).role")
    }
    for name in ["tool_calls", "function_call", "audio"] where value[name] != nil && value[name] != .array([])
    {
      throw APIError.invalid("\"\(place).\(name)\" is not supported.", "\(place).\(name)")
    }
    return Message(role: known, content: try content(value["content"], "\(place).content"))
  }

  /// A string, or a list of text parts.
  private static func content(_ value: JSONValue?, _ place: String) throws -> String {
    if let text = value?.string { return text }
    guard let parts = value?.array else {
      throw APIError.invalid("\"\(place)\" must be a string or a list of text parts.", place)
    }
    return try parts.enumerated().map { index, part in
      guard part["type"]?.string == "text", let text = part["text"]?.string else {
        throw APIError.invalid(
          "\"\(place)[\(index)]\" must be {\"type\": \"text\", \"text\": …}; this model reads only text.",
          "\(place)[\(index)]")
      }
      return text
    }.joined()
  }
}
