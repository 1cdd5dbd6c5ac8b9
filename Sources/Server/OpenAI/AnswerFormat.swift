import FireflyBase
import FireflyGeneration
import Foundation

/// How answers are written: as a chat or as a completion.
protocol AnswerFormat: Sendable {
  var header: AnswerHeader { get }
  /// One whole answer, a member of `choices`.
  func choice(_ index: Int, _ result: GenerationResult) -> JSONValue
  /// What a stream says of an answer before its text; nil: nothing.
  func opening(_ index: Int) -> JSONValue?
  /// The parts of a stream that a piece of an answer makes; pieces of one answer come in their order.
  func pieces(_ index: Int, text: String, tokens: [GeneratedToken]) -> [JSONValue]
  /// The end of an answer in a stream.
  func closing(_ index: Int, _ reason: FinishReason) -> [JSONValue]
}

/// What all messages of one response begin with.
struct AnswerHeader: Sendable {
  let id: String
  /// `object` of a whole response and of a stream's parts.
  let object: String
  let partObject: String
  let created = Int(Date().timeIntervalSince1970)
  let model: String

  init(prefix: String, object: String, partObject: String, model: String) {
    id = prefix + UUID().uuidString.lowercased().replacing("-", with: "")
    self.object = object
    self.partObject = partObject
    self.model = model
  }

  /// A response, or with `isPart` a part of one.
  func message(
    _ choices: [JSONValue], usage: JSONValue?, warnings: JSONValue?, isPart: Bool
  ) -> JSONValue {
    var members: [String: JSONValue] = [
      "id": .string(id), "object": .string(isPart ? partObject : object), "created": .int(created),
      "model": .string(model), "choices": .array(choices),
    ]
    if let usage { members["usage"] = usage }
    if let warnings { members["warnings"] = warnings }
    return .object(members)
  }
}

/// The tokens of a response.
struct Usage: Sendable {
  /// Tokens of the prompts: each prompt counts once, however many answers it has; so do its tokens that were not read
  /// anew.
  let promptTokens: [Int]
  let answersPerPrompt: Int

  func json(_ results: [GenerationResult]) -> JSONValue {
    let prompt = promptTokens.reduce(0, +)
    let completion = results.reduce(0) { $0 + $1.tokens.count }
    let reused = stride(from: 0, to: results.count, by: answersPerPrompt).reduce(0) {
      $0 + results[$1].reusedCount
    }
    return .object([
      "prompt_tokens": .int(prompt), "completion_tokens": .int(completion),
      "total_tokens": .int(prompt + completion),
      "prompt_tokens_details": .object(["cached_tokens": .int(reused)]),
    ])
  }
}

extension FinishReason {
  /// OpenAI's word; a cancelled answer is cut like a long one, and nobody is there to read it.
  var json: JSONValue { .string(self == .stop ? "stop" : "length") }
}

extension JSONValue {
  /// A log-probability; OpenAI's service writes -9999 for what cannot be.
  static func logProbability(_ value: Double) -> JSONValue { .double(max(value, -9999)) }
}
