import FireflyBase
import FireflyText

/// A chat as a request describes it: who is asked, with what template, messages and tools.
struct ChatRequest {
  let model: ServedModel
  /// With the request's variables.
  let template: ChatTemplate
  let messages: [Message]
  let tools: ChatTools

  /// - Throws: `APIError` naming the parameter.
  init(_ parameters: Parameters, _ service: Service) throws {
    model = try parameters["model"] == nil ? service.models.base : service.model(parameters)
    let plain = try service.template(of: model)
    do {
      template = try plain.with(variables: try ChatVariables.read(parameters, plain))
    } catch let error as FireflyError {
      throw APIError.invalid(error, "chat_template_kwargs")
    }
    messages = try ChatMessages.read(parameters, atMost: service.shape.maxPositions)
    tools = try ChatTools(parameters, template)
  }

  /// The tokens up to where the assistant begins to speak, and what it is made to begin with.
  func prompt(_ service: Service) throws -> [Int32] {
    try service.checkLength(of: messages.reduce(0) { $0 + $1.content.utf8.count }, "messages")
    do {
      let prompt = try template.promptTokens(
        history: messages, tools: tools.described, tokenizer: service.tokenizer)
      return prompt + (try service.tokenizer.encode(tools.opening, parseSpecial: true))
    } catch let error as FireflyError {
      throw APIError.invalid(error, "messages")
    }
  }
}

/// The variables of a model's own template that a request sets.
enum ChatVariables {
  static func read(_ parameters: Parameters, _ template: ChatTemplate) throws -> JSONMembers {
    var variables: JSONMembers = [:]
    if let value = parameters.ordered("chat_template_kwargs") {
      guard let members = value.object else {
        throw parameters.wrong("chat_template_kwargs", "an object", value.unordered)
      }
      variables = members
    }
    if let thinking = try parameters.flag(thinking) { variables[ChatVariables.thinking] = .bool(thinking) }
    try readEffort(parameters, template, &variables)
    for key in variables.keys where !names(template, key) {
      // A template that knows no thinking does without it.
      if key == thinking && variables[key] == .bool(false) {
        variables[key] = nil
        continue
      }
      let place = parameters["chat_template_kwargs"]?[key] == nil ? key : "chat_template_kwargs.\(key)"
      throw APIError.invalid(
        "The template does not ask for \"\(key.prefix(60))\".", place, code: "unsupported_parameter")
    }
    return variables
  }

  private static let thinking = "enable_thinking"

  /// `reasoning_effort` is the template's where it asks for it; elsewhere "none" is that there is no thinking.
  private static func readEffort(
    _ parameters: Parameters, _ template: ChatTemplate, _ variables: inout JSONMembers
  ) throws {
    let name = "reasoning_effort"
    guard let effort = try parameters.text(name) else { return }
    if names(template, name) {
      variables[name] = .string(effort)
    } else if effort == "none" {
      variables[thinking] = .bool(false)
    } else {
      throw APIError.invalid(
        "The template knows no reasoning effort but \"none\"; \"\(thinking)\" in \"chat_template_kwargs\" is how "
          + "templates that think are asked to.", name, code: "unsupported_value")
    }
  }

  /// Whether the template's text has the name.
  private static func names(_ template: ChatTemplate, _ name: String) -> Bool {
    let own = template.own
    return own.chat.contains(name) || own.tools?.contains(name) == true
  }
}
