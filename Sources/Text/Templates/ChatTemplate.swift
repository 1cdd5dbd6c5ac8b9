import FireflyBase
import FireflyJinja
import Foundation

/// How a conversation becomes tokens: one type for training, chat and serving, so that all three write the same.
///
/// A template comes from the table of the original's (`named`), or is the model's own Jinja template (`"auto"`).
public struct ChatTemplate: Equatable, Sendable {
  public let name: String
  private(set) var format: Format
  /// Further tokens that end an answer: those of an adapter's tokenizer.
  public var furtherStops: [String] = []

  init(name: String, format: Format) {
    self.name = name
    self.format = format
  }

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

  func prompt(_ history: TemplateHistory, _ tokenizer: any Tokenizer) throws -> TemplatePrompt {
    try writer.prompt(history, tokenizer)
  }

  func check(_ history: TemplateHistory) throws { try writer.check(history) }

  /// Whether the template looks at a member of messages beside role and content.
  func reads(_ member: String) -> Bool { writer.reads(member) }

  /// The ids that end an answer: the template's own, then the tokenizer's end-of-sequence token.
  ///
  /// - Throws: `FireflyError` when none exists, so that generation could not end.
  public func stopIDs(_ tokenizer: any Tokenizer) throws -> [Int32] {
    var ids: [Int32] = []
    let others = furtherStops.compactMap(tokenizer.id(of:)) + (tokenizer.eos.map { [$0] } ?? [])
    for id in try writer.stopIDs(tokenizer) + others where !ids.contains(id) { ids.append(id) }
    guard !ids.isEmpty else { throw missingToken("an end-of-sequence token", "eos", template: name) }
    return ids
  }

  /// How the model calls tools; nil where there is no way that is known.
  package var toolSyntax: ToolSyntax? {
    if case .jinja(let own) = format { own.toolSyntax } else { nil }
  }

  /// Whether the template tells the model of tools.
  package var describesTools: Bool {
    if case .jinja(let own) = format { own.describesTools } else { false }
  }

  /// What stands around the reasoning in answers.
  package var reasoningMarks: ReasoningMarks {
    if case .jinja(let own) = format { own.reasoningMarks } else { .standard }
  }

  /// Says so when answers end with no single token: then the model learns to spell the end, and chat cannot stop on it.
  package func stopWarning(_ tokenizer: any Tokenizer) -> String? { writer.stopWarning(tokenizer) }
}

extension ChatTemplate {
  /// The template with variables of its own set, as transformers' `chat_template_kwargs`: `enable_thinking` and others.
  ///
  /// What the template does not name has no effect; `variablesWarning` says so.
  /// - Throws: `FireflyError` for variables with a template of the table, which has none, and for the names of what every
  ///   template is given.
  public func with(variables: JSONMembers) throws -> ChatTemplate {
    guard !variables.isEmpty else { return self }
    let taken = ["messages", "tools", "documents", "add_generation_prompt"]
    if let key = variables.keys.first(where: taken.contains) {
      throw FireflyError("\"\(key)\" is no variable of the template's own", at: "chat_template_kwargs")
    }
    guard case .jinja(var own) = format else {
      throw FireflyError(
        "template \"\(name)\" has no variables", at: "chat_template_kwargs",
        found: variables.keys.joined(separator: ", "), fix: "Use the model's own template, \"auto\".")
    }
    own.variables = variables
    var template = self
    template.format = .jinja(own)
    return template
  }

  /// The variables that settings of a run name: `chat_template_kwargs`, and `enable_thinking` by itself.
  package static func variables(inSettings settings: JSONValue) -> JSONMembers {
    var variables = settings["chat_template_kwargs"].flatMap { OrderedJSON($0).object } ?? [:]
    if let thinking = settings["enable_thinking"]?.bool { variables["enable_thinking"] = .bool(thinking) }
    return variables
  }

  /// Says which of the variables that are set the template does not ask for, so that they have no effect. That nothing is thought
  /// holds for a template that knows no thinking, too.
  package var variablesWarning: String? {
    guard case .jinja(let own) = format else { return nil }
    let lost = own.variables.entries.filter { entry in
      !own.source.asks(for: entry.key) && !(entry.key == "enable_thinking" && entry.value == .bool(false))
    }
    guard !lost.isEmpty else { return nil }
    return "the chat template does not ask for these variables, which have no effect: "
      + lost.map(\.key).joined(separator: ", ")
  }

  /// The variables that `with(variables:)` has set.
  public var variables: JSONMembers {
    if case .jinja(let own) = format { own.variables } else { [:] }
  }
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
      let variables = format.variables.isEmpty ? [] : [OrderedJSON.object(format.variables).unordered]
      return JSONValue.array(
        [
          .string(format.source.chat), .string(format.source.tools ?? ""), .int(Int(format.stopID ?? -1)),
          .int(day),
        ]
          + variables
      ).text()
    }
  }
}
