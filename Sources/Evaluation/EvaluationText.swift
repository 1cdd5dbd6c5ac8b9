import FireflyBase
import FireflyText
import Foundation

/// A file made ready for measuring: conversations, whose answers are the targets, or plain text, of which every token
/// is one.
public struct EvaluationText: Sendable {
  public enum Kind: String, Sendable {
    /// JSONL rows as in training.
    case conversations
    /// A `.txt` file, one document; or JSONL rows `{"text": …}`, each a document.
    case text
  }

  public let path: String
  public let kind: Kind
  /// Rows, or windows of documents, in the file's order.
  public let samples: [Sample]
  /// A name for each sample: the line, and for a document's further windows their number: `12`, `12+1`, `12+2`.
  public let names: [String]
  /// UTF-8 bytes of the documents; nil for conversations.
  public let bytes: Int?
  /// What was dropped or cut, a line each.
  public let notes: [String]
}

extension EvaluationText {
  /// The text cut to its first `count` rows or windows; bytes are not known then.
  public func first(_ count: Int) -> EvaluationText {
    guard count < samples.count else { return self }
    return EvaluationText(
      path: path, kind: kind, samples: Array(samples.prefix(count)), names: Array(names.prefix(count)),
      bytes: nil, notes: notes + ["only the first \(count) of them are measured"])
  }

  /// Which kind a file is: by its name, or by its first row's keys.
  ///
  /// - Throws: `FireflyError` when the file cannot be read, is empty, or its first row is not an object.
  public static func kind(of path: String) throws -> Kind {
    if DataContent.isOneText(path) { return .text }
    let file = try DatasetLines(path)
    let row = try file.object(file.lines[0])
    let ofConversations = ["conversation", "conversations", "messages", "instruction", "input"]
    return row["text"] != nil && !ofConversations.contains { row[$0] != nil } ? .text : .conversations
  }

  /// Conversations through a template; rows are cut to `maxLength` tokens, and rows without a target are left out.
  public static func conversations(
    _ path: String, template: ChatTemplate, tokenizer: any Tokenizer, maxLength: Int,
    progress: ((Double) -> Void)? = nil
  ) throws -> EvaluationText {
    let dataset = try Dataset.load(
      path, template: template, tokenizer: tokenizer, maxLength: maxLength, progress: progress)
    return EvaluationText(
      path: path, kind: .conversations, samples: Array(dataset.samples),
      names: dataset.samples.map { "\($0.line)" }, bytes: nil, notes: dataset.report.summary)
  }

  /// Plain text in windows. The begin-of-sequence token goes before each document where the model expects it;
  /// without one the first token of a document is context only.
  ///
  /// - Throws: `FireflyError` with file and line for a row without a text, text that is not UTF-8, and a file in
  ///   which nothing can be predicted.
  public static func text(
    _ path: String, tokenizer: any Tokenizer, windows: TextWindows, progress: ((Double) -> Void)? = nil
  ) throws -> EvaluationText {
    let documents = try documents(path)
    let start = tokenizer.textStart
    var samples: [Sample] = []
    var names: [String] = []
    var tooShort = 0
    for (index, document) in documents.enumerated() {
      let tokens = try start + encode(document, tokenizer, path)
      let cut = windows.samples(tokens, line: document.line)
      if cut.isEmpty { tooShort += 1 }
      names += cut.indices.map { $0 == 0 ? "\(document.line)" : "\(document.line)+\($0)" }
      samples += cut
      progress?(Double(index + 1) / Double(documents.count))
    }
    guard !samples.isEmpty else {
      throw FireflyError("the file has no text to predict", at: path, expected: "at least two tokens")
    }
    let count = documents.count == 1 ? "1 document" : "\(documents.count) documents"
    let targets = samples.reduce(0) { $0 + $1.targetCount }
    let notes = ["\(count), \(samples.count) windows of at most \(windows.length) tokens, \(targets) targets"]
    return EvaluationText(
      path: path, kind: .text, samples: samples, names: names,
      bytes: documents.reduce(0) { $0 + $1.text.utf8.count },
      notes: notes + (tooShort > 0 ? ["documents without anything to predict: \(tooShort)"] : []))
  }

  /// An error of the tokenizer gets the document's place, which it does not know.
  private static func encode(
    _ document: (text: String, line: Int), _ tokenizer: any Tokenizer, _ path: String
  ) throws -> [Int32] {
    do {
      return try tokenizer.encode(document.text, parseSpecial: false)
    } catch var error as FireflyError {
      error.place = "\(path):\(document.line)" + (error.place.map { ": \($0)" } ?? "")
      throw error
    }
  }

  private static func documents(_ path: String) throws -> [(text: String, line: Int)] {
    guard DataContent.isOneText(path) else { return try rows(path) }
    return [(try DataContent.text(path), 1)]
  }

  private static func rows(_ path: String) throws -> [(text: String, line: Int)] {
    let file = try DatasetLines(path)
    return try file.lines.map { line in
      let row = try file.object(line)
      guard let text = row["text"]?.string else {
        throw FireflyError(
          "the row has no text", at: file.place(line), expected: "{\"text\": \"…\"}",
          found: row["text"]?.kind ?? row.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", "))
      }
      return (text, line.number)
    }
  }
}
