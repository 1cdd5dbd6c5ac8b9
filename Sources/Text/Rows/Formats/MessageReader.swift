import FireflyBase

/// Reads lists of messages: `{"role", "content"}` or `{"from", "value"}`, in the words of OpenAI, ShareGPT, ms-swift,
/// LLaMA-Factory, axolotl, and the original's rows for ChatGLM3.
struct MessageReader {
  private(set) var messages: [Message] = []
  /// Calls that no tool has answered yet.
  private var openCalls: [ToolCall] = []
  private var callCount = 0

  /// What the publishers of such data call the speakers, in lower case.
  private static let speakers: [String: Speaker] = {
    let names: [Speaker: [String]] = [
      .user: ["human", "user", "prompter"],
      .assistant: ["gpt", "assistant", "model", "bot", "chatgpt", "bing", "bard", "ai", "chatbot"],
      .system: ["system", "developer"], .call: ["function_call", "function-call", "tool_call"],
      .tool: ["function", "observation", "function_response", "tool", "tool_response", "ipython"],
    ]
    return Dictionary(uniqueKeysWithValues: names.flatMap { speaker, names in names.map { ($0, speaker) } })
  }()

  /// Whether what `name` says is the conversation's system text.
  static func isSystem(_ name: String) -> Bool { speakers[name.lowercased()] == .system }

  private enum Speaker {
    case user, assistant, system
    /// The assistant, calling.
    case call
    case tool
  }

  /// - Throws: `FireflyError` naming the message and what is wrong with it.
  static func messages(_ items: [Row]) throws -> [Message] {
    var reader = MessageReader()
    for item in items { try reader.add(item) }
    return reader.messages
  }

  private mutating func add(_ item: Row) throws {
    let (speaker, text) = item["from"] == nil ? ("role", "content") : ("from", "value")
    let name = try item.text(speaker)
    guard let role = MessageReader.speakers[name.lowercased()] else {
      throw item.wrong(
        speaker, expected: MessageReader.speakers.keys.sorted().joined(separator: ", "), found: name)
    }
    let details = try MessageDetails(
      item, beside: [speaker, text], isAnswer: role == .assistant || role == .call)
    switch role {
    case .user: try append("user", item, text, details)
    case .system: try append("system", item, text, details)
    case .tool: try addResult(item, text, details)
    case .call: try addCalls(MessageReader.calls(in: item.text(text), item, text), details, item)
    case .assistant: try addAnswer(item, text, details)
    }
  }

  private mutating func append(_ role: String, _ item: Row, _ text: String, _ details: MessageDetails) throws
  {
    messages.append(
      Message(
        role: role, content: try item.textOrParts(text), members: details.members, isLearnt: details.isLearnt)
    )
  }

  // MARK: - Answers and calls

  private mutating func addAnswer(_ item: Row, _ text: String, _ details: MessageDetails) throws {
    var details = details
    if let call = details.members["function_call"] {
      details.members["function_call"] = nil
      guard let call = ToolCall(openAI: call) else {
        throw item.wrong(
          "function_call", expected: "an object with \"name\" and \"arguments\"", found: call.kind)
      }
      details.members["tool_calls"] = .array([numbered(call).openAI])
    }
    let calls = try MessageReader.checked(details.members["tool_calls"], item)
    if calls.isEmpty { details.members["tool_calls"] = nil }
    openCalls = calls
    if item[text] == nil {
      messages.append(
        Message(
          role: "assistant", content: "", contentForm: item.members[text] == nil ? .absent : .null,
          members: details.members, isLearnt: details.isLearnt))
    } else {
      try append("assistant", item, text, details)
    }
  }

  /// A message that is calls and nothing else: they join those right before it, and the answer before them.
  private mutating func addCalls(_ calls: [ToolCall], _ details: MessageDetails, _ item: Row) throws {
    let calls = calls.map { numbered($0) }
    guard let last = messages.last, last.role == "assistant" else {
      openCalls = calls
      var members = details.members
      members["tool_calls"] = .array(calls.map(\.openAI))
      messages.append(
        Message(role: "assistant", content: "", members: members, isLearnt: details.isLearnt))
      return
    }
    guard last.isLearnt == details.isLearnt else {
      throw FireflyError(
        "a call and the answer that it belongs to differ in whether they are learnt", at: item.place)
    }
    openCalls = (last.toolCalls.isEmpty ? [] : openCalls) + calls
    let all = (last.members["tool_calls"]?.array ?? []) + calls.map(\.openAI)
    messages[messages.count - 1].members["tool_calls"] = .array(all)
  }

  /// Calls in formats without ids get some that every template takes (Mistral's wants nine letters or digits).
  private mutating func numbered(_ call: ToolCall) -> ToolCall {
    guard call.id == nil else { return call }
    let number = String(callCount)
    callCount += 1
    var call = call
    call.id = "call" + String(repeating: "0", count: max(0, 5 - number.count)) + number
    return call
  }

