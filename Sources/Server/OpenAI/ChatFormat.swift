import FireflyBase
import FireflyGeneration
import FireflyText
import Foundation

/// `chat.completion` and `chat.completion.chunk`.
struct ChatFormat: AnswerFormat {
  let header: AnswerHeader
  let spelling: TokenSpelling
  let reportsTokens: Bool
  /// Takes an answer apart; as it is before the answer.
  private let reader: ChatAnswerReader
  /// Those of a stream's answers.
  private let readers: Locked<[Int: (reader: ChatAnswerReader, callCount: Int)]>
  private let ids: CallIDs

  init(
    model: String, spelling: TokenSpelling, reportsTokens: Bool, reader: ChatAnswerReader,
    _ syntax: ToolSyntax?
  ) {
    header = AnswerHeader(
      prefix: "chatcmpl-", object: "chat.completion", partObject: "chat.completion.chunk", model: model)
    self.spelling = spelling
    self.reportsTokens = reportsTokens
    self.reader = reader
    readers = Locked([:])
    ids = CallIDs(syntax: syntax)
  }

  func choice(_ index: Int, _ result: GenerationResult) -> JSONValue {
    let shown = result.tokens.filter { $0.offset < result.text.utf8.count }
    var reader = reader
    var (reasoning, text, calls) = ("", "", [JSONValue]())
    for event in reader.append(result.text) + reader.finish() {
      switch event {
      case .reasoning(let more): reasoning += more
      case .text(let more): text += more
      case .call(let call): calls.append(.object(ids.described(call)))
      }
    }
    var message: [String: JSONValue] = [
      "role": .string("assistant"), "refusal": .null,
      "content": text.isEmpty && !calls.isEmpty ? .null : .string(text),
    ]
    if !reasoning.isEmpty { message["reasoning_content"] = .string(reasoning) }
    if !calls.isEmpty { message["tool_calls"] = .array(calls) }
    return .object([
      "index": .int(index), "logprobs": logProbabilities(shown), "message": .object(message),
      "finish_reason": ChatFormat.reason(result.finishReason, hasCalls: !calls.isEmpty),
    ])
  }

  private static func reason(_ reason: FinishReason, hasCalls: Bool) -> JSONValue {
    reason == .stop && hasCalls ? .string("tool_calls") : reason.json
  }

  func opening(_ index: Int) -> JSONValue? {
    readers.withLock { $0[index] = (reader, 0) }
    return part(index, ["role": .string("assistant"), "content": .string("")], .null, .null)
  }

  func pieces(_ index: Int, text: String, tokens: [GeneratedToken]) -> [JSONValue] {
    var deltas = deltas(index) { $0.append(text) }
    // Tokens are told as they come, also where their text waits to be understood.
    if deltas.isEmpty && reportsTokens && !tokens.isEmpty { deltas = [["content": .string("")]] }
    return deltas.enumerated().map { place, delta in
      part(index, delta, place == 0 ? logProbabilities(tokens) : .null, .null)
    }
  }

  func closing(_ index: Int, _ reason: FinishReason) -> [JSONValue] {
    let rest = deltas(index) { $0.finish() }.map { part(index, $0, .null, .null) }
    let hasCalls = readers.withLock { ($0.removeValue(forKey: index)?.callCount ?? 0) > 0 }
    return rest + [part(index, [:], .null, ChatFormat.reason(reason, hasCalls: hasCalls))]
  }

  private func deltas(
    _ index: Int, _ read: (inout ChatAnswerReader) -> [ChatAnswerReader.Event]
  ) -> [[String: JSONValue]] {
    readers.withLock { readers in
      guard var own = readers[index] else { return [] }
      defer { readers[index] = own }
      return read(&own.reader).map { event in
        switch event {
        case .reasoning(let text): return ["reasoning_content": .string(text)]
        case .text(let text): return ["content": .string(text)]
        case .call(let call):
          var described = ids.described(call)
          described["index"] = .int(own.callCount)
          own.callCount += 1
          return ["tool_calls": .array([.object(described)])]
        }
      }
    }
  }

  private func part(
    _ index: Int, _ delta: [String: JSONValue], _ logProbabilities: JSONValue, _ reason: JSONValue
  ) -> JSONValue {
    .object([
      "index": .int(index), "delta": .object(delta), "logprobs": logProbabilities, "finish_reason": reason,
    ])
  }

  private func logProbabilities(_ tokens: [GeneratedToken]) -> JSONValue {
    guard reportsTokens else { return .null }
    let entries = tokens.map { token in
      var members = entry(token.id, token.logProbability ?? 0)
      members["top_logprobs"] = .array(token.top.map { .object(entry($0.id, $0.logProbability)) })
      return JSONValue.object(members)
    }
    return .object(["content": .array(entries), "refusal": .null])
  }

  private func entry(_ id: Int32, _ logProbability: Double) -> [String: JSONValue] {
    [
      "token": .string(spelling.text(of: id)), "logprob": .logProbability(logProbability),
      "bytes": .array(spelling.bytes(of: id).map { .int(Int($0)) }),
    ]
  }
}

/// Calls as OpenAI writes them.
private struct CallIDs: Sendable {
  /// Mistral's templates take names of nine characters only.
  let length: Int
  let prefix: String

  init(syntax: ToolSyntax?) {
    (prefix, length) = syntax?.needsShortIDs == true ? ("", 9) : ("call_", 24)
  }

  func described(_ call: ToolCall) -> [String: JSONValue] {
    let random = UUID().uuidString.lowercased().replacing("-", with: "").prefix(length)
    return [
      "id": .string(call.id ?? prefix + random), "type": .string("function"),
      "function": .object(["name": .string(call.name), "arguments": .string(call.arguments.text)]),
    ]
  }
}

extension OrderedJSON {
  /// The document as text, its members in their order; what is no JSON, as it is.
  fileprivate var text: String { string ?? written }

  private var written: String {
    switch self {
    case .array(let list): "[" + list.map(\.written).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.entries.map { JSONValue.string($0.key).text() + ": " + $0.value.written }.joined(
          separator: ", ")
        + "}"
    default: unordered.text()
    }
  }
}
