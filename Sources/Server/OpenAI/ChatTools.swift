import FireflyBase
import FireflyGeneration
import FireflyText

/// The functions that an answer may call, and whether it must: `tools`, `tool_choice` and `parallel_tool_calls`.
struct ChatTools: Sendable {
  /// As the template gets them; nil: none.
  private(set) var described: [OrderedJSON]?
  /// How the model writes calls; nil where there are no tools.
  private(set) var syntax: ToolSyntax?
  /// The most calls of an answer.
  private(set) var mostCalls = Int.max
  /// What every answer is made to begin with; empty unless it must be a call.
  private(set) var opening = ""
  /// What must follow where an answer must be a call.
  private(set) var format: TextFormat?
  private var functions: [Function] = []

  /// - Throws: `APIError` naming the parameter.
  init(_ parameters: Parameters, _ template: ChatTemplate) throws {
    var functions = try ChatTools.functions(parameters)
    let choice = try Choice(parameters)
    if case .allowed(let names, _) = choice {
      functions.removeAll { !names.contains($0.name) }
    }
    guard !functions.isEmpty, choice != .none else {
      if let syntax = template.toolSyntax, syntax.addressesText { self.syntax = syntax }
      guard functions.isEmpty, choice.mustCall else { return }
      throw APIError.invalid("\"tool_choice\" asks for a call, and there are no such tools.", "tool_choice")
    }
    guard template.describesTools || template.toolSyntax != nil else {
      throw APIError.invalid(
        "The model's template has no place for tools.", "tools", code: "unsupported_parameter")
    }
    described = functions.map(\.tool)
    // Calls in channels are `ChannelReader`'s.
    let hasChannels = template.own.writesChannels
    syntax = hasChannels ? nil : template.toolSyntax
    if syntax == nil && !hasChannels && !choice.mustCall {
      parameters.warnings.add(
        "How the model's template writes calls is not known here: calls come as text.")
    }
    if try parameters.flag("parallel_tool_calls") == false { mostCalls = 1 }
    guard choice.mustCall else {
      self.functions = functions
      return
    }
    if case .named(let name) = choice {
      functions.removeAll { $0.name != name }
      guard !functions.isEmpty else {
        throw APIError.invalid(
          "\"tool_choice\" names \"\(name.prefix(60))\", which is none of the tools.", "tool_choice")
      }
    }
    guard let form = syntax?.forcedCall else {
      throw APIError.invalid(
        "Calls as this model writes them cannot be forced; \"tool_choice\" must be \"auto\" or \"none\".",
        "tool_choice",
        code: "unsupported_value")
    }
    opening = form.opening
    format = .calls(
      functions.map { ($0.name, $0.parameters) }, between: form.between, after: form.after)
  }

  /// What an answer must be: a call where it must be one, else, where the request asks for a format, an answer of that or calls.
  ///
  /// - Parameter answer: the format that the request asks for.
  func format(or answer: TextFormat?, _ tokenizer: any Tokenizer, _ warnings: Warnings) -> TextFormat? {
    guard described != nil else { return answer }
    if let format { return format }
    let calls = answer == nil ? nil : syntax.map { self.calls($0, tokenizer) }
    for function in functions where function.isStrict && calls?.contains(where: \.isHeld) != true {
      warnings.add(
        "\"strict\" of the tool \"\(function.name)\" has no effect here: a call is held to its schema only where "
          + "\"tool_choice\" asks for one.")
    }
    guard let answer else { return nil }
    guard let calls else {
      warnings.add("An answer of a format calls no tools with this model.")
      return answer
    }
    return .either(answer, calls: calls)
  }

  /// The spellings of calls: by the functions' schemas where that can be held to, else whatever follows a call's mark.
  private func calls(_ syntax: ToolSyntax, _ tokenizer: any Tokenizer) -> [CallFormat] {
    func pieces(_ text: String) -> [CallFormat.Piece] { text.pieces(marks: syntax.marks, tokenizer) }
    guard let form = syntax.forcedCall else {
      return syntax.openings.map { CallFormat(before: pieces($0)) }
    }
    let closing = syntax.closing.flatMap { form.after.hasSuffix($0) ? nil : $0 }
    return [
      CallFormat(
        functions: functions.map { ($0.name, $0.parameters) }, before: pieces(form.opening),
        between: pieces(form.between), after: pieces(form.after),
        next: mostCalls > 1 ? form.next.map(pieces) : nil, end: pieces(closing ?? ""))
    ]
  }

  // MARK: - What the request says

  private struct Function {
    let tool: OrderedJSON
    let name: String
    let parameters: OrderedJSON
    let isStrict: Bool
  }

