import FireflyBase

extension ChatTemplate {
  /// The template as the ecosystem keeps it, in Jinja: a model's own as it is, with the variables that are set as its
  /// defaults; one of the table in the form that writes the same text.
  package var own: OwnTemplate {
    switch format {
    case .pieces(let format): OwnTemplate(chat: format.jinja)
    case .jinja(let format):
      OwnTemplate(
        chat: defaults(format.variables) + format.source.chat,
        tools: format.source.tools.map { defaults(format.variables) + $0 })
    }
  }

  private func defaults(_ variables: JSONMembers) -> String {
    variables.entries.map { entry in
      "{%- if \(entry.key) is not defined %}{%- set \(entry.key) = \(entry.value.jinjaText) %}{%- endif -%}\n"
    }.joined()
  }

  /// The token that ends an answer: what a model trained with this template calls its end of sequence.
  ///
  /// - Returns: the tokenizer's own where the template has none, or one that is no token.
  package func endToken(_ tokenizer: any Tokenizer) -> Int32? {
    switch format {
    case .pieces(let format): format.endID(tokenizer) ?? tokenizer.eos
    case .jinja(let format): format.stopID ?? tokenizer.eos
    }
  }

  /// Whether two templates write prompts alike, by trying: with and without a system text, of one and of several turns.
  package func writes(as other: ChatTemplate, _ tokenizer: any Tokenizer) -> Bool {
    if self == other { return true }
    let question = Message(role: "user", content: "Question")
    let histories = [[question], [question, Message(role: "assistant", content: "Answer"), question]]
    return histories.allSatisfy { history in
      [nil, "Be brief."].allSatisfy { system in
        let prompts = [self, other].map {
          try? $0.promptTokens(history: history, system: system, tokenizer: tokenizer)
        }
        return prompts[0] == prompts[1]
      }
    }
  }
}

extension OrderedJSON {
  /// The value as a Jinja literal.
  fileprivate var jinjaText: String {
    switch self {
    case .null: "none"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .double(let number): "\(number)"
    case .string(let text): JSONValue.string(text).text()
    case .array(let list): "[\(list.map(\.jinjaText).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.entries.map { "\(JSONValue.string($0.key).text()): \($0.value.jinjaText)" }.joined(separator: ", "))}"
    }
  }
}
