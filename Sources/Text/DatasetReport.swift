import FireflyBase

/// What a file of conversations came to, for the user to judge before training.
public struct DatasetReport: Equatable, Sendable {
  /// How many lines, and the first few of them.
  public struct Lines: Equatable, Sendable {
    public private(set) var count = 0
    /// At most five line numbers, ascending.
    public private(set) var first: [Int] = []

    mutating func add(_ line: Int) {
      count += 1
      if first.count < 5 { first.append(line) }
    }

    /// "3 (lines 2, 5, 9)".
    var text: String {
      let more = count > first.count ? ", …" : ""
      let word = count == 1 ? "line" : "lines"
      return "\(count) (\(word) \(first.map(String.init).joined(separator: ", "))\(more))"
    }
  }

  public let path: String
  public let maxLength: Int
  /// Lines that are not blank.
  public internal(set) var rows = 0
  public internal(set) var blankLines = 0
  public internal(set) var kept = 0
  public internal(set) var dropped: [DropReason: Lines] = [:]
  /// Kept rows that lost tokens on the right.
  public internal(set) var truncated = Lines()
  /// Of those, rows whose last answer lost the token that ends it: many of them teach the model not to stop.
  public internal(set) var cutAnswers = Lines()
  /// Rows whose system text this template has no place for.
  public internal(set) var lostSystem = Lines()
  /// Rows by the shape they came in ("firefly", "sharegpt", …).
  public internal(set) var formats: [String: Int] = [:]
  /// Tokens of the kept rows.
  public internal(set) var tokens = 0
  /// Predictions that count.
  public internal(set) var targets = 0
  /// Tokens of the longest row before truncation.
  public internal(set) var longest = 0
  /// Lengths of the kept rows in tokens at 50, 90, 99 and 100 per cent of them.
  public internal(set) var lengthPercentiles: [Int: Int] = [:]
  public internal(set) var warnings: [String] = []

  init(path: String, maxLength: Int) {
    self.path = path
    self.maxLength = maxLength
  }

  mutating func count(_ row: ReadRow) {
    rows += 1
    formats[row.format, default: 0] += 1
    longest = max(longest, row.fullLength)
    if row.losesSystem { lostSystem.add(row.line) }
    if let reason = row.dropReason { dropped[reason, default: Lines()].add(row.line) }
    guard let sample = row.sample else { return }
    kept += 1
    tokens += sample.tokens.count
    targets += sample.targetCount
    if row.fullLength > sample.tokens.count { truncated.add(row.line) }
    if row.cutsAnswer { cutAnswers.add(row.line) }
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
    let reasons = dropped.sorted { $0.key < $1.key }.map { "\($0.key.rawValue): \($0.value.text)" }
    return FireflyError(
      "no row is left to train on", at: path, found: reasons.joined(separator: "; "),
      fix: dropped[.noTarget] == nil
        ? nil : "Raise max_seq_length (now \(maxLength); the longest row has \(longest) tokens).")
  }
}

// MARK: - Telling it

extension DatasetReport {
  /// The report in plain lines.
  public var summary: [String] {
    var lines = ["\(kept) of \(rows) rows, \(tokens) tokens, \(targets) of them targets"]
    if kept > 0 {
      let lengths = lengthPercentiles.sorted { $0.key < $1.key }.map {
        $0.key == 100 ? "\($0.value) at most" : "\($0.value) at \($0.key) %"
      }
      lines.append("row length: mean \(tokens / kept), \(lengths.joined(separator: ", "))")
    }
    if formats.keys.sorted() != ["firefly"] {
      let list = formats.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      lines.append("row formats: \(list.joined(separator: ", "))")
    }
    for (reason, rows) in dropped.sorted(by: { $0.key < $1.key }) {
      lines.append("dropped, \(reason.rawValue): \(rows.text)")
    }
    if truncated.count > 0 {
      lines.append("truncated to \(maxLength) tokens: \(truncated.text); the longest row has \(longest)")
    }
    if cutAnswers.count > 0 {
      lines.append("answers cut before their stop token: \(cutAnswers.text)")
    }
    if lostSystem.count > 0 {
      lines.append("system text that this template has no place for: \(lostSystem.text)")
    }
    if blankLines > 0 { lines.append("blank lines skipped: \(blankLines)") }
    return lines + warnings
  }

  /// The report for programs: counts by name, and the first lines of what was dropped or cut.
  public var json: JSONValue {
    func list(_ lines: Lines) -> JSONValue {
      .object(["count": .int(lines.count), "first_lines": .array(lines.first.map(JSONValue.int))])
    }
    let dropped = dropped.map { ($0.key.rawValue, list($0.value)) }
    let percentiles = lengthPercentiles.map { ("p\($0.key)", JSONValue.int($0.value)) }
    return .object([
      "file": .string(path), "max_seq_length": .int(maxLength), "rows": .int(rows),
      "blank_lines": .int(blankLines), "kept": .int(kept), "tokens": .int(tokens), "targets": .int(targets),
      "longest": .int(longest), "truncated": list(truncated), "answers_cut": list(cutAnswers),
      "system_lost": list(lostSystem), "formats": .object(formats.mapValues(JSONValue.int)),
      "dropped": .object(Dictionary(uniqueKeysWithValues: dropped)),
      "length": .object(Dictionary(uniqueKeysWithValues: percentiles)),
      "warnings": .array(warnings.map(JSONValue.string)),
    ])
  }
}
