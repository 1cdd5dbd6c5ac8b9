import FireflyBase
import FireflyText
import Foundation

/// A row of a file of prompts.
public struct PromptRow: Equatable, Sendable {
  /// What is to be answered.
  public enum Content: Equatable, Sendable {
    /// `{"prompt": …}`: a text.
    case text(String)
    /// `{"conversation": …}` or `{"messages": …}`: up to and with the last message of the user or of a tool.
    case messages([Message])
  }

  public var content: Content
  /// What the assistant may call, each in OpenAI's form; nil for none.
  public var tools: [OrderedJSON]?
  /// The answer that the row brings: the last assistant's, or `"reference"`; nil when there is none.
  public var reference: String?
  /// Path and line, for messages.
  public var place: String
  /// The row's keys that nothing reads and that may mean something.
  public var unusedKeys: [String] = []

  public init(
    content: Content, tools: [OrderedJSON]? = nil, reference: String? = nil, place: String
  ) {
    self.content = content
    self.tools = tools
    self.reference = reference
    self.place = place
  }
}

/// A JSONL file of prompts: `{"prompt": …, "reference": …?}`, Firefly's training rows
/// `{"conversation": [{"human": …, "assistant": …?}, …], "system": …?}`,
/// `{"messages": [{"role": …, "content": …}, …], "tools": […]?}`, where TRL says `"prompt"`, GSM8K's `{"question": …, "answer": …?}`, or
/// another shape that training takes, whose last answer is the reference. Blank lines are skipped; other keys are in `unusedKeys`.
public enum PromptFile {
  /// - Throws: `FireflyError` with file and line for a row that is none of these; and for a file without rows.
  public static func read(_ path: String) throws -> [PromptRow] {
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    var rows: [PromptRow] = []
    let lines = file.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D })
    {
      let place = "\(path):\(index + 1)"
      rows.append(try row(OrderedJSON.parse(Data(line), source: place), place: place))
    }
    guard !rows.isEmpty else {
      throw FireflyError("the file has no rows", at: path, expected: "one JSON object a line")
    }
    return rows
  }

  /// One row, already parsed.
  package static func row(_ value: OrderedJSON, place: String) throws -> PromptRow {
    let value = asMessages(value)
    guard let followed = followed(value) else { return try otherRow(value, place) }
    var row = try read(value, place: place)
    row.unusedKeys = PromptMessages.unused(value.object ?? [:], followed: followed)
    return row
  }

  /// A row whose prompt is a list of messages, as one of messages.
  private static func asMessages(_ row: OrderedJSON) -> OrderedJSON {
    guard var members = row.object, row["prompt"]?.array != nil, row["messages"] == nil,
      row["completion"] == nil
    else { return row }
    members["messages"] = row["prompt"]
    members["prompt"] = nil
    return .object(members)
  }

  /// The keys that are read of a row of this shape; nil: it has another one.
  private static func followed(_ row: OrderedJSON) -> Set<String>? {
    if let prompt = row["prompt"], prompt.array == nil { return ["prompt", "reference", "completion"] }
    if row["conversation"] != nil { return ["conversation", "system"] }
    if row["messages"]?.array != nil { return ["messages", "system", "tools"] }
    return row["question"] == nil ? nil : ["question", "answer", "system"]
  }

  /// A row of a shape that training takes.
  private static func otherRow(_ value: OrderedJSON, _ place: String) throws -> PromptRow {
    guard let members = value.object, let prompt = try PromptMessages(trainingRow: members, place: place)
    else {
      throw FireflyError(
        "the row has no prompt", at: place,
        expected: "\"prompt\", \"question\", or a list \"conversation\" or \"messages\"",
        found: value.object.map { "keys \($0.keys.sorted().joined(separator: ", "))" } ?? value.kind)
    }
    var row = try asking(prompt.messages, tools: prompt.tools, place)
    row.unusedKeys = prompt.unusedKeys
    return row
  }

  /// A row of one of the shapes that have keys in `followed`.
  private static func read(_ value: OrderedJSON, place: String) throws -> PromptRow {
    if let prompt = value["prompt"] {
      let reference = ["reference", "completion"].first { value[$0] != nil }
      return PromptRow(
        content: .text(try text(prompt, "\(place): prompt")),
        reference: try reference.map { try text(value[$0], "\(place): \($0)") }, place: place)
    }
    if value["conversation"] == nil, value["messages"] != nil, let members = value.object {
      let prompt = try PromptMessages(members, place: place)
      return try asking(prompt.messages, tools: prompt.tools, place)
    }
    var messages: [Message] = []
    if let system = value["system"] {
      messages.append(Message(role: "system", content: try text(system, "\(place): system")))
    }
    if let conversation = value["conversation"] {
      guard let turns = conversation.array else {
        throw FireflyError(
          "wrong value", at: "\(place): conversation", expected: "a list", found: conversation.kind)
      }
      messages += try turns.enumerated().flatMap {
        try turn($1, place: "\(place): conversation[\($0)]", isLast: $0 + 1 == turns.count)
      }
    } else {
      messages.append(Message(role: "user", content: try text(value["question"], "\(place): question")))
      if let answer = value["answer"] {
        messages.append(Message(role: "assistant", content: try text(answer, "\(place): answer")))
      }
    }
    return try asking(messages, tools: nil, place)
  }

  /// What asks for an answer; an answer that is there is the reference.
  private static func asking(_ messages: [Message], tools: [OrderedJSON]?, _ place: String) throws
    -> PromptRow
  {
    var messages = messages
    let reference = messages.last?.role == "assistant" ? messages.removeLast().content : nil
    guard let last = messages.last, ["user", "tool"].contains(last.role) else {
      throw FireflyError("the row has no message of the user to answer", at: place)
    }
    return PromptRow(content: .messages(messages), tools: tools, reference: reference, place: place)
  }

  /// The last turn may lack its answer.
  private static func turn(_ value: OrderedJSON, place: String, isLast: Bool) throws -> [Message] {
    let human = Message(role: "user", content: try text(value["human"], "\(place).human"))
    if isLast && value["assistant"] == nil { return [human] }
    return [human, Message(role: "assistant", content: try text(value["assistant"], "\(place).assistant"))]
  }

  private static func text(_ value: OrderedJSON?, _ place: String) throws -> String {
    guard let text = value?.string else {
      throw FireflyError("wrong value", at: place, expected: "a string", found: value?.kind ?? "nothing")
    }
    return text
  }
}
