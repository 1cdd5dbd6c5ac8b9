/// A chat template that a model or an adapter brings, as text.
package struct OwnTemplate: Equatable, Sendable {
  package var chat: String
  /// The one called "tool_use", for conversations with tools; nil: the same.
  package var tools: String?

  package init(chat: String, tools: String? = nil) {
    self.chat = chat
    self.tools = tools
  }

  /// Whether answers come in channels, as gpt-oss writes them.
  package var writesChannels: Bool { chat.contains("<|channel|>") }

  /// Whether a tag of the text has `name` as a variable: not as a part of another name, a member or a text.
  package func asks(for name: String) -> Bool {
    ([chat] + (tools.map { [$0] } ?? [])).contains { text in
      text.ranges(of: name).contains { range in
        let before = text[..<range.lowerBound]
        let after = text[range.upperBound...].first ?? " "
        func continues(_ sign: Character) -> Bool { sign.isLetter || sign.isNumber || sign == "_" }
        let isPart = before.last.map { continues($0) || ".'\"".contains($0) } ?? false
        return !isPart && !continues(after) && before.isInTag
      }
    }
  }

  /// Whether the text has `name` as a member, `.name`, `'name'` or `"name"`.
  func names(_ name: String) -> Bool {
    ([chat] + (tools.map { [$0] } ?? [])).contains { text in
      text.ranges(of: name).contains { range in
        guard range.lowerBound > text.startIndex else { return false }
        let before = text[text.index(before: range.lowerBound)]
        let after = range.upperBound < text.endIndex ? text[range.upperBound] : " "
        return [".", "'", "\""].contains(before) && !(after == "_" || after.isLetter || after.isNumber)
      }
    }
  }
}

extension Substring {
  /// Whether the last mark of a tag is one that opens it.
  fileprivate var isInTag: Bool {
    func last(_ marks: [String]) -> Index? { marks.compactMap { ranges(of: $0).last?.lowerBound }.max() }
    guard let open = last(["{%", "{{"]) else { return false }
    return last(["%}", "}}"]).map { $0 < open } ?? true
  }
}

extension Tokenizer {
  /// The template that came with the tokenizer.
  package var ownTemplate: OwnTemplate? { chatTemplate.map { OwnTemplate(chat: $0, tools: toolTemplate) } }
}
