import FireflyBase
import FireflyJinja
import Foundation

/// A model's own chat template: one text for the whole conversation, tokenised as a whole with its special tokens parsed,
/// as transformers' `apply_chat_template` does.
struct JinjaFormat: Equatable, Sendable {
  let source: OwnTemplate
  private let template: JinjaTemplate
  /// For conversations with tools; nil: the same.
  private let toolTemplate: JinjaTemplate?
  /// The token that ends an answer, found by trying; nil when the template writes none.
  private(set) var stopID: Int32?
  /// Variables of the template's own that the user sets (`chat_template_kwargs`).
  var variables: JSONMembers = [:]
  /// Whether the template tells the model of tools.
  private(set) var describesTools = false
  /// How the model calls tools; nil where there is no way that is known.
  private(set) var toolSyntax: ToolSyntax?
  private(set) var reasoningMarks = ReasoningMarks.standard
  private(set) var shape = CallShape.object

  /// The day that `strftime_now` tells in training rows: rows must be the same on every day, or a run could not resume.
  static let rowDate = Date(timeIntervalSince1970: 1_721_988_000)  // 26 July 2024, 10:00 UTC

  /// - Throws: `FireflyError` with the line of what the template uses and Firefly does not support.
  init(_ source: OwnTemplate, _ tokenizer: any Tokenizer) throws {
    self.source = source
    template = try JinjaTemplate(source.chat)
    toolTemplate = try source.tools.map { try JinjaTemplate($0, place: "chat_template \"tool_use\"") }
    shape = callShape(tokenizer)
    let turns = [Turn(human: "Question", assistant: "Answer"), Turn(human: "Another", assistant: "Reply")]
    // A template whose answers cannot be found still serves chat; the first training row tells what is wrong.
    stopID = (try? written(Conversation(turns: turns), tokenizer))?.stopID
    describesTools = writesTools(tokenizer)
    toolSyntax = syntaxOfCalls(tokenizer)
    reasoningMarks = marksOfReasoning(tokenizer)
  }

  static func == (first: JinjaFormat, second: JinjaFormat) -> Bool {
    first.source == second.source && first.stopID == second.stopID && first.variables == second.variables
  }

  /// What a template may do, however short the conversation, and for each message: published ones need a tenth of it.
  private static let (steps, stepsPerMessage) = (1_000_000, 2_000)

  /// - Parameters:
  ///   - forAnswer: whether the assistant's next answer is to follow.
  ///   - marksEnd: whether `Origin.endMark` is put behind the last message's text.
  func rendered(
    _ messages: some Collection<Message>, tools: [OrderedJSON]?, forAnswer: Bool, marksEnd: Bool = false,
    now: Date, _ tokenizer: any Tokenizer
  ) throws -> JinjaRendering {
    let described = tools.map { JinjaValue(.array($0), source: Origin.tools) }
    let inMessage = shape == .metadata && reads("tools")
    let list = TemplateMessages(shape: shape, markedEnd: marksEnd ? messages.count - 1 : nil)
      .value(messages, tools: inMessage ? described : nil)
    var values: [(String, JinjaValue)] = []
    for (name, id) in [
      ("bos_token", tokenizer.bos), ("eos_token", tokenizer.eos), ("pad_token", tokenizer.pad),
      ("unk_token", tokenizer.unk),
    ] {
      if let text = id.flatMap(tokenizer.token(of:)) { values.append((name, .text(text))) }
    }
    values += variables.entries.map { ($0.key, JinjaValue($0.value)) }
    values += [
      ("messages", list), ("tools", described ?? .null), ("documents", .null),
      ("add_generation_prompt", .bool(forAnswer)),
    ]
    var limits = JinjaLimits()
    limits.steps = JinjaFormat.steps + JinjaFormat.stepsPerMessage * messages.count
    return try (tools == nil ? template : toolTemplate ?? template).render(values, now: now, limits: limits)
  }

  func reads(_ member: String) -> Bool { source.names(member) }

