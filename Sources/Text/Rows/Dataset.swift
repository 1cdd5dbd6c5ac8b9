import FireflyBase
import Foundation

/// The training rows of a file, in the file's order, and what happened to the others.
public struct Dataset: Sendable {
  public let samples: Samples
  public let report: DatasetReport

  /// Reads rows and tokenises them on all cores; the result does not depend on their number, nor on the cache.
  ///
  /// - Parameters:
  ///   - path: a .jsonl file or a .json list of rows in one of the shapes of `RowFormat`; for plain texts also a .txt file,
  ///     which is one text, or a folder of such files.
  ///   - template: how a conversation is written; nil for plain texts, of which every token is a target and which are packed
  ///     into blocks of `maxLength` (`TextPacker`).
  ///   - maxLength: tokens kept of a row (`max_seq_length`); rows that keep no target are dropped and counted.
  ///   - maxPromptLength: makes the rows preference pairs, which become two samples each, the chosen answer's first, and
  ///     says how many tokens a prompt keeps at least (`max_prompt_length`); nil for conversations and texts.
  ///   - cache: where the tokenised rows are kept; nil for a temporary file.
  ///   - progress: is told the share done, 0…1, now and then, on the calling thread.
  /// - Throws: `FireflyError` with file and line for the first row that cannot be read, and when no row is left.
  public static func load(
    _ path: String, template: ChatTemplate?, tokenizer: any Tokenizer, maxLength: Int,
    maxPromptLength: Int? = nil, cache: DataCache? = nil,
    progress: ((Double) -> Void)? = nil
  ) throws -> Dataset {
    guard maxLength >= 2 else {
      throw FireflyError(
        "max_seq_length leaves nothing to predict", at: "max_seq_length", expected: "at least 2",
        found: "\(maxLength)")
    }
    let source = try DataSource(path, allowsFolder: template == nil)
    let builder = DatasetBuilder(
      source: source, template: template, tokenizer: tokenizer, maxLength: maxLength,
      maxPromptLength: maxPromptLength, progress: progress)
    guard let cache, try source.byteCount() >= cache.smallestBytes else {
      return try builder.inTemporaryFile()
    }
    let key = try DataKey(
      source, template: template, tokenizer: tokenizer, maxLength: maxLength,
      maxPromptLength: maxPromptLength,
      tokenizerPath: cache.tokenizerPath)
    if let file = cache.stored(key) {
      let report = try DatasetReport(stored: file.report(), path: path)
      return Dataset(samples: Samples(file: file), report: report)
    }
    return try builder.build(key: key.digest, at: cache.path(for: key)) { cache.removeOld(key) }
  }
}

/// Reads, tokenises and writes the rows of one data set.
struct DatasetBuilder {
  let source: DataSource
  let template: ChatTemplate?
  let tokenizer: any Tokenizer
  let maxLength: Int
  let maxPromptLength: Int?
  let progress: ((Double) -> Void)?

  /// Rows in flight between two progress reports.
  private static let blockSize = 4096

  /// Rows that no later run asks for: their file has no name once it is mapped.
  func inTemporaryFile() throws -> Dataset {
    let path = FileManager.default.temporaryDirectory.appending(path: "firefly-\(UUID().uuidString).rows")
      .path
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try build(key: ContentHash.Digest(0, 0), at: path)
  }

  func build(key: ContentHash.Digest, at path: String, _ finished: () -> Void = {}) throws -> Dataset {
    var report = DatasetReport(path: source.path, maxLength: maxLength)
    if let warning = template?.stopWarning(tokenizer) { report.warnings.append(warning) }
    try makeFolder(of: path)
    AbandonedRows.remove(in: path.parentFolder)
    try AtomicFile.write(to: path) { file in
      let writer = SampleFileWriter(file)
      var lengths: [Int] = []
      for (index, file) in source.files.enumerated() {
        try read(file, into: &report, share: index) { sample in
          lengths.append(sample.tokens.count)
          try writer.add(sample)
        }
      }
      report.finish(lengths: lengths)
      guard !lengths.isEmpty else { throw report.nothingLeft }
      try writer.finish(key: key, report: report.json)
    }
    finished()
    return Dataset(samples: Samples(file: try SampleFile(path, key: key)), report: report)
  }

