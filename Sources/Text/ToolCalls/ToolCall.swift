import FireflyBase

/// A function that the assistant calls.
public struct ToolCall: Equatable, Sendable {
  public var id: String?
  public var name: String
  /// An object as a rule; a text where a publisher's or a model's arguments are no JSON.
  public var arguments: OrderedJSON

  public init(id: String? = nil, name: String, arguments: OrderedJSON) {
    self.id = id
    self.name = name
    self.arguments = arguments
  }

  /// From OpenAI's form, `{"id": …?, "type": "function", "function": {"name": …, "arguments": …}}`, or the inner object
  /// alone. Arguments may be an object or its JSON text.
  public init?(openAI value: OrderedJSON) {
    let function = value["function"] ?? value
    guard let name = function["name"]?.string else { return nil }
    self.init(
      id: value["id"]?.string, name: name,
      arguments: ToolCall.parsed(function["arguments"] ?? function["parameters"] ?? .object([:])))
  }

  /// In OpenAI's form, the arguments as an object.
  public var openAI: OrderedJSON {
    var members: JSONMembers = [:]
    members["id"] = id.map(OrderedJSON.string)
    members["type"] = .string("function")
    members["function"] = .object(["name": .string(name), "arguments": arguments])
    return .object(members)
  }

  /// Arguments that are the JSON text of an object as that object; anything else as it is.
  static func parsed(_ arguments: OrderedJSON) -> OrderedJSON {
    guard let text = arguments.string, let value = try? OrderedJSON.parse(text, source: "arguments"),
      value.object != nil
    else { return arguments }
    return value
  }
}
