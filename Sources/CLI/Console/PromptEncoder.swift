import FireflyBase
import FireflyGeneration
import FireflyText

/// Turns prompts into tokens: through the template, or as they are.
struct PromptEncoder {
  let tokenizer: any Tokenizer
  /// nil: a prompt is a text to be continued.
  let template: ChatTemplate?
  let system: String?

  /// - Throws: `FireflyError` for a conversation without a template, and for what the template refuses.
  func tokens(_ row: PromptRow) throws -> [Int32] {
    do {
      switch (row.content, template) {
      case (.text(let text), let template?):
        return try template.promptTokens(
          history: [Message(role: "user", content: text)], system: system, tokenizer: tokenizer)
      case (.messages(let messages), let template?):
        return try template.promptTokens(
          history: messages, system: system, tools: row.tools, tokenizer: tokenizer)
      case (.text(let text), nil): return try tokenizer.textTokens(text)
      case (.messages, nil):
        throw FireflyError("a conversation needs a template", expected: "\"prompt\" with --raw")
      }
    } catch var error as FireflyError {
      error.place = error.place.map { "\(row.place): \($0)" } ?? row.place
      throw error
    }
  }
}
