import FireflyBase

/// What a file of conversations came to, for the user to judge before training.
public struct DatasetReport: Equatable, Sendable {
  /// How many lines, and the first few of them.
  public struct Lines: Equatable, Sendable {
    public private(set) var count = 0
    /// The first line numbers, at most five, ascending.
    public private(set) var first: [Int] = []

    init() {}

    /// Lines from the report's JSON.
    init(_ json: JSONValue?) {
      count = json?["count"]?.int ?? 0
      first = json?["first_lines"]?.array?.compactMap(\.int) ?? []
    }

    mutating func add(_ line: Int) {
      count += 1
      if first.count < 5 { first.append(line) }
    }

  }

  /// A file that the rows came from.
  public struct File: Equatable, Sendable {
    public let path: String
    /// Its lines that are not blank, taken or not.
    public let rows: Int
    /// Up to its last row, blank ones included: by so many the next file's lines are counted on.
    public let lines: Int
  }

  /// The file, or all of them.
  public let path: String
  public let part: DataSelection.Part
  public let maxLength: Int
  public internal(set) var files: [File] = []
  /// Lines that are not blank and were taken.
  public internal(set) var rows = 0
  public internal(set) var blankLines = 0
  public internal(set) var kept = 0
  public internal(set) var dropped: [DropReason: Lines] = [:]
  /// Kept rows that lost tokens: on the right, or in pairs first of the prompt on the left.
  public internal(set) var truncated = Lines()
  /// Of the rows that were cut, those whose last answer lost the token that ends it: many of them teach the model not
  /// to stop.
  public internal(set) var cutAnswers = Lines()
  /// Rows of which the template leaves something out, by what.
  public internal(set) var lost: [LostPart: Lines] = [:]
  /// Keys of rows, and after "message." of messages, that are neither followed nor known to be harmless.
  public internal(set) var unusedKeys: [String: Lines] = [:]
  /// Rows by the shape they came in ("firefly", "sharegpt", …).
  public internal(set) var formats: [String: Int] = [:]
  /// Tokens of the kept rows; a pair counts its prompt twice.
  public internal(set) var tokens = 0
  /// Predictions that count.
  public internal(set) var targets = 0
  /// Tokens of the longest row before truncation.
  public internal(set) var longest = 0
  /// Lengths of the kept rows in tokens at 50, 90, 99 and 100 per cent of them.
  public internal(set) var lengthPercentiles: [Int: Int] = [:]
  /// Tokens of plain texts that filled no block.
  public internal(set) var leftOver = 0
  public internal(set) var warnings: [String] = []

  init(path: String, part: DataSelection.Part, maxLength: Int) {
    self.path = path
    self.part = part
    self.maxLength = maxLength
  }

  mutating func count(_ row: ReadRow) {
    rows += 1
    formats[row.format, default: 0] += 1
    longest = max(longest, row.fullLength)
    for part in row.lost { lost[part, default: Lines()].add(row.line) }
    for key in row.unusedKeys { unusedKeys[key, default: Lines()].add(row.line) }
    if let reason = row.dropReason { dropped[reason, default: Lines()].add(row.line) }
    guard let length = row.samples.map(\.tokens.count).max() else { return }
    kept += 1
    tokens += row.samples.reduce(0) { $0 + $1.tokens.count }
    targets += row.samples.reduce(0) { $0 + $1.targetCount }
    if row.fullLength > length { truncated.add(row.line) }
    if row.cutsAnswer { cutAnswers.add(row.line) }
  }

  /// A plain text, and the tokens that its group of texts lost.
  mutating func count(_ text: ReadText, dropped: Int) {
    rows += 1
    formats["text", default: 0] += 1
    longest = max(longest, text.tokens.count)
    leftOver += dropped
  }

  /// A block of plain texts.
  mutating func count(_ block: Sample) {
    kept += 1
    tokens += block.tokens.count
    targets += block.targetCount
  }

  /// - Parameter lengths: of the kept rows, in tokens.
  mutating func finish(lengths: [Int]) {
    let sorted = lengths.sorted()
    guard !sorted.isEmpty else { return }
    for percent in [50, 90, 99, 100] {
      lengthPercentiles[percent] = sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }
  }

  var nothingLeft: FireflyError {
    let reasons = dropped.sorted { $0.key < $1.key }.map { "\($0.key.rawValue): \(text($0.value))" }
    return FireflyError(
      part == .training ? "no row is left to train on" : "no row is held out to evaluate on", at: path,
      found: rows == 0 ? "none of \(available) rows chosen" : reasons.joined(separator: "; "), fix: remedy)
  }

  private var remedy: String? {
    if rows == 0 { return part == .training ? "Lower val_size, or raise share." : "Raise val_size." }
    guard dropped[.noTarget] != nil else { return nil }
    return "Raise max_seq_length (now \(maxLength); the longest row has \(longest) tokens)."
  }
}

// MARK: - Places

extension DatasetReport {
  /// Rows of all files, taken or not.
  public var available: Int { files.reduce(0) { $0 + $1.rows } }

  /// File and line of a row, as error messages name them.
  ///
  /// - Parameter line: as the row has it.
  public func place(_ line: Int) -> String {
    var line = line
    for file in files {
      if line <= file.lines { return "\(file.path):\(line)" }
      line -= file.lines
    }
    return "\(path):\(line)"
  }

  /// Several rows: "rows.jsonl, lines 2, 5", or each with its file.
  public func places(_ lines: [Int]) -> String {
    files.count == 1
      ? "\(path), lines \(lines.map(String.init).joined(separator: ", "))"
      : lines.map(place).joined(separator: ", ")
  }

  /// "3 (lines 2, 5, 9)"; of several files "3 (a.jsonl:2, b.jsonl:5, b.jsonl:9)".
  func text(_ lines: Lines) -> String {
    let more = lines.count > lines.first.count ? ", …" : ""
    guard files.count < 2 else {
      return "\(lines.count) (\(lines.first.map(place).joined(separator: ", "))\(more))"
    }
    let word = lines.count == 1 ? "line" : "lines"
    return "\(lines.count) (\(word) \(lines.first.map(String.init).joined(separator: ", "))\(more))"
  }
}
