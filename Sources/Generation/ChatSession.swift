import FireflyBase
import FireflyText

/// A conversation that goes on: its messages, and how much of it the model is shown.
///
/// The prompt is built from the same pieces as in training. When it does not fit, whole turns are left out from
/// the beginning; the system part stays.
public struct ChatSession: Sendable {
  public let template: ChatTemplate
  public let tokenizer: any Tokenizer
  /// Replaces the template's system text.
  public var system: String?
  /// Tokens that prompt and answer may have together.
  public let contextLength: Int
  /// User and assistant in turn.
  public private(set) var history: [Message] = []

  public init(template: ChatTemplate, tokenizer: any Tokenizer, system: String? = nil, contextLength: Int) {
    self.template = template
    self.tokenizer = tokenizer
    self.system = system
    self.contextLength = contextLength
  }

  /// The prompt with `message` added to the conversation, trimmed so that `answerLength` more tokens fit.
  ///
  /// Nothing is remembered yet: `add` does that, once there is an answer.
  /// - Throws: `FireflyError` when the system part and the message alone do not fit.
  public func prompt(for message: String, answerLength: Int) throws -> ChatTemplate.Prompt {
    try template.prompt(
      history: history + [Message(role: "user", content: message)], system: system, tokenizer: tokenizer,
      budget: max(0, contextLength - answerLength))
  }

  /// Remembers a turn.
  public mutating func add(message: String, answer: String) {
    history.append(Message(role: "user", content: message))
    history.append(Message(role: "assistant", content: answer))
  }

  /// Forgets the conversation; the system text stays.
  public mutating func reset() {
    history.removeAll()
  }
}
