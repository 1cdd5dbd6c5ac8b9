import FireflyBase

/// How a conversation becomes text: what stands around the system text, a user's message and an answer.
///
/// The original's `component/template.py` as values. A conversation is a head (begin-of-sequence token, system part), then
/// for each turn the user's string and the assistant's string, **each tokenised alone**: pieces of a SentencePiece
/// model differ from the pieces of the joined text, so chat must cut in the same places as training, and both use
/// this type. `{content}` stands for the text, `{stop_token}` for the tokenizer's end-of-sequence string.
public struct ChatTemplate: Equatable, Sendable {
  public var name: String
  /// nil: this template has no place for a system text.
  public var systemFormat: String?
  public var userFormat: String
  public var assistantFormat: String
  /// The system text of a row that brings none; nil: then no system part is written. Empty counts as present.
  public var defaultSystem: String?
  /// The text of the token that ends an answer; nil: the tokenizer's end-of-sequence token.
  public var stopWord: String?
  /// Which parts are tokens by id and not text.
  public var layout: Layout

  /// The second and the first generation of the original.
  public enum Layout: Equatable, Sendable {
    /// Texts are stripped; no token is added that the formats do not spell.
    case formatted
    /// `[bos] human [eos] assistant [eos] …`: texts as they are; bos and eos are ids, and eos ends the human's text too.
    case piecewise
  }

  public init(
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

  /// Whether a row's own system text reaches the model (mistral's slot, for one, only emits `<s>`).
  public var usesSystemText: Bool { systemFormat?.contains("{content}") ?? false }
}

// MARK: - Pieces, shared by training and chat

extension ChatTemplate {
  /// What stands before the first turn: begin-of-sequence token or system part, possibly nothing.
  ///
  /// - Parameter system: the conversation's own system text; nil takes the template's.
  func head(system: String?, _ tokenizer: any Tokenizer) throws -> [Int32] {
    switch layout {
    case .piecewise: return [try begin(tokenizer)]
    case .formatted:
      guard let systemFormat, let system = system.map(strippedAsPython) ?? defaultSystem else { return [] }
      return try tokens(systemFormat, system, tokenizer)
    }
  }

  /// The user's part of a turn, up to where the assistant begins to speak; never a target.
  func user(_ text: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    try utterance(userFormat, text, tokenizer)
  }

  /// The assistant's part of a turn with what ends it; every token is a target.
  func assistant(_ text: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    try utterance(assistantFormat, text, tokenizer)
  }

  private func utterance(_ format: String, _ text: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    switch layout {
    case .piecewise: try tokens(format, text, tokenizer) + [try end(tokenizer)]
    case .formatted: try tokens(format, strippedAsPython(text), tokenizer)
    }
  }

  private func tokens(_ format: String, _ content: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    var format = format
    if format.contains("{stop_token}") {
      guard let stop = tokenizer.eosText else { throw missing("end-of-sequence token", "eos") }
      format = format.replacing("{stop_token}", with: stop)
    }
    let text = format.split(separator: "{content}", omittingEmptySubsequences: false).joined(
      separator: content)
    return text.isEmpty ? [] : try tokenizer.encode(text, parseSpecial: true)
  }

  private func begin(_ tokenizer: any Tokenizer) throws -> Int32 {
    guard let id = tokenizer.bos else { throw missing("begin-of-sequence token", "bos") }
    return id
  }

  private func end(_ tokenizer: any Tokenizer) throws -> Int32 {
    guard let id = tokenizer.eos else { throw missing("end-of-sequence token", "eos") }
    return id
  }

  private func missing(_ what: String, _ short: String) -> FireflyError {
    FireflyError(
      "template \"\(name)\" needs a \(what), and this tokenizer has none", expected: "a \(short) token",
      fix: "Choose a template made for this model, or name its \(short)_token in tokenizer_config.json.")
  }
}

// MARK: - Where an answer ends

extension ChatTemplate {
  /// The ids that end an answer: the stop word's, then the tokenizer's end-of-sequence token.
  ///
  /// - Throws: `FireflyError` when neither exists, so that generation could not end.
  public func stopIDs(_ tokenizer: any Tokenizer) throws -> [Int32] {
    let word = stopWord.flatMap { tokenizer.id(of: $0) }
    if let word { return tokenizer.eos.map { $0 == word ? [word] : [word, $0] } ?? [word] }
    return [try end(tokenizer)]
  }

  /// Says so when the stop word is not one token of this tokenizer: then the model learns to spell it, and chat cannot stop on it.
  public func stopWarning(_ tokenizer: any Tokenizer) -> String? {
    guard let stopWord, tokenizer.id(of: stopWord) == nil else { return nil }
    return "template \"\(name)\" ends an answer with \(stopWord), which is not a token of this tokenizer: "
      + "chat will not stop there. Choose a template made for this model (\"default\" fits any base model)."
  }
}

/// Python's `str.strip()`: Unicode white space and the separators U+001C to U+001F, at both ends.
func strippedAsPython(_ text: String) -> String {
  func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }
  let scalars = text.unicodeScalars
  guard let first = scalars.firstIndex(where: { !isSpace($0) }),
    let last = scalars.lastIndex(where: { !isSpace($0) })
  else { return "" }
  return String(scalars[first...last])
}