  /// Tried with one call, beside an empty text and beside none, where templates may differ: some can only join a text to the
  /// arguments.
  private func callShape(_ tokenizer: any Tokenizer) -> CallShape {
    guard reads("tool_calls") else { return reads("metadata") ? .metadata : .object }
    func count(_ shape: CallShape) -> Int {
      [Message.ContentForm.text, .null].count { takesCalls(shape, beside: $0, tokenizer) }
    }
    return count(.text) > count(.object) ? .text : .object
  }

  /// Whether the template can write a call of a shape.
  private func takesCalls(
    _ shape: CallShape, beside content: Message.ContentForm, _ tokenizer: any Tokenizer
  ) -> Bool {
    let call = ToolCall(id: "call00000", name: "probe", arguments: .object(["a": .string("b")]))
    let messages = [
      Message(role: "user", content: "Question"),
      Message(
        role: "assistant", content: "", contentForm: content,
        members: ["tool_calls": .array([call.openAI])]),
      Message(role: "tool", content: "c", members: ["tool_call_id": .string("call00000")]),
    ]
    var format = self
    format.shape = shape
    let text = try? format.rendered(
      messages, tools: nil, forAnswer: false, now: JinjaFormat.rowDate, tokenizer)
    return text != nil
  }
}

extension JinjaFormat: ConversationFormat {
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow {
    let written = try written(conversation, tokenizer)
    let (tokens, answers) = try JinjaFormat.tokens(of: written.text, written.answers, tokenizer)
    return TemplateRow(tokens: tokens, answers: answers, lost: written.lost)
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
      rejected: Array(rows[1].tokens[start..<ends[1].upperBound]), lost: rows[0].lost.union(rows[1].lost))
  }

  func prompt(_ history: TemplateHistory, _ tokenizer: any Tokenizer) throws -> TemplatePrompt {
    let messages = (history.system.map { [Message(role: "system", content: $0)] } ?? []) + history.messages
    var text = try rendered(
      messages, tools: history.tools, forAnswer: !history.continuesAnswer,
      marksEnd: history.continuesAnswer, now: Date(), tokenizer
    ).text
    let lost = Traces(text, count: messages.count).lost(of: messages, tools: history.tools)
    if history.continuesAnswer, let last = messages.last { text = try text.begun(last.content) }
    return TemplatePrompt(tokens: try tokenizer.encode(text.text, parseSpecial: true), lost: lost)
  }

  /// The template itself decides what a conversation may look like.
  func check(_ history: TemplateHistory) {}

  /// A call ends the answer, too, where one has an end of its own.
  func stopIDs(_ tokenizer: any Tokenizer) -> [Int32] {
    let ofCalls = source.writesChannels ? tokenizer.id(of: ChannelReader.callEnd) : nil
    return [stopID, ofCalls].compactMap(\.self)
  }

  func stopWarning(_ tokenizer: any Tokenizer) -> String? {
    guard stopID == nil else { return nil }
    return
      "the model's own chat template writes no token that ends an answer: a model trained with it does not learn "
      + "to stop. Choose a template by name (\"default\" fits any base model)."
  }
}

extension MarkedText {
  /// The text up to where the last answer's ends, as transformers' `continue_final_message` cuts it: what a template trims at
  /// the end of an answer is left out.
  ///
  /// - Throws: `FireflyError` when the answer's text is not there as it is.
  fileprivate func begun(_ answer: String) throws -> MarkedText {
    let wanted = MarkedText(answer.strippedAsPython)
    guard let end = marks.last(where: { $0.source == Origin.end })?.range,
      wanted.text.isEmpty || !ranges(of: wanted, limit: 1).isEmpty
    else {
      throw FireflyError(
        "the last answer cannot be gone on with: the chat template does not write its text as it is",
        fix: "Leave it out, or send the text without its reasoning.")
    }
    let begun = slice(0..<end.lowerBound)
    // The space behind the mark tells whether ends are trimmed; as for transformers, one of the template's own will do.
    let rest = text.utf8.dropFirst(end.lowerBound)
    return rest.starts(with: Origin.endMark.utf8)
      ? begun : begun.slice(0..<begun.text.strippedAtEnd.utf8.count)
  }
}
