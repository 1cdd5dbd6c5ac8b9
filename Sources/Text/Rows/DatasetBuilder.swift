import FireflyBase
import Foundation

/// Reads, tokenises and writes the rows of one data set.
struct DatasetBuilder {
  let selection: DataSelection
  /// Of each file of the selection.
  let sources: [DataSource]
  let template: ChatTemplate?
  let learnt: LearntParts
  let tokenizer: any Tokenizer
  let maxLength: Int
  let maxPromptLength: Int?
  let progress: ((Double) -> Void)?

  /// Rows in flight between two progress reports.
  private static let blockSize = 4096

  /// Rows that no later run asks for: their file has no name.
  func inTemporaryFile() throws -> Dataset {
    let key = ContentHash.Digest(0, 0)
    let (content, report) = try AtomicFile.mapNameless(as: "tokenised rows") { try build(key: key, into: $0) }
    return Dataset(samples: Samples(file: try SampleFile(content, key: key)), report: report)
  }

  func build(key: ContentHash.Digest, at path: String) throws -> Dataset {
    try makeFolder(of: path)
    let report = try AtomicFile.write(to: path) { try build(key: key, into: $0) }
    return Dataset(samples: Samples(file: try SampleFile(path, key: key)), report: report)
  }

  private func build(key: ContentHash.Digest, into file: AsideFile) throws -> DatasetReport {
    var report = DatasetReport(path: selection.path, part: selection.part, maxLength: maxLength)
    report.warnings += [template?.stopWarning(tokenizer), template?.variablesWarning].compactMap(\.self)
    let writer = SampleFileWriter(file)
    var lengths: [Int] = []
    let chosen = try chosenRows()
    for (index, file) in files.enumerated() {
      try read(file, chosen?[index], into: &report, share: index) { sample in
        lengths.append(sample.tokens.count)
        try writer.add(sample)
      }
    }
    report.finish(lengths: lengths)
    guard !lengths.isEmpty else { throw report.nothingLeft }
    try writer.finish(key: key, report: report.json)
    return report
  }

  private func makeFolder(of path: String) throws {
    do {
      try AtomicFile.makeFolder(path.parentFolder)
    } catch var error as FireflyError {
      error.fix = "Choose another folder with the key data_cache, or none with \"data_cache\": \"off\"."
      throw error
    }
  }

  private var files: [String] { sources.flatMap(\.files) }

  // MARK: - One file

  /// - Parameter chosen: of each of its rows, whether it is taken; nil for all.
  private func read(
    _ path: String, _ chosen: [Bool]?, into report: inout DatasetReport, share index: Int,
    _ emit: (Sample) throws -> Void
  ) throws {
    let linesBefore = report.files.reduce(0) { $0 + $1.lines }
    guard !DataContent.isOneText(path) else {
      return try readText(path, isTaken: chosen?.first ?? true, linesBefore, into: &report, emit)
    }
    let lines = try DatasetLines(path)
    report.blankLines += lines.blankCount
    report.files.append(
      DatasetReport.File(path: path, rows: lines.lines.count, lines: lines.lines.last?.number ?? 0))
    let rows = chosen.map { zip(lines.lines, $0).filter(\.1).map(\.0) } ?? lines.lines
    if let template {
      let reader = reader(lines, template, try template.stopIDs(tokenizer))
      return try walk(lines, rows, share: index, reader) { row in
        let row = row.behind(linesBefore)
        report.count(row)
        try row.samples.forEach(emit)
      }
    }
    var packer = TextPacker(maxLength: maxLength)
    try walk(lines, rows, share: index, TextReader(lines: lines, tokenizer: tokenizer).read) { text in
      report.count(
        text,
        dropped: try packer.add(text.tokens, line: linesBefore + text.line) { try keep($0, &report, emit) })
    }
    report.leftOver += try packer.finishGroup { try keep($0, &report, emit) }
  }

  /// What makes samples of a line.
  private func reader(
    _ lines: DatasetLines, _ template: ChatTemplate, _ stopIDs: [Int32]
  ) -> @Sendable (DatasetLine) throws -> ReadRow {
    guard let maxPromptLength else {
      return ConversationReader(
        lines: lines, template: template, tokenizer: tokenizer, maxLength: maxLength, learnt: learnt,
        stopIDs: stopIDs
      ).read
    }
    return PairReader(
      lines: lines, template: template, tokenizer: tokenizer,
      limits: PairLimits(length: maxLength, promptLength: maxPromptLength), stopIDs: stopIDs
    ).read
  }

  /// A file that is one text.
  private func readText(
    _ path: String, isTaken: Bool, _ linesBefore: Int, into report: inout DatasetReport,
    _ emit: (Sample) throws -> Void
  ) throws {
    guard template == nil else {
      throw FireflyError(
        "the file is a plain text and holds no conversations", at: path, expected: "rows, .jsonl or .json",
        fix: "Plain texts are trained on with \"task_type\": \"pretrain\".")
    }
    report.files.append(DatasetReport.File(path: path, rows: 1, lines: 1))
    guard isTaken else { return }
    var packer = TextPacker(maxLength: maxLength)
    let text = try TextReader.wholeFile(path, tokenizer)
    let dropped = try packer.add(text.tokens, line: linesBefore + 1) { try keep($0, &report, emit) }
    report.count(text, dropped: dropped)
    report.leftOver += try packer.finishGroup { try keep($0, &report, emit) }
    progress?(Double(report.files.count) / Double(files.count))
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
    _ lines: DatasetLines, _ rows: [DatasetLine], share index: Int,
    _ read: @Sendable (DatasetLine) throws -> Row, _ take: (Row) throws -> Void
  ) throws {
    for start in stride(from: 0, to: rows.count, by: DatasetBuilder.blockSize) {
      let block = rows[start..<min(start + DatasetBuilder.blockSize, rows.count)]
      for result in DatasetBuilder.inParallel(block, read) { try take(try result.get()) }
      lines.release(block)
      let done = Double(block.endIndex) / Double(rows.count)
      progress?((Double(index) + done) / Double(files.count))
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

  // MARK: - Which rows

  /// Of each file, of each of its rows, whether it is taken; nil when all are.
  private func chosenRows() throws -> [[Bool]]? {
    guard !selection.isWhole else { return nil }
    let hashes = try sources.map { try $0.files.map(DatasetBuilder.rowHashes) }
    let taken = RowLottery(selection: selection).taken(hashes.map { Array($0.joined()) })
    return zip(hashes, taken).flatMap { files, taken in
      var start = 0
      return files.map { rows in
        defer { start += rows.count }
        return Array(taken[start..<start + rows.count])
      }
    }
  }

  private static func rowHashes(_ path: String) throws -> [UInt64] {
    guard DataContent.isOneText(path) else { return try DatasetLines(path).hashes }
    var hash = ContentHash()
    hash.add(try MappedFile(path))
    return [hash.digest.first]
  }
}
