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

  init(path: String, maxLength: Int) {
    self.path = path
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
    let reasons = dropped.sorted { $0.key < $1.key }.map { "\($0.key.rawValue): \($0.value.text)" }
    return FireflyError(
      "no row is left to train on", at: path, found: reasons.joined(separator: "; "),
      fix: dropped[.noTarget] == nil
        ? nil : "Raise max_seq_length (now \(maxLength); the longest row has \(longest) tokens).")
  }
}
