import FireflyBase
import FireflyGeneration

/// What a request asks the answer's text to be: OpenAI's `response_format`, vllm's `structured_outputs` and the `guided_…` before
/// it, llama-server's `json_schema`.
enum ResponseFormat {
  /// - Returns: nil where anything may be said.
  /// - Throws: `APIError` naming the parameter.
  static func read(_ parameters: Parameters) throws -> (format: TextFormat, parameter: String)? {
    let names = [
      "response_format", "structured_outputs", "guided_json", "guided_choice", "guided_regex", "json_schema",
    ]
    var found: [(format: TextFormat, parameter: String)] = []
    for name in names {
      guard let value = parameters.ordered(name) else { continue }
      let format: TextFormat? =
        switch name {
        case "response_format": try responseFormat(value, parameters)
        case "structured_outputs": try structuredOutputs(value, parameters)
        case "guided_choice": .oneOf(try texts(value, name))
        case "guided_regex": try expression(value, name)
        default: try schema(value, name)
        }
      if let format { found.append((format, name)) }
    }
    guard found.count < 2 else {
      throw APIError.invalid(
        "\"\(found[0].parameter)\" and \"\(found[1].parameter)\" both say what the answer must be; give one.",
        found[1].parameter)
    }
    return found.first
  }

  private static let members: ParameterTable = [
    "type": .followed, "json_schema": .followed, "schema": .followed,
  ]

  private static func responseFormat(_ value: OrderedJSON, _ parameters: Parameters) throws -> TextFormat? {
    let name = "response_format"
    let object = try parameters.object(value, name, members)
    let type = try object.text("type")
    for (member, types) in [("json_schema", ["json_schema"]), ("schema", ["json_schema", "json_object"])]
    where object.ordered(member) != nil && ["text", "json_object"].contains(type)
      && !types.contains(type ?? "")
    {
      throw APIError.invalid(
        "\"\(name).\(member)\" has no effect where \"type\" is \"\(type ?? "")\"; make it \"json_schema\".",
        "\(name).\(member)")
    }
    switch type {
    case "text": return nil
    case "json_object":
      // llama-server's form has the schema here.
      return try object.ordered("schema").map { try schema($0, name) } ?? .jsonObject
    case "json_schema": break
    default:
      throw APIError.invalid(
        "\"\(name).type\" must be \"text\", \"json_object\" or \"json_schema\".", "\(name).type")
    }
    if let own = object.ordered("schema") { return try schema(own, name) }
    let inner = try parameters.object(
      object.ordered("json_schema") ?? .null, "\(name).json_schema",
      ["name": .harmless, "description": .harmless, "strict": .harmless, "schema": .followed])
    guard let own = inner.ordered("schema") else {
      throw APIError.invalid("\"\(name).json_schema.schema\" is missing.", "\(name).json_schema.schema")
    }
    return try schema(own, "\(name).json_schema.schema")
  }

  private static func structuredOutputs(_ value: OrderedJSON, _ parameters: Parameters) throws -> TextFormat {
    let name = "structured_outputs"
    let members: ParameterTable = [
      "json": .followed, "json_object": .followed, "choice": .followed, "regex": .followed,
      "grammar": .refused("Give a JSON schema, or a regular expression in \"regex\"."),
      "structural_tag": .refused("Give a JSON schema."), "disable_fallback": .harmless,
      "disable_any_whitespace": .only([.bool(false)]), "disable_additional_properties": .harmless,
      "whitespace_pattern": .only([]),
    ]
    let object = try parameters.object(value, name, members)
    var found: [TextFormat] = []
    if let own = object.ordered("json") { found.append(try schema(own, "\(name).json")) }
    if let choice = object.ordered("choice") { found.append(.oneOf(try texts(choice, "\(name).choice"))) }
    if let own = object.ordered("regex") { found.append(try expression(own, "\(name).regex")) }
    if try object.flag("json_object") == true { found.append(.jsonObject) }
    guard found.count == 1 else {
      throw APIError.invalid(
        "\"\(name)\" must have one of \"json\", \"json_object\", \"choice\" and \"regex\".", name)
    }
    return found[0]
  }

  private static func expression(_ value: OrderedJSON, _ name: String) throws -> TextFormat {
    guard let text = value.string, !text.isEmpty else {
      throw APIError.invalid("\"\(name)\" must be a regular expression, not \(value.kind).", name)
    }
    return .expression(text)
  }

  /// A schema, or its text, as vllm's clients may send it.
  private static func schema(_ value: OrderedJSON, _ name: String) throws -> TextFormat {
    if let text = value.string, let parsed = try? OrderedJSON.parse(text, source: name), parsed.object != nil
    {
      return .jsonSchema(parsed)
    }
    guard value.object != nil else {
      throw APIError.invalid("\"\(name)\" must be a JSON schema, not \(value.kind).", name)
    }
    return .jsonSchema(value)
  }

  private static func texts(_ value: OrderedJSON, _ name: String) throws -> [String] {
    guard let texts = value.array?.map(\.string) as? [String], !texts.isEmpty, !texts.contains("") else {
      throw APIError.invalid("\"\(name)\" must be a list of at least one text, none of them empty.", name)
    }
    return texts
  }
}

extension Service {
  /// Holds the answers to what the request asks their text to be, or not to be.
  func constrain(_ answers: inout AnswerParameters, _ parameters: Parameters) throws {
    try answers.forbidWords(parameters, tokenizer)
    guard let (format, parameter) = try ResponseFormat.read(parameters) else { return }
    do {
      answers.options.constraint = try constraint(format, parameters.warnings)
    } catch let error as FireflyError {
      throw APIError.invalid(error, parameter)
    }
  }

  /// A format's constraint; what of its schema is not held to is told.
  func constraint(_ format: TextFormat, _ warnings: Warnings) throws -> TextConstraint {
    let constraint = try format.constraint(tokenTrie)
    for note in constraint.notes { warnings.add(note) }
    return constraint
  }
}
