import FireflyBase
import FireflyJinja

/// How a template wants the assistant's tool calls.
enum CallShape: Equatable {
  /// OpenAI's `tool_calls`, the arguments an object: transformers' convention.
  case object
  /// The same with the arguments as JSON text (DeepSeek V3, R1).
  case text
  /// A message of its own for each call: `metadata` is the function's name, `content` the arguments' JSON text. What the tool
  /// said comes from the role "observation", and the tools stand in the system message (ChatGLM3, GLM-4).
  case metadata
}

/// What parts of a rendered text come from: the numbers of its marks.
enum Origin {
  static let tools = -1
  /// Of `endMark`.
  static let end = -2
  /// What stands behind a text whose end is looked for. A template that trims texts takes the space away.
  static let endMark = "END_OF_TEXT "
  static func content(_ message: Int) -> Int { message << 16 }
  static func reasoning(_ message: Int) -> Int { message << 16 | 1 }
  /// Who speaks, beside the role.
  static func name(_ message: Int) -> Int { message << 16 | 0xFFFF }
  /// What a call has beside its name.
  static func call(_ message: Int, _ index: Int) -> Int { message << 16 | 2 * min(index, 32_000) + 2 }
  static func callName(_ message: Int, _ index: Int) -> Int { call(message, index) + 1 }

  /// The message that a mark is of; nil for the tools and for the mark at an end.
  static func message(_ source: Int) -> Int? { source < 0 ? nil : source >> 16 }
  static func isCall(_ source: Int) -> Bool { source >= 0 && (2..<0xFFFF).contains(source & 0xFFFF) }
  static func isCallName(_ source: Int) -> Bool { isCall(source) && source & 1 == 1 }
}

/// Messages as a template's variables see them, every text marked with where it comes from.
struct TemplateMessages {
  let shape: CallShape
  /// The message whose text `Origin.endMark` follows.
  var markedEnd: Int?

  /// - Parameter tools: for a template that has them in the system message.
  func value(_ messages: some Collection<Message>, tools: JinjaValue? = nil) -> JinjaValue {
    var list = messages.enumerated().flatMap { values($1, index: $0) }
    if let tools {
      if messages.first?.role == "system", case .dictionary(var system)? = list.first {
        system[.text("tools")] = tools
        list[0] = .dictionary(system)
      } else {
        let system = JinjaDictionary([("role", .text("system")), ("content", .text("")), ("tools", tools)])
        list.insert(.dictionary(system), at: 0)
      }
    }
    return .list(list)
  }

  private func values(_ message: Message, index: Int) -> [JinjaValue] {
    guard shape == .metadata else { return [dictionary(message, role: message.role, index: index)] }
    if message.role == "tool" { return [dictionary(message, role: "observation", index: index)] }
    let calls = message.toolCalls
    guard !calls.isEmpty else { return [dictionary(message, role: message.role, index: index)] }
    let text = message.content.isEmpty ? [] : [dictionary(message, role: message.role, index: index)]
    return text
      + calls.enumerated().map { place, call in
        let name = MarkedText(call.name, source: Origin.callName(index, place))
        let arguments = MarkedText(
          JinjaValue(call.arguments).jsonText, source: Origin.call(index, place))
        return .dictionary(
          JinjaDictionary([
            ("role", .text(message.role)), ("metadata", .string(name)), ("content", .string(arguments)),
          ]))
      }
  }

  private func dictionary(_ message: Message, role: String, index: Int) -> JinjaValue {
    var members: [(String, JinjaValue)] = [("role", .text(role))]
    switch message.contentForm {
    case .text: members.append(("content", .string(content(message, index: index))))
    case .null: members.append(("content", .null))
    case .absent: break
    }
    for entry in message.members.entries {
      members.append((entry.key, member(entry.key, entry.value, index: index)))
    }
    if let reasoning = message.reasoning {
      // As transformers: under the two names that templates ask for, whichever the row has.
      let text = JinjaValue.string(MarkedText(reasoning, source: Origin.reasoning(index)))
      if message.members["thinking"] == nil { members.append(("thinking", text)) }
      members.append(("reasoning_content", text))
    }
    return .dictionary(JinjaDictionary(members))
  }

  /// The content, its reasoning marked as that.
  private func content(_ message: Message, index: Int) -> MarkedText {
    var content = plainContent(message, index: index)
    if index == markedEnd { content.append(MarkedText(Origin.endMark, source: Origin.end)) }
    return content
  }

  private func plainContent(_ message: Message, index: Int) -> MarkedText {
    let source = Origin.content(index)
    guard message.role == "assistant", let range = message.reasoningInContent else {
      return MarkedText(message.content, source: source)
    }
    let whole = MarkedText(message.content)
    var marked = MarkedText(whole.slice(0..<range.lowerBound).text, source: source)
    marked.append(MarkedText(whole.slice(range).text, source: Origin.reasoning(index)))
    marked.append(
      MarkedText(whole.slice(range.upperBound..<message.content.utf8.count).text, source: source))
    return marked
  }

  private func member(_ key: String, _ value: OrderedJSON, index: Int) -> JinjaValue {
    switch key {
    case "tool_calls": calls(value, index: index)
    case "name": JinjaValue(value, source: Origin.name(index))
    case _ where Message.reasoningNames.contains(key):
      JinjaValue(value, source: Origin.reasoning(index))
    default: JinjaValue(value, source: Origin.content(index))
    }
  }

  /// The calls as the row has them, their arguments in the shape that the template wants.
  private func calls(_ value: OrderedJSON, index: Int) -> JinjaValue {
    guard let calls = value.array else { return JinjaValue(value, source: Origin.call(index, 0)) }
    return .list(calls.enumerated().map { call($1, index: index, place: $0) })
  }

  private func call(_ value: OrderedJSON, index: Int, place: Int) -> JinjaValue {
    let source = Origin.call(index, place)
    guard let members = value.object else { return JinjaValue(value, source: source) }
    return .dictionary(
      JinjaDictionary(
        unique: members.entries.map { entry in
          let value: JinjaValue =
            switch entry.key {
            case "function": call(entry.value, index: index, place: place)
            case "arguments": JinjaValue(shaped(entry.value), source: source)
            case "name": JinjaValue(entry.value, source: Origin.callName(index, place))
            default: JinjaValue(entry.value, source: source)
            }
          return (key: .string(MarkedText(entry.key, source: source)), value: value)
        }))
  }

  private func shaped(_ arguments: OrderedJSON) -> OrderedJSON {
    guard shape == .text else { return ToolCall.parsed(arguments) }
    return arguments.object == nil ? arguments : .string(JinjaValue(arguments).jsonText)
  }
}

extension JinjaValue {
  /// - Parameter source: what every text in it is marked with, keys too.
  init(_ json: OrderedJSON, source: Int? = nil) {
    switch json {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .int(let number): self = .int(number)
    case .double(let number): self = .double(number)
    case .string(let text): self = .string(MarkedText(text, source: source))
    case .array(let list): self = .list(list.map { JinjaValue($0, source: source) })
    case .object(let members):
      self = .dictionary(
        JinjaDictionary(
          unique: members.entries.map {
            (key: .string(MarkedText($0.key, source: source)), value: JinjaValue($0.value, source: source))
          }))
    }
  }
}
