import FireflyBase
import FireflyGeneration
import FireflyText

/// Turns prompts into tokens: through the template, or as they are.
struct PromptEncoder {
  let tokenizer: any Tokenizer
  /// nil: a prompt is a text to be continued.
  let template: ChatTemplate?
  let system: String?

  /// The rows' prompts; what of the rows is in none of them is told.
  ///
  /// - Throws: `FireflyError` for a conversation without a template, and for what the template refuses.
  func tokens(_ rows: [PromptRow]) throws -> [[Int32]] {
    var told: [(what: String, count: Int, first: String)] = []
    func tell(_ what: String, _ row: PromptRow) {
      if let known = told.firstIndex(where: { $0.what == what }) {
        told[known].count += 1
      } else {
        told.append((what, 1, row.place))
      }
    }
    let prompts = try rows.map { row in
      let prompt = try prompt(row)
      for part in LostPart.allCases where prompt.lost.contains(part) { tell(part.description, row) }
      if system != nil, row.hasSystem {
        tell("system text of the row, before which --system has no effect", row)
      }
      for key in row.unusedKeys { tell("key that nothing reads, \"\(key)\"", row) }
      return prompt.tokens
    }
    told.map { "\($0.what): \($0.count) (\($0.first)\($0.count > 1 ? ", …" : ""))" }.forEach(Messages.note)
    return prompts
  }

  private func prompt(_ row: PromptRow) throws -> (tokens: [Int32], lost: Set<LostPart>) {
    do {
      switch (row.content, template) {
      case (.text(let text), let template?):
        return try written([Message(role: "user", content: text)], nil, template)
      case (.messages(let messages), let template?): return try written(messages, row.tools, template)
      case (.text(let text), nil): return (try tokenizer.textTokens(text), [])
      case (.messages, nil):
        throw FireflyError("a conversation needs a template", expected: "\"prompt\" with --raw")
      }
    } catch var error as FireflyError {
      error.place = error.place.map { "\(row.place): \($0)" } ?? row.place
      throw error
    }
  }

  private func written(
    _ messages: [Message], _ tools: [OrderedJSON]?, _ template: ChatTemplate
  ) throws -> (tokens: [Int32], lost: Set<LostPart>) {
    let prompt = try template.prompt(
      history: messages, system: system, tools: tools, tokenizer: tokenizer, budget: .max)
    return (prompt.tokens, prompt.lost)
  }
}

extension PromptRow {
  /// Whether the row brings a system text.
  fileprivate var hasSystem: Bool {
    guard case .messages(let messages) = content else { return false }
    return messages.first?.role == "system"
  }
}
