import FireflyBase

/// The original's `component/template.py` as values: what stands around the system text, a user's message and an answer.
///
/// A conversation is a head (begin-of-sequence token, system part), then for each turn the user's string and the
/// assistant's string, **each tokenised alone**: pieces of a SentencePiece model differ from the pieces of the joined
/// text, so chat must cut in the same places as training. `{content}` stands for the text, `{stop_token}` for the
/// tokenizer's end-of-sequence string, `{idx}` for the number of the turn from 1.
package struct PieceFormat: Equatable, Sendable {
  package var name: String
  /// nil: this template has no place for a system text.
  package var systemFormat: String?
  package var userFormat: String
  package var assistantFormat: String
  /// The system text of a row that brings none; nil: then no system part is written. Empty counts as present.
  package var defaultSystem: String?
  /// The text of the token that ends an answer; nil: the tokenizer's end-of-sequence token.
  package var stopWord: String?
  /// Which parts are tokens by id and not text.
  package var layout: Layout

  package enum Layout: Equatable, Sendable {
    /// The second generation's: texts are stripped; no token is added that the formats do not spell.
    case formatted
    /// The first generation's: `[bos] human [eos] assistant [eos] …`: texts as they are; bos and eos are ids, and eos ends
    /// the human's text too.
    case piecewise
    /// `[gMASK] sop`, then stripped texts; eos as an id ends an answer.
    case chatGLM2
    /// ChatGLM2's, with the ids of `<|system|>`, `<|user|>` and `<|assistant|>` before the texts.
    case chatGLM3
  }

  package init(
    name: String, systemFormat: String? = nil, userFormat: String, assistantFormat: String,
    defaultSystem: String? = nil, stopWord: String? = nil, layout: Layout = .formatted
  ) {
    self.name = name
    self.systemFormat = systemFormat
    self.userFormat = userFormat
    self.assistantFormat = assistantFormat
    self.defaultSystem = defaultSystem
    self.stopWord = stopWord
    self.layout = layout
  }

  private var endsWithID: Bool { layout != .formatted }
  private var prefix: [String] { layout == .chatGLM2 || layout == .chatGLM3 ? ["[gMASK]", "sop"] : [] }
}

// MARK: - Pieces

extension PieceFormat {
  /// What stands before the first turn: begin-of-sequence token or system part, possibly nothing.
  ///
  /// - Parameter system: the conversation's own system text; nil takes the template's.
  private func head(system: String?, _ tokenizer: any Tokenizer) throws -> [Int32] {
    let start = try prefix.map { try role($0, tokenizer) }
    if layout == .piecewise {
      guard let id = tokenizer.bos else {
        throw missingToken("begin-of-sequence token", "bos", template: name)
      }
      return [id]
    }
    guard let systemFormat, let system = system?.strippedAsPython ?? defaultSystem else { return start }
    let label = layout == .chatGLM3 ? [try role("<|system|>", tokenizer)] : []
    return start + label + (try tokens(systemFormat, system, tokenizer))
  }

  /// The user's part of a turn, up to where the assistant begins to speak; never a target.
  ///
  /// - Parameter turn: counted from 1.
  private func user(_ text: String, turn: Int, _ tokenizer: any Tokenizer) throws -> [Int32] {
    switch layout {
    case .piecewise: try tokens(userFormat, text, tokenizer) + [try end(tokenizer)]
    case .formatted, .chatGLM2: try tokens(userFormat, text.strippedAsPython, turn: turn, tokenizer)
    case .chatGLM3:
      [try role("<|user|>", tokenizer)] + (try tokens(userFormat, text.strippedAsPython, tokenizer))
        + [try role("<|assistant|>", tokenizer)]
    }
  }

  /// The assistant's part of a turn with what ends it; every token is a target.
  private func assistant(_ text: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    try answer(layout == .piecewise ? text : text.strippedAsPython, tokenizer)
  }

  /// The same with the text as it is.
  private func answer(_ text: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    try tokens(assistantFormat, text, tokenizer) + (endsWithID ? [try end(tokenizer)] : [])
  }

  private func tokens(
    _ format: String, _ content: String, turn: Int = 0, _ tokenizer: any Tokenizer
  ) throws -> [Int32] {
    var format = format.replacing("{idx}", with: String(turn))
    if format.contains("{stop_token}") {
      guard let stop = tokenizer.eosText else {
        throw missingToken("end-of-sequence token", "eos", template: name)
      }
      format = format.replacing("{stop_token}", with: stop)
    }
    let text = format.split(separator: "{content}", omittingEmptySubsequences: false).joined(
      separator: content)
    return text.isEmpty ? [] : try tokenizer.encode(text, parseSpecial: true)
  }

  /// The id of a token that no text spells.
  private func role(_ token: String, _ tokenizer: any Tokenizer) throws -> Int32 {
    guard let id = tokenizer.id(of: token) else {
      throw FireflyError(
        "template \"\(name)\" needs the token \(token), and this tokenizer has none",
        fix: "Choose a template made for this model.")
    }
    return id
  }

  private func end(_ tokenizer: any Tokenizer) throws -> Int32 {
    guard let id = tokenizer.eos else { throw missingToken("end-of-sequence token", "eos", template: name) }
    return id
  }
}

extension PieceFormat: ConversationFormat {
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow {
    var row = TemplateRow(tokens: try head(system: conversation.system, tokenizer), answers: [])
    for (index, turn) in conversation.turns.enumerated() {
      row.tokens += try user(turn.human, turn: index + 1, tokenizer)
      let start = row.tokens.count
      row.tokens += try assistant(turn.assistant, tokenizer)
      row.answers.append(start..<row.tokens.count)
    }
    row.losesSystem = loses(conversation.system)
    return row
  }

  private func loses(_ system: String?) -> Bool {
    system?.isEmpty == false && systemFormat?.contains("{content}") != true
  }

  /// As the original: the answers' texts are not stripped.
  func pair(_ preference: Preference, _ tokenizer: any Tokenizer) throws -> TemplatePair {
    TemplatePair(
      prompt: try prompt(system: preference.system, messages: preference.messages[...], tokenizer),
      chosen: try answer(preference.chosen, tokenizer), rejected: try answer(preference.rejected, tokenizer),
      losesSystem: loses(preference.system))
  }

  func prompt(system: String?, messages: ArraySlice<Message>, _ tokenizer: any Tokenizer) throws -> [Int32] {
    var tokens = try head(system: system, tokenizer)
    for (index, message) in messages.enumerated() {
      tokens +=
        message.role == "user"
        ? try user(message.content, turn: index / 2 + 1, tokenizer)
        : try assistant(message.content, tokenizer)
    }
    return tokens
  }

  func stopIDs(_ tokenizer: any Tokenizer) -> [Int32] {
    // ChatGLM3 hands over to the next speaker by his role token.
    let handovers = layout == .chatGLM3 ? ["<|user|>", "<|observation|>"] : []
    return ((stopWord.map { [$0] } ?? []) + handovers).compactMap { tokenizer.id(of: $0) }
  }

  func stopWarning(_ tokenizer: any Tokenizer) -> String? {
    guard let stopWord, !endsWithID, tokenizer.id(of: stopWord) == nil else { return nil }
    return "template \"\(name)\" ends an answer with \(stopWord), which is not a token of this tokenizer: "
      + "chat will not stop there. Choose a template made for this model (\"default\" fits any base model)."
  }
}
