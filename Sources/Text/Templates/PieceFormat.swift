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
  /// What stands in the system part's place where none is written.
  package var bareHead: String?
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
    defaultSystem: String? = nil, bareHead: String? = nil, stopWord: String? = nil,
    layout: Layout = .formatted
  ) {
    self.name = name
    self.systemFormat = systemFormat
    self.userFormat = userFormat
    self.assistantFormat = assistantFormat
    self.defaultSystem = defaultSystem
    self.bareHead = bareHead
    self.stopWord = stopWord
    self.layout = layout
  }

  /// The stop word's token; nil where there is none, and where the tokenizer's end of sequence ends an answer.
  func endID(_ tokenizer: any Tokenizer) -> Int32? {
    endsWithID ? nil : stopWord.flatMap(tokenizer.id(of:))
  }

  private var endsWithID: Bool { layout != .formatted }
  private var prefix: [String] { layout == .chatGLM2 || layout == .chatGLM3 ? ["[gMASK]", "sop"] : [] }
}

// MARK: - Pieces

extension PieceFormat {
  /// What stands before the first turn: begin-of-sequence token or system part, possibly nothing.
  ///
  /// - Parameter system: the conversation's own system text; nil takes the template's.
  private func head(system: String?, tools: [OrderedJSON]?, _ tokenizer: any Tokenizer) throws -> [Int32] {
    let start = try prefix.map { try role($0, tokenizer) }
    if layout == .piecewise {
      guard let id = tokenizer.bos else {
        throw missingToken("a begin-of-sequence token", "bos", template: name)
      }
      return [id]
    }
    guard let systemFormat else { return start }
    let own = system?.strippedAsPython
    let described = layout == .chatGLM3 ? tools.flatMap(ChatGLM3Tools.systemText) : nil
    // The tools' description takes the place of the template's own system text.
    let texts = [described, own ?? (described == nil ? defaultSystem : nil)].compactMap { $0 }
    if texts.isEmpty, let bareHead { return try tokens(bareHead, "", tokenizer) }
    let label = layout == .chatGLM3 ? [try role("<|system|>", tokenizer)] : []
    return try start + texts.flatMap { try label + tokens(systemFormat, $0, tokenizer) }
  }

  /// The user's part of a turn, without the role token of the assistant; never a target.
  ///
  /// - Parameter turn: counted from 1.
  private func user(_ text: String, turn: Int, _ tokenizer: any Tokenizer) throws -> [Int32] {
    switch layout {
    case .piecewise: try tokens(userFormat, text, tokenizer) + [try end(tokenizer)]
    case .formatted, .chatGLM2: try tokens(userFormat, text.strippedAsPython, turn: turn, tokenizer)
    case .chatGLM3:
      [try role("<|user|>", tokenizer)] + (try tokens(userFormat, text.strippedAsPython, tokenizer))
    }
  }

  /// The token that gives the assistant the word, where it is none of the user's text.
  private func handover(_ tokenizer: any Tokenizer) throws -> [Int32] {
    layout == .chatGLM3 ? [try role("<|assistant|>", tokenizer)] : []
  }

  /// The assistant's part of a turn with what ends it; every token is a target.
  private func assistant(_ message: Message, _ tokenizer: any Tokenizer) throws -> [Int32] {
    guard message.toolCalls.isEmpty else { return try calls(message, tokenizer) }
    return try answer(layout == .piecewise ? message.content : message.content.strippedAsPython, tokenizer)
  }

  /// Each call ends as an answer does; the next one has the assistant's token before it.
  private func calls(_ message: Message, _ tokenizer: any Tokenizer) throws -> [Int32] {
    let text = message.content.strippedAsPython
    var parts = text.isEmpty ? [] : [try answer(text, tokenizer)]
    for call in message.toolCalls {
      parts.append(
        try tokenizer.encode(call.name + "\n", parseSpecial: false)
          + answer(ChatGLM3Tools.text(of: call), tokenizer))
    }
    return Array(parts.joined(separator: try handover(tokenizer)))
  }

  /// An answer up to where it is to go on: with nothing of what follows its text.
  private func begun(_ message: Message, _ tokenizer: any Tokenizer) throws -> [Int32] {
    let text = layout == .piecewise ? message.content : message.content.strippedAtStart
    let end = assistantFormat.firstRange(of: "{content}")?.upperBound ?? assistantFormat.endIndex
    return try tokens(String(assistantFormat[..<end]), text, tokenizer)
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
        throw missingToken("an end-of-sequence token", "eos", template: name)
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
    guard let id = tokenizer.eos else {
      throw missingToken("an end-of-sequence token", "eos", template: name)
    }
    return id
  }
}

