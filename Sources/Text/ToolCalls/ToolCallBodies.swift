import FireflyBase

/// Reads calls in the words of one syntax.
struct ToolCallBodies {
  let syntax: ToolSyntax
  /// By function, the type that the schema gives each parameter; nil when the tools are not known.
  private let types: [String: [String: String]]?

  init(syntax: ToolSyntax, tools: [OrderedJSON]?) {
    self.syntax = syntax
    types = tools.map { tools in
      let functions = tools.compactMap { tool -> (String, [String: String])? in
        let function = tool["function"] ?? tool
        guard let name = function["name"]?.string else { return nil }
        let parameters = function["parameters"]?["properties"]?.object?.entries ?? []
        let named = parameters.compactMap { entry in entry.value["type"]?.string.map { (entry.key, $0) } }
        return (name, Dictionary(named) { first, _ in first })
      }
      return Dictionary(functions) { first, _ in first }
    }
  }

  // MARK: - Between marks

  /// The calls that stand between two marks; none when it is no call.
  func calls(in body: String) -> [ToolCall] {
    let text = body.trimmed
    switch syntax {
    case .qwenXML where text.hasPrefix("<function="): return xmlCall(text).map { [$0] } ?? []
    case .glmXML: return argumentPairs(text).map { [$0] } ?? []
    case .deepSeek: return separated(text).map { [$0] } ?? []
    default: return objects(text)
    }
  }

  /// `{"name": …, "arguments": …}`, or a list of such.
  private func objects(_ text: Substring) -> [ToolCall] {
    guard let value = json(text) else { return [] }
    let list = value.array ?? [value]
    let calls = list.compactMap(ToolCall.init(openAI:))
    return calls.count == list.count ? calls : []
  }

  /// `<function=NAME>`, then `<parameter=KEY>VALUE</parameter>` for each.
  private func xmlCall(_ text: Substring) -> ToolCall? {
    guard let (name, rest) = text.dropFirst("<function=".count).cut(at: ">") else { return nil }
    var members: JSONMembers = [:]
    var left = rest
    while let (_, tail) = left.cut(at: "<parameter=") {
      guard let (key, body) = tail.cut(at: ">"), let (value, after) = body.cut(at: "</parameter>") else {
        return nil
      }
      members[String(key)] = typed(value.withoutLineBreaks, key, of: name)
      left = after
    }
    return ToolCall(name: String(name), arguments: .object(members))
  }

  /// NAME, then `<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>` for each.
  private func argumentPairs(_ text: Substring) -> ToolCall? {
    var left = text
    let name = (text.cut(at: "<arg_key>")?.before ?? text).trimmed
    guard isName(name) else { return nil }
    var members: JSONMembers = [:]
    while let (_, tail) = left.cut(at: "<arg_key>") {
      guard let (key, rest) = tail.cut(at: "</arg_key>"), let (_, body) = rest.cut(at: "<arg_value>"),
        let (value, after) = body.cut(at: "</arg_value>")
      else { return nil }
      members[String(key.trimmed)] = typed(value, key.trimmed, of: name)
      left = after
    }
    return ToolCall(name: String(name), arguments: .object(members))
  }

  /// `function<sep>NAME`, a line break and JSON within a block; or `NAME<sep>` and JSON.
  private func separated(_ text: Substring) -> ToolCall? {
    guard let (before, after) = text.cut(at: ToolMark.deepSeekSeparator) else { return nil }
    let rest = after.trimmed
    let isNewer = rest.hasPrefix("{")
    let name = isNewer ? before.trimmed : (rest.cut(at: "\n")?.before ?? rest).trimmed
    guard isName(name), let start = rest.firstIndex(of: "{"), let end = rest[start...].jsonEnd,
      let arguments = json(rest[start..<end])
    else { return nil }
    return ToolCall(name: String(name), arguments: arguments)
  }

  // MARK: - Without a closing mark

  /// Whether an answer that begins so may be calls.
  ///
  /// - Parameters:
  ///   - text: without white space in front.
  ///   - hadSpace: there was some.
  func mayBegin(_ text: String, isFirst: Bool, hadSpace: Bool) -> Bool {
    guard !text.isEmpty else { return syntax != .glm || !hadSpace || !isFirst }
    if syntax == .llama {
      return text.hasPrefix("{") || text.hasPrefix(";") || ToolMark.python.hasPrefix(text)
        || text.hasPrefix(ToolMark.python)
    }
    // GLM-4 puts a line break before what it says.
    if isFirst && hadSpace { return false }
    if ToolMark.handover.hasPrefix(text) { return true }
    let call = text.withoutHandover
    guard let (name, rest) = call.cut(at: "\n") else { return call.allSatisfy(\.isNameLike) }
    return isName(name) && (rest.trimmed.isEmpty || rest.trimmed.hasPrefix("{"))
  }