  private func makeFolder(of path: String) throws {
    do {
      try AtomicFile.makeFolder(path.parentFolder)
    } catch var error as FireflyError {
      error.fix = "Choose another folder with the key data_cache, or none with \"data_cache\": \"off\"."
      throw error
    }
  }

  // MARK: - One file

  private func read(
    _ path: String, into report: inout DatasetReport, share index: Int, _ emit: (Sample) throws -> Void
  ) throws {
    if let template {
      guard !path.hasSuffix(".txt") else {
        throw FireflyError(
          "the file is a plain text and holds no conversations", at: path, expected: "rows, .jsonl or .json",
          fix: "Plain texts are trained on with \"task_type\": \"pretrain\".")
      }
      let stopIDs = try template.stopIDs(tokenizer)
      let lines = try DatasetLines(path)
      report.blankLines += lines.blankCount
      return try walk(lines, share: index, reader(lines, template, stopIDs)) { row in
        report.count(row)
        try row.samples.forEach(emit)
      }
    }
    var packer = TextPacker(maxLength: maxLength)
    if path.hasSuffix(".txt") {
      let text = try TextReader.wholeFile(path, tokenizer)
      report.count(text, dropped: try packer.add(text.tokens, line: 1) { try keep($0, &report, emit) })
    } else {
      let lines = try DatasetLines(path)
      report.blankLines += lines.blankCount
      try walk(lines, share: index, TextReader(lines: lines, tokenizer: tokenizer).read) { text in
        report.count(
          text, dropped: try packer.add(text.tokens, line: text.line) { try keep($0, &report, emit) })
      }
    }
    report.leftOver += try packer.finishGroup { try keep($0, &report, emit) }
    progress?(Double(index + 1) / Double(source.files.count))
  }

  private func reader(
    _ lines: DatasetLines, _ template: ChatTemplate, _ stopIDs: [Int32]
  ) -> @Sendable (DatasetLine) throws -> ReadRow {
    guard let maxPromptLength else {
      return ConversationReader(
        lines: lines, template: template, tokenizer: tokenizer, maxLength: maxLength, stopIDs: stopIDs
      ).read
    }
    return PairReader(
      lines: lines, template: template, tokenizer: tokenizer,
      limits: PairLimits(length: maxLength, promptLength: maxPromptLength), stopIDs: stopIDs
    ).read
  }

  /// A block of texts; one of a single token has nothing to predict.
  private func keep(_ block: Sample, _ report: inout DatasetReport, _ emit: (Sample) throws -> Void) throws {
    guard block.targetCount > 0 else {
      report.leftOver += block.tokens.count
      return
    }
    report.count(block)
    try emit(block)
  }

  /// Reads every line on one of the pool's threads, and takes the results in order; what was read leaves memory.
  private func walk<Row>(
    _ lines: DatasetLines, share index: Int, _ read: @Sendable (DatasetLine) throws -> Row,
    _ take: (Row) throws -> Void
  ) throws {
    for start in stride(from: 0, to: lines.lines.count, by: DatasetBuilder.blockSize) {
      let block = lines.lines[start..<min(start + DatasetBuilder.blockSize, lines.lines.count)]
      for result in DatasetBuilder.inParallel(block, read) { try take(try result.get()) }
      lines.release(block)
      let done = Double(block.endIndex) / Double(lines.lines.count)
      progress?((Double(index) + done) / Double(source.files.count))
    }
  }

  private static func inParallel<Row>(
    _ lines: ArraySlice<DatasetLine>, _ read: @Sendable (DatasetLine) throws -> Row
  ) -> [Result<Row, any Error>] {
    [Result<Row, any Error>](unsafeUninitializedCapacity: lines.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      let stripe = 64
      Parallel.run((lines.count + stripe - 1) / stripe) { task in
        for offset in task * stripe..<min((task + 1) * stripe, lines.count) {
          let line = lines[lines.startIndex + offset]
          (results.baseAddress.unsafelyUnwrapped + offset).initialize(to: Result { try read(line) })
        }
      }
      count = lines.count
    }
  }
}
