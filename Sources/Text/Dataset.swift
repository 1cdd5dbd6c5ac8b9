import Dispatch
import FireflyBase

/// The training rows of a file, in the file's order, and what happened to the others.
public struct Dataset: Sendable {
  public let samples: [Sample]
  public let report: DatasetReport

  /// Reads a JSONL file of conversations, one row at a time, and tokenises it on all cores; the result
  /// does not depend on their number.
  ///
  /// - Parameters:
  ///   - maxLength: tokens kept of a row (`max_seq_length`); rows that keep no target are dropped and counted.
  ///   - progress: is told the share done, 0…1, now and then, on the calling thread.
  /// - Throws: `FireflyError` with file and line for the first row that cannot be read, and when no row is left.
  public static func load(
    _ path: String, template: ChatTemplate, tokenizer: any Tokenizer, maxLength: Int,
    progress: ((Double) -> Void)? = nil
  ) throws -> Dataset {
    guard maxLength >= 2 else {
      throw FireflyError(
        "max_seq_length leaves nothing to predict", at: "max_seq_length", expected: "at least 2",
        found: "\(maxLength)")
    }
    let file = try DatasetLines(path)
    let reader = RowReader(
      file: file, template: template, tokenizer: tokenizer, maxLength: maxLength,
      stopIDs: try template.stopIDs(tokenizer))
    var samples: [Sample] = []
    var report = DatasetReport(path: path, maxLength: maxLength)
    report.blankLines = file.blankCount
    if let warning = template.stopWarning(tokenizer) { report.warnings.append(warning) }
    for start in stride(from: 0, to: file.lines.count, by: blockSize) {
      let end = min(start + blockSize, file.lines.count)
      for result in reader.read(start..<end) {
        let row = try result.get()
        report.count(row)
        if let sample = row.sample { samples.append(sample) }
      }
      progress?(Double(end) / Double(file.lines.count))
    }
    report.finish(lengths: samples.map(\.tokens.count))
    guard !samples.isEmpty else { throw report.nothingLeft }
    return Dataset(samples: samples, report: report)
  }

  /// Rows in flight between two progress reports.
  private static let blockSize = 4096
}

/// A row after tokenisation, for the report.
struct ReadRow: Sendable {
  var line: Int
  var format: String
  /// nil when the row is dropped.
  var sample: Sample?
  var dropReason: DropReason?
  /// Tokens before truncation; 0 for a row that was not tokenised.
  var fullLength = 0
  var cutsAnswer = false
  /// The row has a system text that the template has no place for.
  var losesSystem = false
}

/// Turns lines into samples; a value that several threads share.
private struct RowReader: Sendable {
  let file: DatasetLines
  let template: ChatTemplate
  let tokenizer: any Tokenizer
  let maxLength: Int
  let stopIDs: [Int32]

  /// The rows of `lines` in order, each read by one of the machine's cores.
  func read(_ lines: Range<Int>) -> [Result<ReadRow, any Error>] {
    [Result<ReadRow, any Error>](unsafeUninitializedCapacity: lines.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      let stripe = 64
      DispatchQueue.concurrentPerform(iterations: (lines.count + stripe - 1) / stripe) { task in
        for offset in task * stripe..<min((task + 1) * stripe, lines.count) {
          let line = file.lines[lines.lowerBound + offset]
          (results.baseAddress.unsafelyUnwrapped + offset).initialize(to: Result { try read(line) })
        }
      }
      count = lines.count
    }
  }

  private func read(_ line: DatasetLines.Line) throws -> ReadRow {
    let row = Row(try file.object(line), place: file.place(line), line: line.number)
    let format = try RowFormat.of(row)
    switch try format.read(row) {
    case .unusable(let reason):
      return ReadRow(line: line.number, format: format.name, dropReason: reason)
    case .conversation(let conversation):
      let rendering = try located(row.place) {
        try template.render(conversation, tokenizer, maxLength: maxLength, stopIDs: stopIDs)
      }
      let isKept = rendering.sample.targetCount > 0
      return ReadRow(
        line: line.number, format: format.name, sample: isKept ? rendering.sample : nil,
        dropReason: isKept ? nil : .noTarget, fullLength: rendering.fullLength,
        cutsAnswer: rendering.cutsAnswer,
        losesSystem: rendering.losesSystem)
    }
  }

  /// Adds the row's place to an error of the tokenizer, which does not know it.
  private func located<Value>(_ place: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch var error as FireflyError {
      error.place = error.place.map { "\(place): \($0)" } ?? place
      throw error
    }
  }
}
