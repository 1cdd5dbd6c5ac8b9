import FireflyBase
import FireflyJinja
import Foundation

/// A model's own chat template: one text for the whole conversation, tokenised as a whole with its special tokens parsed,
/// as transformers' `apply_chat_template` does.
struct JinjaFormat: Equatable, Sendable {
  let template: JinjaTemplate
  /// The token that ends an answer, found by trying; nil when the template writes none.
  let stopID: Int32?

  /// The day that `strftime_now` tells in training rows: rows must be the same on every day, or a run could not resume.
  static let rowDate = Date(timeIntervalSince1970: 1_721_988_000)  // 26 July 2024, 10:00 UTC

  /// - Throws: `FireflyError` with the line of what the template uses and Firefly does not support.
  init(_ source: String, _ tokenizer: any Tokenizer) throws {
    let template = try JinjaTemplate(source)
    let turns = [Turn(human: "Question", assistant: "Answer"), Turn(human: "Another", assistant: "Reply")]
    // A template whose answers cannot be found still serves chat; the first training row tells what is wrong.
    let probe = try? JinjaFormat(template: template, stopID: nil).written(
      Conversation(turns: turns), tokenizer)
    self.init(template: template, stopID: probe?.stopID)
  }

  private init(template: JinjaTemplate, stopID: Int32?) {
    self.template = template
    self.stopID = stopID
  }

  static func == (first: JinjaFormat, second: JinjaFormat) -> Bool {
    first.template.source == second.template.source && first.stopID == second.stopID
  }

  /// - Parameter forAnswer: whether the assistant's next answer is to follow.
  func rendered(
    _ messages: some Collection<Message>, forAnswer: Bool, now: Date, _ tokenizer: any Tokenizer
  ) throws -> JinjaRendering {
    let list = messages.enumerated().map { index, message in
      JinjaValue.dictionary(
        JinjaDictionary([
          ("role", .text(message.role)), ("content", .string(MarkedText(message.content, source: index))),
        ]))
    }
    var variables: [(String, JinjaValue)] = [
      ("messages", .list(list)), ("tools", .null), ("documents", .null),
      ("add_generation_prompt", .bool(forAnswer)),
    ]
    for (name, id) in [
      ("bos_token", tokenizer.bos), ("eos_token", tokenizer.eos), ("pad_token", tokenizer.pad),
      ("unk_token", tokenizer.unk),
    ] {
      if let text = id.flatMap(tokenizer.token(of:)) { variables.append((name, .text(text))) }
    }
    return try template.render(variables, now: now)
  }
}

extension JinjaFormat: ConversationFormat {
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow {
    let written = try written(conversation, tokenizer)
    let (tokens, answers) = try JinjaFormat.tokens(of: written.text, written.answers, tokenizer)
    return TemplateRow(tokens: tokens, answers: answers, losesSystem: written.losesSystem)
  }

  /// The prompt ends where the two conversations part, or where the answers begin if that is before.
  func pair(_ preference: Preference, _ tokenizer: any Tokenizer) throws -> TemplatePair {
    let rows = try [preference.chosen, preference.rejected].map {
      try row(preference.conversation(answer: $0), tokenizer)
    }
    let ends = rows.map { $0.answers.last ?? $0.tokens.count..<$0.tokens.count }
    let shared = zip(rows[0].tokens, rows[1].tokens).prefix { $0 == $1 }.count
    let start = ends.reduce(shared) { min($0, $1.lowerBound) }
    return TemplatePair(
      prompt: Array(rows[0].tokens[..<start]), chosen: Array(rows[0].tokens[start..<ends[0].upperBound]),
      rejected: Array(rows[1].tokens[start..<ends[1].upperBound]), losesSystem: rows[0].losesSystem)
  }

  func prompt(system: String?, messages: ArraySlice<Message>, _ tokenizer: any Tokenizer) throws -> [Int32] {
    let head = system.map { [Message(role: "system", content: $0)] } ?? []
    let text = try rendered(head + messages, forAnswer: true, now: Date(), tokenizer).text.text
    return try tokenizer.encode(text, parseSpecial: true)
  }

  func stopIDs(_ tokenizer: any Tokenizer) -> [Int32] { stopID.map { [$0] } ?? [] }

  func stopWarning(_ tokenizer: any Tokenizer) -> String? {
    guard stopID == nil else { return nil }
    return
      "the model's own chat template writes no token that ends an answer: a model trained with it does not learn "
      + "to stop. Choose a template by name (\"default\" fits any base model)."
  }
}
