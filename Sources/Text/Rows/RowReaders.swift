import FireflyBase
import Foundation

/// A row after tokenisation, for the report.
struct ReadRow: Sendable {
  var line: Int
  var format: String
  /// One of a conversation, two of a preference pair, the chosen answer's first; none when the row is dropped.
  var samples: [Sample] = []
  var dropReason: DropReason?
  /// Tokens before truncation, of a pair's longer one; 0 for a row that was not tokenised.
  var fullLength = 0
  var cutsAnswer = false
  /// What of the row the template leaves out.
  var lost: Set<LostPart> = []
  /// Keys of the row or its messages that nothing looks at.
  var unusedKeys: [String] = []

  /// The row as it is counted behind so many lines of other files.
  func behind(_ lines: Int) -> ReadRow {
    var row = self
    row.line += lines
    for index in row.samples.indices { row.samples[index].line += lines }
    return row
  }
}

/// Turns lines into samples; a value that several threads share.
struct ConversationReader: Sendable {
  let lines: DatasetLines
  let template: ChatTemplate
  let tokenizer: any Tokenizer
  let maxLength: Int
  let learnt: LearntParts
  let stopIDs: [Int32]

  @Sendable func read(_ line: DatasetLine) throws -> ReadRow {
    let row = Row(try lines.object(line), place: lines.place(line), line: line.number)
    let format = try RowFormat.of(row)
    switch try format.read(row) {
    case .unusable(let reason):
      return ReadRow(line: line.number, format: format.name, dropReason: reason)
    case .text:
      throw FireflyError(
        "the row is a plain text, not a conversation", at: row.place,
        fix: "Plain texts are trained on with \"task_type\": \"pretrain\".")
    case .preference:
      throw FireflyError(
        "the row is a preference pair (\"chosen\" and \"rejected\"), which is for DPO", at: row.place,
        expected: "a conversation", fix: "Pairs are trained on with \"task_type\": \"dpo\".")
    case .conversation(let conversation):
      var read = ReadRow(line: line.number, format: format.name)
      let template = try located(row.place) { try self.template.with(variablesOf: row) }
      read.unusedKeys = try format.unusedKeys(of: row, template, [conversation])
      try located(row.place) { try render(conversation, template, into: &read) }
      return read
    }
  }

  private func render(
    _ conversation: Conversation, _ template: ChatTemplate, into read: inout ReadRow
  ) throws {
    try refuseMasks(conversation)
    let rendering = try template.render(
      conversation, tokenizer, maxLength: maxLength, learnt: learnt, stopIDs: stopIDs)
    if rendering.lost.contains(.toolMessages) {
      read.dropReason = .noPlaceForTools
      return
    }
    read.fullLength = rendering.fullLength
    read.cutsAnswer = rendering.cutsAnswer
    read.lost = rendering.lost
    if rendering.sample.targetCount > 0 {
      read.samples = [rendering.sample]
    } else {
      let answers = conversation.messages.filter { $0.role == "assistant" }
      read.dropReason = answers.contains(where: \.isLearnt) ? .noTarget : .nothingLearnt
    }
  }
}

extension ConversationReader {
  /// Everything and not this answer cannot both be learnt.
  private func refuseMasks(_ conversation: Conversation) throws {
    guard learnt == .everything,
      conversation.messages.contains(where: { $0.role == "assistant" && !$0.isLearnt })
    else { return }
    throw FireflyError(
      "an answer is marked as not to be learnt, and \"train_on_prompt\" is true",
      fix: "Remove the mark, or \"train_on_prompt\".")
  }
}

extension ChatTemplate {
  /// The column that sets variables of a model's own template for one row, before what the run sets; TRL's and smoltalk's.
  private static let variablesColumn = "chat_template_kwargs"

  fileprivate var takesVariables: Bool { if case .jinja = format { true } else { false } }

  func with(variablesOf row: Row) throws -> ChatTemplate {
    guard takesVariables, let own = row[ChatTemplate.variablesColumn]?.object else { return self }
    var all = variables
    for entry in own.entries { all[entry.key] = entry.value }
    return try with(variables: all)
  }

  fileprivate func reads(column: String, of row: Row) -> Bool {
    takesVariables && column == ChatTemplate.variablesColumn && row[column]?.object != nil
  }
}

extension RowFormat {
  /// The keys of the row and of its messages that nothing looks at.
  func unusedKeys(
    of row: Row, _ template: ChatTemplate, _ conversations: [Conversation]
  ) throws -> [String] {
    let extra = conversations.reduce(into: Set<String>()) { $0.formUnion(RowKeys.unused(of: $1, template)) }
    return try unusedKeys(of: row).filter { !template.reads(column: $0, of: row) }
      + extra.sorted().map { "message." + $0 }
  }
}

/// A plain text after tokenisation.
struct ReadText: Sendable {
  var line: Int
  var tokens: [Int32]
}

/// Turns lines into tokens of plain texts, with the tokenizer's begin-of-sequence token in front where it adds one.
struct TextReader: Sendable {
  let lines: DatasetLines
  let tokenizer: any Tokenizer

  @Sendable func read(_ line: DatasetLine) throws -> ReadText {
    let row = Row(try lines.object(line), place: lines.place(line), line: line.number)
    // Other columns do not matter here: Alpaca's, for example, beside the whole text.
    guard row["text"] != nil else {
      throw FireflyError(
        "the row is no plain text (its shape is \"\(try RowFormat.of(row).name)\")", at: row.place,
        expected: "{\"text\": …}",
        fix: "Conversations are trained on with \"task_type\": \"sft\".")
    }
    let text = try row.text("text")
    return ReadText(
      line: line.number, tokens: try located(row.place) { try tokenizer.textTokens(text) })
  }

  static func wholeFile(_ path: String, _ tokenizer: any Tokenizer) throws -> ReadText {
    let text = try DataContent.text(path)
    return ReadText(line: 1, tokens: try located(path) { try tokenizer.textTokens(text) })
  }
}

/// Adds the row's place to an error of the tokenizer or the template, which do not know it.
func located<Value>(_ place: String, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch var error as FireflyError {
    error.place = error.place.map { "\(place): \($0)" } ?? place
    throw error
  }
}
