import FireflyBase

/// A kind of template: how it writes a conversation and what ends an answer.
protocol ConversationFormat {
  /// A whole conversation as tokens.
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow

  /// A conversation up to where the assistant begins to speak.
  ///
  /// - Parameter messages: user and assistant in turn, the user last.
  func prompt(system: String?, messages: ArraySlice<Message>, _ tokenizer: any Tokenizer) throws -> [Int32]

  /// A prompt and two answers to it, each with what ends it.
  ///
  /// - Parameter preference: `messages` are user and assistant in turn, the user last.
  func pair(_ preference: Preference, _ tokenizer: any Tokenizer) throws -> TemplatePair

  /// The ids that end an answer, the likeliest first.
  func stopIDs(_ tokenizer: any Tokenizer) throws -> [Int32]

  /// What the user should know about how answers end; nil when all is well.
  func stopWarning(_ tokenizer: any Tokenizer) -> String?
}

/// A conversation as tokens.
struct TemplateRow: Equatable {
  var tokens: [Int32]  // [T]
  /// What is learnt: the answers with what ends them, as ranges of tokens, ascending.
  var answers: [Range<Int>]
  /// The conversation has a system text that the template has no place for.
  var losesSystem = false
}

/// A prompt and two answers to it as tokens.
struct TemplatePair: Equatable {
  var prompt: [Int32]
  var chosen: [Int32]
  var rejected: [Int32]
  /// There is a system text that the template has no place for.
  var losesSystem = false
}

func missingToken(_ what: String, _ short: String, template: String) -> FireflyError {
  FireflyError(
    "template \"\(template)\" needs a \(what), and this tokenizer has none", expected: "a \(short) token",
    fix: "Choose a template made for this model, or name its \(short)_token in tokenizer_config.json.")
}