  private static func functions(_ parameters: Parameters) throws -> [Function] {
    guard let value = parameters.ordered("tools") else { return [] }
    guard let list = value.array else { throw parameters.wrong("tools", "a list", value.unordered) }
    guard list.count <= 128 else {
      throw APIError.invalid("There are \(list.count) tools; at most 128 are allowed.", "tools")
    }
    return try list.enumerated().map { try function($1, "tools[\($0)]", parameters) }
  }

  private static func function(
    _ value: OrderedJSON, _ place: String, _ parameters: Parameters
  ) throws -> Function {
    let outer = try parameters.object(
      value, place,
      [
        "type": .followed, "function": .followed, "defer_loading": .only([.bool(false)]),
        "custom": .refused("Functions are what can be called."),
      ])
    guard try outer.text("type") ?? "function" == "function" else {
      throw APIError.invalid(
        "\"\(place).type\" must be \"function\".", "\(place).type", code: "unsupported_value")
    }
    let inner = try outer.object(
      outer.ordered("function") ?? .null, "\(place).function",
      ["name": .followed, "description": .followed, "parameters": .followed, "strict": .followed])
    guard let name = try inner.text("name"), (1...64).contains(name.utf8.count),
      name.utf8.allSatisfy({ "_-.".utf8.contains($0) || Character(UnicodeScalar($0)).isASCIIWord })
    else {
      throw APIError.invalid(
        "\"\(place).function.name\" must be 1 to 64 letters, digits, _, - or dots.", "\(place).function.name")
    }
    _ = try inner.text("description")
    let schema = inner.ordered("parameters") ?? .object([:])
    guard schema.object != nil else {
      throw APIError.invalid(
        "\"\(place).function.parameters\" must be a JSON schema.", "\(place).function.parameters")
    }
    return Function(
      tool: value, name: name, parameters: schema, isStrict: try inner.flag("strict") ?? false)
  }

  private enum Choice: Equatable {
    case none, auto, required
    case named(String)
    case allowed(Set<String>, isRequired: Bool)

    var mustCall: Bool {
      switch self {
      case .none, .auto: false
      case .required, .named: true
      case .allowed(_, let isRequired): isRequired
      }
    }

    init(_ parameters: Parameters) throws {
      let name = "tool_choice"
      switch parameters.ordered(name) {
      case nil, .string("auto"): self = .auto
      case .string("none"): self = .none
      case .string("required"): self = .required
      case .some(let value):
        guard let object = value.object, let type = object["type"]?.string else {
          throw parameters.wrong(
            name, "\"none\", \"auto\", \"required\" or an object that names a function", value.unordered)
        }
        switch type {
        case "function":
          guard let function = (value["function"] ?? value)["name"]?.string else {
            throw APIError.invalid("\"tool_choice.function.name\" is missing.", "tool_choice.function.name")
          }
          self = .named(function)
        case "allowed_tools":
          let allowed = value["allowed_tools"] ?? value
          let names = (allowed["tools"]?.array ?? []).compactMap { ($0["function"] ?? $0)["name"]?.string }
          guard let mode = allowed["mode"]?.string, ["auto", "required"].contains(mode) else {
            throw APIError.invalid(
              "\"tool_choice.allowed_tools.mode\" must be \"auto\" or \"required\".", name)
          }
          self = .allowed(Set(names), isRequired: mode == "required")
        default:
          throw APIError.invalid(
            "\"tool_choice.type\" must be \"function\" or \"allowed_tools\".", "tool_choice.type",
            code: "unsupported_value")
        }
      }
    }
  }
}

extension CallFormat {
  fileprivate var isHeld: Bool { !functions.isEmpty }
}

extension String {
  /// The text in pieces, marks that the tokenizer has as special tokens by themselves.
  func pieces(marks: [String], _ tokenizer: any Tokenizer) -> [CallFormat.Piece] {
    let special = marks.filter { mark in tokenizer.id(of: mark).map(tokenizer.specialIDs.contains) ?? false }
    var pieces: [CallFormat.Piece] = []
    var rest = self[...]
    while let (mark, range) = special.compactMap({ mark in rest.firstRange(of: mark).map { (mark, $0) } })
      .min(by: { $0.1.lowerBound < $1.1.lowerBound })
    {
      if range.lowerBound > rest.startIndex { pieces.append(.text(String(rest[..<range.lowerBound]))) }
      pieces.append(.special(mark))
      rest = rest[range.upperBound...]
    }
    return rest.isEmpty ? pieces : pieces + [.text(String(rest))]
  }
}

extension Character {
  fileprivate var isASCIIWord: Bool { isASCII && (isLetter || isNumber) }
}
