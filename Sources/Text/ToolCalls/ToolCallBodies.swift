import FireflyBase

/// Reads calls in the words of one syntax.
struct ToolCallBodies {
  let syntax: ToolSyntax
  private let form: ToolForm
  /// By function, the type that the schema gives each parameter; nil when the tools are not known.
  private let types: [String: [String: String]]?

  init(syntax: ToolSyntax, tools: [OrderedJSON]?) {
    self.syntax = syntax
    form = ToolForm.of(syntax)
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
    switch form.body {
    case .objects: return objects(text.withoutFence)
    case .bareObjects: return objects("[\(text)]"[...])
    case .namedObjects: return namedObjects(text)
    case .tagged(let tags): return tagged(text, tags)
    case .afterName: return afterName(text).map { [$0] } ?? []
    case .pairs(let suffix): return pairs(text, suffix).map { [$0] } ?? []
    case .separated(let mark): return separated(text, by: mark).map { [$0] } ?? []
    case .python: return PythonCalls.read(text)
    case .identified(let name, let arguments):
      return identified(text, name, arguments).map { [$0] } ?? []
    case .gemma: return GemmaCalls.read(text).flatMap { isName($0.name[...]) ? [$0] : nil } ?? []
    case .belowName: return belowName(text).map { [$0] } ?? []
    }
  }

  /// `{"name": …, "arguments": …}`, or a list of such.
  private func objects(_ text: Substring) -> [ToolCall] {
    guard let value = json(text) else { return [] }
    let list = value.array ?? [value]
    let calls = list.compactMap(call)
    return calls.count == list.count ? calls : []
  }

  /// Cohere's words for name and arguments are others.
  private func call(_ value: OrderedJSON) -> ToolCall? {
    guard let name = value["tool_name"]?.string else { return ToolCall(openAI: value) }
    return ToolCall(name: name, arguments: value["parameters"] ?? .object([:]))
  }

  /// `{NAME: {…}}`, or a list of such.
  private func namedObjects(_ text: Substring) -> [ToolCall] {
    guard let value = json(text) else { return [] }
    let list = value.array ?? [value]
    let calls = list.flatMap { item in
      (item.object?.entries ?? []).map { ToolCall(name: $0.key, arguments: $0.value) }
    }
    return calls.count == list.count && calls.allSatisfy { $0.arguments.object != nil } ? calls : []
  }

  /// A function's tag, then one for each parameter, for one call or several; some models write an object all the same.
  private func tagged(_ text: Substring, _ tags: ToolTags) -> [ToolCall] {
    if text.hasPrefix("{") || text.hasPrefix("[") { return objects(text) }
    // The mark that opens a call may be the function's tag itself.
    let parts = text.split(separator: tags.function, omittingEmptySubsequences: true)
    let calls = parts.compactMap { taggedCall($0, tags) }
    return calls.count == parts.count ? calls : []
  }

  private func taggedCall(_ text: Substring, _ tags: ToolTags) -> ToolCall? {
    guard let (name, _, rest) = text.tagName else { return nil }
    var members: JSONMembers = [:]
    var left = rest
    while let (_, tail) = left.cut(at: tags.parameter) {
      guard let (key, attributes, body) = tail.tagName, let (value, after) = body.cut(at: tags.end) else {
        return nil
      }
      let text = value.withoutLineBreaks.withoutCDATA
      let isText = attributes.contains("string=\"true\"")
      members[String(key)] = isText ? .string(String(text)) : typed(text, key, of: name)
      left = after
    }
    return ToolCall(name: String(name), arguments: .object(members))
  }

  /// `NAME>{…}`.
  private func afterName(_ text: Substring) -> ToolCall? {
    guard let (name, rest) = text.cut(at: ">"), isName(name), let arguments = json(rest),
      arguments.object != nil
    else { return nil }
    return ToolCall(name: String(name), arguments: arguments)
  }

  /// NAME, then `<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>` for each.
  private func pairs(_ text: Substring, _ suffix: String) -> ToolCall? {
    func tag(_ name: String) -> String { "<\(name)\(suffix)>" }
    var left = text
    let head = text.cut(at: tag("arg_key"))?.before ?? text
    let name = (head.cut(at: tag("tool_sep"))?.before ?? head).trimmed
    guard isName(name) else { return nil }
    var members: JSONMembers = [:]
    while let (_, tail) = left.cut(at: tag("arg_key")) {
      guard let (key, rest) = tail.cut(at: tag("/arg_key")), let (_, body) = rest.cut(at: tag("arg_value")),
        let (value, after) = body.cut(at: tag("/arg_value"))
      else { return nil }
      members[String(key.trimmed)] = typed(value, key.trimmed, of: name)
      left = after
    }
    return ToolCall(name: String(name), arguments: .object(members))
  }

  /// `NAME<mark>{…}`; with DeepSeek's older models `function<mark>NAME`, a line break and JSON within a block; with Kimi's NAME
  /// is `functions.NAME:0`.
  private func separated(_ text: Substring, by mark: String) -> ToolCall? {
    guard let (before, after) = text.cut(at: mark) else { return nil }
    let rest = after.trimmed
    var name = rest.hasPrefix("{") ? before.trimmed : (rest.cut(at: "\n")?.before ?? rest).trimmed
    if syntax == .kimi {
      name = name.cut(at: "functions.")?.after ?? name
      if let colon = name.lastIndex(of: ":") { name = name[..<colon] }
    }
    guard isName(name), let start = rest.firstIndex(of: "{"), let end = rest[start...].jsonEnd,
      let arguments = json(rest[start..<end])
    else { return nil }
    return ToolCall(name: String(name), arguments: arguments)
  }

  /// ID, a mark, NAME, a mark, `{…}`.
  private func identified(_ text: Substring, _ nameMark: String, _ argumentsMark: String) -> ToolCall? {
    guard let (id, rest) = text.cut(at: nameMark), let (name, body) = rest.cut(at: argumentsMark),
      isName(name.trimmed), let arguments = json(body.trimmed), arguments.object != nil
    else { return nil }
    return ToolCall(
      id: id.trimmed.isEmpty ? nil : String(id.trimmed), name: String(name.trimmed), arguments: arguments)
  }

  /// NAME, a line break, `{…}`.
  private func belowName(_ text: Substring) -> ToolCall? {
    guard let (name, rest) = text.cut(at: "\n"), isName(name), let arguments = json(rest.trimmed),
      arguments.object != nil
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

  func isName(_ text: Substring) -> Bool {
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
