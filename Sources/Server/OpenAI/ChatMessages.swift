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
    return try list.enumerated().map { try message($1, "messages[\($0)]") }
  }

  /// Members of a message that are what the service said beside its text, when a client sends it back.
  private static let members: ParameterTable = [
    "role": .followed, "content": .followed, "name": .harmless, "refusal": .only([.string("")]),
    "annotations": .harmless, "tool_calls": .only([.array([])]), "function_call": .only([]),
    "audio": .only([]),
    "tool_call_id": .only([]), "reasoning_content": .only([.string("")]), "reasoning": .only([.string("")]),
  ]

  private static let roles = [
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant",
  ]

  private static func message(_ value: OrderedJSON, _ place: String) throws -> Message {
    guard let object = value.object else {
      throw APIError.invalid("\"\(place)\" must be an object, not \(value.kind).", place)
    }
    let parameters = try Parameters(object, place: place).checked(by: members)
    guard let role = try parameters.text("role") else {
      throw APIError.invalid("\"\(place).role\" is missing.", "\(place).role")
    }
    guard let known = roles[role] else {
      throw APIError.invalid(
        "\"\(place).role\" must be system, developer, user or assistant, not \"\(role.prefix(40))\".",
        "\(place).role")
    }
    return Message(role: known, content: try content(parameters["content"], "\(place).content"))
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
