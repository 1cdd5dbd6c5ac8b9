import FireflyBase
import FireflyJinja
import Foundation

/// How a conversation becomes tokens: one type for training, chat and serving, so that all three write the same.
///
/// A template comes from the table of the original's (`named`), or is the model's own Jinja template (`"auto"`).
public struct ChatTemplate: Equatable, Sendable {
  public let name: String
  let format: Format

  enum Format: Equatable, Sendable {
    /// The original's: strings around each text, each string tokenised alone.
    case pieces(PieceFormat)
    /// The model's own: one text for the whole conversation.
    case jinja(JinjaFormat)
  }

  private var writer: any ConversationFormat {
    switch format {
    case .pieces(let format): format
    case .jinja(let format): format
    }
  }
}

extension ChatTemplate {
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow {
    try writer.row(conversation, tokenizer)
  }

  func pair(_ preference: Preference, _ tokenizer: any Tokenizer) throws -> TemplatePair {
    try writer.pair(preference, tokenizer)
  }

  func prompt(system: String?, messages: ArraySlice<Message>, _ tokenizer: any Tokenizer) throws -> [Int32] {
    try writer.prompt(system: system, messages: messages, tokenizer)
  }

  /// The ids that end an answer: the template's own, then the tokenizer's end-of-sequence token.
  ///
  /// - Throws: `FireflyError` when none exists, so that generation could not end.
  public func stopIDs(_ tokenizer: any Tokenizer) throws -> [Int32] {
    var ids: [Int32] = []
    for id in try writer.stopIDs(tokenizer) + (tokenizer.eos.map { [$0] } ?? []) where !ids.contains(id) {
      ids.append(id)
    }
    guard !ids.isEmpty else { throw missingToken("end-of-sequence token", "eos", template: name) }
    return ids
  }

  /// Says so when answers end with no single token: then the model learns to spell the end, and chat cannot stop on it.
  public func stopWarning(_ tokenizer: any Tokenizer) -> String? { writer.stopWarning(tokenizer) }
}

extension ChatTemplate {
  /// A text that is the same only for templates that write the same: the data cache goes by it.
  var identity: String {
    switch format {
    case .pieces(let format):
      let texts = [
        format.systemFormat, format.userFormat, format.assistantFormat, format.defaultSystem, format.stopWord,
      ]
      return JSONValue.array(
        [.string(format.name), .string("\(format.layout)")] + texts.map { $0.map(JSONValue.string) ?? .null }
      ).text()
    case .jinja(let format):
      let day = Int(JinjaFormat.rowDate.timeIntervalSince1970)
      return JSONValue.array([.string(format.template.source), .int(Int(format.stopID ?? -1)), .int(day)])
        .text()
    }
  }
}