extension PieceFormat: ConversationFormat {
  func row(_ conversation: Conversation, _ tokenizer: any Tokenizer) throws -> TemplateRow {
    var row = TemplateRow(
      tokens: try head(system: conversation.system, tools: conversation.tools, tokenizer), answers: [],
      lost: lost(of: conversation))
    guard !row.lost.contains(.toolMessages) else { return row }
    var turn = 0
    for message in conversation.messages {
      guard message.role == "assistant" else {
        row.tokens += try spoken(message, &turn, tokenizer)
        continue
      }
      row.tokens += try handover(tokenizer)
      let start = row.tokens.count
      row.tokens += try assistant(message, tokenizer)
      row.answers.append(start..<(message.isLearnt ? row.tokens.count : start))
    }
    return row
  }

  /// What the user or a tool says.
  private func spoken(_ message: Message, _ turn: inout Int, _ tokenizer: any Tokenizer) throws -> [Int32] {
    if message.role == "tool" {
      return [try role("<|observation|>", tokenizer)]
        + (try tokens("{content}", message.content.strippedAsPython, tokenizer))
    }
    turn += 1
    return try user(message.content, turn: turn, tokenizer)
  }

  func lost(of conversation: Conversation) -> Set<LostPart> {
    var lost: Set<LostPart> = loses(conversation.system) ? [.system] : []
    if layout != .chatGLM3 && conversation.tools?.isEmpty == false { lost.insert(.tools) }
    if layout != .chatGLM3 && conversation.hasToolMessages { lost.insert(.toolMessages) }
    if conversation.messages.contains(where: { $0.reasoning?.isEmpty == false }) {
      lost.insert(.reasoning)
    }
    if conversation.messages.contains(where: \.hasName) { lost.insert(.name) }
    return lost
  }

  private func loses(_ system: String?) -> Bool {
    system?.isEmpty == false && systemFormat?.contains("{content}") != true
  }

  /// As the original: the answers' texts are not stripped.
  func pair(_ preference: Preference, _ tokenizer: any Tokenizer) throws -> TemplatePair {
    let history = TemplateHistory(
      system: preference.system, messages: preference.messages[...], tools: preference.tools)
    return TemplatePair(
      prompt: try prompt(history, tokenizer).tokens,
      chosen: try answer(preference.chosen.content, tokenizer),
      rejected: try answer(preference.rejected.content, tokenizer),
      lost: lost(of: preference.conversation(answer: preference.chosen))
        .union(lost(of: preference.conversation(answer: preference.rejected))))
  }

  func prompt(_ history: TemplateHistory, _ tokenizer: any Tokenizer) throws -> TemplatePrompt {
    let messages = history.continuesAnswer ? history.messages.dropLast() : history.messages
    var tokens = try head(system: history.system, tools: history.tools, tokenizer)
    var turn = 0
    for message in messages {
      tokens +=
        message.role == "assistant"
        ? try handover(tokenizer) + assistant(message, tokenizer) : try spoken(message, &turn, tokenizer)
    }
    tokens += try handover(tokenizer)
    if history.continuesAnswer, let last = history.messages.last { tokens += try begun(last, tokenizer) }
    let whole = Conversation(
      system: history.system, messages: Array(history.messages), tools: history.tools)
    return TemplatePrompt(tokens: tokens, lost: lost(of: whole))
  }

  func reads(_ member: String) -> Bool { false }

  func check(_ history: TemplateHistory) throws {
    let messages = history.continuesAnswer ? history.messages.dropLast() : history.messages
    guard layout != .chatGLM3 else { return try checkTurns(messages, after: ["user", "tool"]) }
    let hasCalls = messages.contains { $0.role == "tool" || !$0.toolCalls.isEmpty }
    guard history.tools?.isEmpty ?? true, !hasCalls else {
      throw FireflyError(
        "template \"\(name)\" has no place for tools", fix: "Use the model's own template, \"auto\".")
    }
    try checkTurns(messages, after: ["user"])
  }

  /// The user begins and the assistant answers, in turn; with tools, these may speak before an answer too.
  private func checkTurns(_ messages: ArraySlice<Message>, after askers: Set<String>) throws {
    var isAnswered = true
    for (place, message) in zip(messages.indices, messages) {
      let isTool = message.role == "tool" && place > messages.startIndex && askers.contains("tool")
      let expected = isAnswered ? "user" : "assistant"
      guard message.role == expected || isTool else {
        // Counted with the system message, which the slice begins behind.
        throw FireflyError(
          "messages must be the user's and the assistant's in turn", at: "message \(place + 1)",
          expected: "role \"\(expected)\"", found: "role \"\(message.role)\"")
      }
      isAnswered = message.role == "assistant"
    }
    guard !isAnswered else {
      throw FireflyError(
        "there is no message to answer", expected: "a message with role \"user\" before the answer")
    }
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