  /// The calls that a text begins with, and what follows; none when it begins with no call; nil when that is not certain yet.
  func leadingCalls(in text: String, isLast: Bool) -> (calls: [ToolCall], rest: String)? {
    let none = ([ToolCall](), text)
    var start = text[...].trimmed
    var name: Substring?
    switch syntax {
    case .llama:
      start = start.drop { $0 == ";" || $0.isWhitespace }
      if start.hasPrefix(ToolMark.python) {
        start = start.dropFirst(ToolMark.python.count).trimmed
        if !start.hasPrefix("{") { return isLast ? (python(start).map { [$0] } ?? [], "") : nil }
      }
      // Less than the mark.
      if !start.hasPrefix("{") { return isLast ? none : nil }
    case .glm:
      let call = String(start).withoutHandover
      guard let (line, rest) = call.cut(at: "\n") else { return isLast ? none : nil }
      (name, start) = (line, rest.trimmed)
    default:
      if !start.isEmpty && !start.hasPrefix("[") && !start.hasPrefix("{") {
        guard let brace = start.firstIndex(of: "{") else { return isLast ? none : nil }
        let before = start[..<brace]
        name =
          (before.cut(at: "[CALL_ID]")?.before ?? before.cut(at: ToolMark.arguments)?.before ?? before)
          .trimmed
        start = start[brace...]
      }
    }
    guard !start.isEmpty, let end = start.jsonEnd else { return isLast ? none : nil }
    let rest = String(start[end...])
    if let name {
      guard isName(name), let arguments = json(start[..<end]) else { return none }
      return ([ToolCall(name: String(name), arguments: arguments)], rest)
    }
    let calls = objects(start[..<end])
    return calls.allSatisfy({ types?.keys.contains($0.name) ?? true }) ? (calls, rest) : none
  }

  /// `NAME.call(KEY="VALUE", …)`, or a program for the interpreter.
  private func python(_ text: Substring) -> ToolCall? {
    guard !text.isEmpty else { return nil }
    guard let (name, rest) = text.cut(at: ".call("), isName(name), rest.hasSuffix(")") else {
      return ToolCall(name: "code_interpreter", arguments: .object(["code": .string(String(text))]))
    }
    var members: JSONMembers = [:]
    var left = rest.dropLast()
    while let (key, tail) = left.cut(at: "=") {
      let value = tail.trimmed
      let end = value.hasPrefix("\"") ? value.jsonEnd : value.firstIndex(of: ",") ?? value.endIndex
      guard let end else { return nil }
      members[String(key.trimmed)] = json(value[..<end].trimmed) ?? .string(String(value[..<end].trimmed))
      left = value[end...].drop { $0 == "," || $0.isWhitespace }
    }
    return ToolCall(name: String(name), arguments: .object(members))
  }

  // MARK: - Parts

  private func isName(_ text: Substring) -> Bool {
    guard !text.isEmpty, text.allSatisfy(\.isNameLike) else { return false }
    return types?.keys.contains(String(text)) ?? true
  }

  private func json(_ text: Substring) -> OrderedJSON? {
    try? OrderedJSON.parse(String(text), source: "a call")
  }

  /// A value that is spelled without quotation marks: by its type in the schema, else as JSON where it is some.
  private func typed(_ text: Substring, _ key: Substring, of name: Substring) -> OrderedJSON {
    if types?[String(name)]?[String(key)] == "string" { return .string(String(text)) }
    return json(text) ?? .string(String(text))
  }
}

extension Character {
  fileprivate var isNameLike: Bool { isASCII && (isLetter || isNumber || "_-.".contains(self)) }
}

extension String {
  /// Without the mark that GLM-4 puts between calls.
  fileprivate var withoutHandover: Substring {
    let text = self[...].trimmed
    return text.hasPrefix(ToolMark.handover) ? text.dropFirst(ToolMark.handover.count) : text
  }

  fileprivate var trimmed: Substring { self[...].trimmed }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  /// Without one line break at either end.
  fileprivate var withoutLineBreaks: Substring {
    var text = self
    if text.first?.isNewline == true { text.removeFirst() }
    if text.last?.isNewline == true { text.removeLast() }
    return text
  }

  /// What stands before and behind the first `mark`.
  fileprivate func cut(at mark: String) -> (before: Substring, after: Substring)? {
    firstRange(of: mark).map { (self[..<$0.lowerBound], self[$0.upperBound...]) }
  }

  /// The place behind the JSON object, list or string that the text begins with; nil when it does not end.
  fileprivate var jsonEnd: Index? {
    var depth = 0
    var isString = false
    var isEscaped = false
    for index in utf8.indices {
      let byte = utf8[index]
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isString = true
      } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        depth += 1
      } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
        depth -= 1
      }
      if depth <= 0 && !isString { return utf8.index(after: index) }
    }
    return nil
  }
}
