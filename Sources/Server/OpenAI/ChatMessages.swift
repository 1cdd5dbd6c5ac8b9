import FireflyBase
import FireflyText

/// The messages of a chat as the template takes them; what a conversation may look like, the template decides.
enum ChatMessages {
  /// - Parameter limit: the most messages, since each is at least a token.
  static func read(_ parameters: Parameters, atMost limit: Int) throws -> [Message] {
    guard let value = parameters.ordered("messages") else {
      throw APIError.invalid("\"messages\" is missing.", "messages")
    }
    guard let list = value.array, !list.isEmpty else {
      throw parameters.wrong("messages", "a list of at least one message", value.unordered)
    }
    guard list.count <= limit else {
      throw APIError.invalid(
        "There are \(list.count) messages; the model reads at most \(limit) tokens, its answer included.",
        "messages", code: "context_length_exceeded")
    }
    return try list.enumerated().map {
      try message($1, "messages[\($0)]", isLast: $0 == list.count - 1, parameters)
    }
  }

  /// Beside role and content, members that templates ask for, and what the service said itself, when a client sends it back.
  private static let members: ParameterTable = [
    "role": .followed, "content": .followed, "name": .followed, "tool_calls": .followed,
    "tool_call_id": .followed,
    "reasoning_content": .followed, "reasoning": .followed, "thinking": .followed,
    // Others' words for an answer that is to go on: DeepSeek's and Mistral's, Qwen's and Kimi's.
    "prefix": .followed, "partial": .alias("prefix"),
    "refusal": .only([.string("")]), "annotations": .harmless, "audio": .only([]),
    "function_call": .refused("Send \"tool_calls\"."),
  ]

  private static let roles = [
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool",
  ]

  private static func message(
    _ value: OrderedJSON, _ place: String, isLast: Bool, _ request: Parameters
  ) throws -> Message {
    let parameters = try request.object(value, place, members)
    guard let role = try parameters.text("role") else {
      throw APIError.invalid("\"\(place).role\" is missing.", "\(place).role")
    }
    guard let known = roles[role] else {
      throw APIError.invalid(
        "\"\(place).role\" must be system, developer, user, assistant or tool, not \"\(role.prefix(40))\".",
        "\(place).role")
    }
    if try parameters.flag("prefix") == true, !isLast || role != "assistant" {
      let name = parameters.given("prefix")
      throw APIError.invalid("\"\(name)\" is for the assistant's message at the end.", name)
    }
    var extra: JSONMembers = [:]
    for name in ["name", "tool_call_id", "reasoning_content", "reasoning", "thinking"] {
      extra[name] = try parameters.text(name).map(OrderedJSON.string)
    }
    extra["tool_calls"] = try calls(parameters, role, place)
    // An answer without text is what a model said that called tools, or thought and no more.
    if parameters["content"] == nil, role == "assistant" {
      let isAbsent = value.object?["content"] == nil
      let form: Message.ContentForm = extra["tool_calls"] == nil ? .text : isAbsent ? .absent : .null
      return Message(role: known, content: "", contentForm: form, members: extra)
    }
    return Message(
      role: known, content: try content(parameters, "\(place).content"), members: extra)
  }

  /// The assistant's calls; an empty list is none.
  private static func calls(_ parameters: Parameters, _ role: String, _ place: String) throws -> OrderedJSON?
  {
    let place = "\(place).tool_calls"
    guard let value = parameters.ordered("tool_calls"), value.array?.isEmpty != true else { return nil }
    guard role == "assistant" else { throw APIError.invalid("\"\(place)\" is for the assistant.", place) }
    guard let list = value.array, list.allSatisfy({ ToolCall(openAI: $0) != nil }) else {
      throw APIError.invalid(
        "\"\(place)\" must be a list of {\"id\": …, \"type\": \"function\", \"function\": {\"name\": …, \"arguments\": …}}.",
        place)
    }
    return value
  }

  /// A string, or a list of text parts.
  private static func content(_ message: Parameters, _ place: String) throws -> String {
    if let text = message["content"]?.string { return text }
    guard let parts = message.ordered("content")?.array else {
      throw APIError.invalid("\"\(place)\" must be a string or a list of text parts.", place)
    }
    return try parts.enumerated().map { index, part in
      guard part["type"]?.string == "text", let text = part["text"]?.string else {
        throw APIError.invalid(
          "\"\(place)[\(index)]\" must be {\"type\": \"text\", \"text\": …}; this model reads only text.",
          "\(place)[\(index)]")
      }
      _ = try message.object(part, "\(place)[\(index)]", partMembers)
      return text
    }.joined()
  }

  /// What is to be kept of a prompt, the clients of others' services say part by part; here all is.
  private static let partMembers: ParameterTable = [
    "type": .followed, "text": .followed, "cache_control": .harmless, "prompt_cache_breakpoint": .harmless,
    "annotations": .harmless,
  ]
}
