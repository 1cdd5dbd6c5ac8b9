import FireflyBase
import FireflyText

/// A chat as a request describes it: who is asked, with what template, messages and tools.
struct ChatRequest {
  let model: ServedModel
  /// With the request's variables.
  let template: ChatTemplate
  let messages: [Message]
  let tools: ChatTools
  /// Whether the last message is an answer that is to go on.
  let continuesAnswer: Bool
  private let warnings: Warnings

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
    continuesAnswer = try ChatRequest.continuesAnswer(parameters, messages)
    warnings = parameters.warnings
    guard tools.opening.isEmpty || !continuesAnswer else {
      throw APIError.invalid("An answer that has begun cannot be made to call a tool.", "tool_choice")
    }
  }

  /// Whether the answer has begun: as llama-server takes it where the assistant's message is the last, and as vllm is asked for it
  /// in so many words.
  private static func continuesAnswer(_ parameters: Parameters, _ messages: [Message]) throws -> Bool {
    let (asked, prompts) = ("continue_final_message", "add_generation_prompt")
    let (asks, isPrompted) = (try parameters.flag(asked), try parameters.flag(prompts))
    guard asks != true || isPrompted != true else {
      throw APIError.invalid("\"\(asked)\" and \"\(prompts)\" exclude each other.", asked)
    }
    let continues = messages.last?.role == "assistant" && asks != false && isPrompted != true
    if !continues && asks == true {
      throw APIError.invalid("\"\(asked)\" needs a message of the assistant's at the end.", asked)
    }
    if !continues && isPrompted == false {
      throw APIError.invalid(
        "\"\(prompts)\" may be false only where an answer is to go on, \"\(asked)\".", prompts,
        code: "unsupported_value")
    }
    return continues
  }

  /// The tokens up to where the assistant begins to speak, and what it is made to begin with.
  func prompt(_ service: Service) throws -> [Int32] {
    try service.checkLength(of: messages.reduce(0) { $0 + $1.content.utf8.count }, "messages")
    do {
      let prompt = try template.prompt(
        history: messages, tools: tools.described, continuesAnswer: continuesAnswer,
        tokenizer: service.tokenizer, budget: .max)
      warnings.add(prompt.lost, of: model.name)
      return prompt.tokens + (try service.tokenizer.encode(tools.opening, parseSpecial: true))
    } catch let error as FireflyError {
      throw APIError.invalid(error, "messages")
    }
  }

  /// Whether the answer begins within its reasoning: the prompt has opened it, as DeepSeek-R1's does, or what there is of the
  /// answer.
  func isThinking(after prompt: [Int32], _ service: Service) -> Bool {
    let marks = template.reasoningMarks
    guard continuesAnswer, let begun = messages.last?.content else {
      return service.endsInThought(prompt, marks)
    }
    guard let open = begun.ranges(of: marks.open).last else { return false }
    return !begun[open.upperBound...].contains(marks.close)
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
    for key in variables.keys where !template.own.asks(for: key) {
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
    if template.own.asks(for: name) {
      variables[name] = .string(effort)
    } else if effort == "none" {
      variables[thinking] = .bool(false)
    } else {
      throw APIError.invalid(
        "The template knows no reasoning effort but \"none\"; \"\(thinking)\" in \"chat_template_kwargs\" is how "
          + "templates that think are asked to.", name, code: "unsupported_value")
    }
  }
}