  /// The calls of `{"name": …, "arguments": …}` or a list of such, as JSON text.
  private static func calls(in text: String, _ item: Row, _ key: String) throws -> [ToolCall] {
    let value = try? OrderedJSON.parse(text, source: item.place)
    let list = value?.array ?? value.map { [$0] } ?? []
    let calls = list.compactMap(ToolCall.init(openAI:))
    guard !calls.isEmpty, calls.count == list.count else {
      throw item.wrong(
        key, expected: "the JSON text of {\"name\": …, \"arguments\": …}, or of a list of such",
        found: String(text.prefix(60)))
    }
    return calls
  }

  /// OpenAI's calls.
  private static func checked(_ value: OrderedJSON?, _ item: Row) throws -> [ToolCall] {
    guard let value, value != .null else { return [] }
    let calls = value.array?.compactMap(ToolCall.init(openAI:)) ?? []
    guard calls.count == value.array?.count else {
      throw item.wrong(
        "tool_calls",
        expected: "a list of {\"type\": \"function\", \"function\": {\"name\": …, \"arguments\": …}}",
        found: value.kind)
    }
    return calls
  }

  // MARK: - What tools say

  private mutating func addResult(_ item: Row, _ text: String, _ details: MessageDetails) throws {
    var details = details
    if item["parameters"] != nil || item["observation"] != nil { return try addChatGLM3(item, details) }
    if !openCalls.isEmpty {
      let call = openCalls.removeFirst()
      if details.members["tool_call_id"] == nil {
        details.members["tool_call_id"] = call.id.map(OrderedJSON.string)
      }
      if details.members["name"] == nil { details.members["name"] = .string(call.name) }
    }
    try append("tool", item, text, details)
  }

  /// The original's `{"role": "tool", "name": …, "parameters": {…}, "observation": …}`: a call and its result in one.
  private mutating func addChatGLM3(_ item: Row, _ details: MessageDetails) throws {
    var details = details
    for key in ["name", "parameters", "observation"] { details.members[key] = nil }
    let call = ToolCall(
      name: try item.text("name"), arguments: ToolCall.parsed(item["parameters"] ?? .object([:])))
    try addCalls([call], details, item)
    let observation = item["observation"] ?? .string("")
    let made = openCalls.removeFirst()
    messages.append(
      Message(
        role: "tool", content: observation.string ?? observation.jsonText,
        members: ["tool_call_id": .string(made.id ?? ""), "name": .string(made.name)]))
  }
}

/// What stands beside a message's speaker and text: whether it is learnt, and what templates may ask for.
struct MessageDetails {
  var members: JSONMembers = [:]
  var isLearnt = true

  /// The words for "this is learnt": OpenAI's weight; axolotl's train and training; loss of ms-swift, LLaMA-Factory and
  /// XTuner; output_with_loss of XTuner's turns.
  private static let learning: Set = ["weight", "train", "training", "loss", "loss_mask", "output_with_loss"]
  /// The word for the contrary: torchtune's.
  private static let leavingOut = "masked"

  /// Whether a key says if a message is learnt.
  static func isMask(_ key: String) -> Bool { learning.contains(key) || key == leavingOut }

  /// - Parameters:
  ///   - followed: the keys that the caller reads.
  ///   - isAnswer: whether the message, or a part of it, is the assistant's.
  /// - Throws: `FireflyError` for a key that is refused, and for a mask that is no mask.
  init(_ item: Row, beside followed: Set<String>, isAnswer: Bool) throws {
    var masks: [(key: String, isLearnt: Bool)] = []
    for key in item.keys where !followed.contains(key) {
      guard let value = item[key] else { continue }
      if MessageDetails.isMask(key) {
        let flag = try MessageDetails.flag(value, key, item)
        masks.append((key, key == MessageDetails.leavingOut ? !flag : flag))
      } else {
        try RowKeys.check(key, of: item)
        members[key] = value
      }
    }
    // Elsewhere these words make the user's messages targets; OpenAI's and ms-swift's are the assistant's alone.
    if !isAnswer, let mask = masks.first(where: { $0.isLearnt && ["train", "training"].contains($0.key) }) {
      throw item.wrong(
        mask.key, expected: "false: only the assistant's messages are learnt", found: "true")
    }
    if let first = masks.first, let other = masks.first(where: { $0.isLearnt != first.isLearnt }) {
      throw FireflyError("\"\(first.key)\" and \"\(other.key)\" contradict each other", at: item.place)
    }
    isLearnt = masks.first?.isLearnt ?? true
  }

  private static func flag(_ value: OrderedJSON, _ key: String, _ item: Row) throws -> Bool {
    if let flag = value.bool { return flag }
    if value.double == 0 || value.double == 1 { return value.double == 1 }
    throw item.wrong(
      key, expected: "true or false, 1 or 0", found: value.unordered.text(),
      fix: "An answer counts in full or not at all.")
  }
}
