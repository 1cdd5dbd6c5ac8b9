import FireflyBase

/// A kind of template: how it writes a conversation and what ends an answer.
protocol ConversationFormat {
  /// A whole conversation as tokens.
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow

  /// A conversation up to where the assistant begins to speak, or goes on.
  func prompt(_ history: TemplateHistory, _ tokenizer: any Tokenizer) throws -> TemplatePrompt

  /// What messages before an answer this kind of template cannot take.
  func check(_ history: TemplateHistory) throws

  /// A prompt and two answers to it, each with what ends it.
  ///
  /// - Parameter preference: `messages` are user and assistant in turn, the user last.
  func pair(_ preference: Preference, _ tokenizer: any Tokenizer) throws -> TemplatePair

  /// The ids that end an answer, the likeliest first.
  func stopIDs(_ tokenizer: any Tokenizer) throws -> [Int32]

  /// What the user should know about how answers end; nil when all is well.
  func stopWarning(_ tokenizer: any Tokenizer) -> String?

  /// Whether the template looks at a member of messages beside role and content.
  func reads(_ member: String) -> Bool
}

/// What is said before an answer.
struct TemplateHistory {
  /// nil leaves it to the template.
  var system: String?
  /// Users, assistants and tools; the assistant is last where `continuesAnswer`, and nowhere else.
  var messages: ArraySlice<Message>
  var tools: [OrderedJSON]?
  /// Whether the last message is an answer that has begun and is to go on.
  var continuesAnswer = false
}

/// What is said before an answer, as tokens.
struct TemplatePrompt {
  var tokens: [Int32]
  var lost: Set<LostPart> = []
}

/// A part of a conversation that a template leaves out.
public enum LostPart: String, CaseIterable, Sendable {
  case system, tools, reasoning
  /// Who speaks, beside the role.
  case name
  /// An answer's text beside its tool calls.
  case answerText = "answer_text"
  /// Calls, or what tools said: a row with them is not used.
  case toolMessages = "tool_messages"

  /// For the report on rows, and for who asks with a conversation.
  public var description: String {
    switch self {
    case .system: "system text that this template has no place for"
    case .tools: "tools that this template has no place for"
    case .reasoning: "answers whose reasoning this template leaves out"
    case .name: "names of speakers that this template leaves out"
    case .answerText: "answers whose text this template leaves out beside their calls"
    case .toolMessages: "tool calls that this template has no place for"
    }
  }
}

/// A conversation as tokens.
struct TemplateRow: Equatable {
  var tokens: [Int32]  // [T]
  /// What is learnt: the answers with what ends them, as ranges of tokens, ascending. Of an answer that is not to be learnt
  /// the range is empty.
  var answers: [Range<Int>]
  var lost: Set<LostPart> = []
}

/// A prompt and two answers to it as tokens.
struct TemplatePair: Equatable {
  var prompt: [Int32]
  var chosen: [Int32]
  var rejected: [Int32]
  var lost: Set<LostPart> = []
}

func missingToken(_ what: String, _ short: String, template: String) -> FireflyError {
  FireflyError(
    "template \"\(template)\" needs \(what), and this tokenizer has none", expected: "\(short)_token",
    fix: "Choose a template made for this model, or name its \(short)_token in tokenizer_config.json.")
}
