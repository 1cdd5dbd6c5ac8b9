import FireflyBase

extension DatasetReport {
  /// The report in plain lines.
  public var summary: [String] {
    let isText = formats.keys.contains("text")
    let noun = formats.keys.contains("preference") ? "preference pairs" : "rows"
    let chosen = available > rows ? ["\(rows) of \(available) rows chosen by what they hold"] : []
    let rowText = isText ? "\(rows) texts in \(kept) blocks" : "\(kept) of \(rows) \(noun)"
    var lines = chosen + ["\(rowText), \(tokens) tokens, \(targets) of them targets"]
    if kept > 0 {
      let lengths = lengthPercentiles.sorted { $0.key < $1.key }.map {
        $0.key == 100 ? "\($0.value) at most" : "\($0.value) at \($0.key) %"
      }
      lines.append(
        "\(isText ? "block" : "row") length: mean \(meanLength), \(lengths.joined(separator: ", "))")
    }
    if leftOver > 0 { lines.append("tokens left over at the ends of groups of texts: \(leftOver)") }
    if !isText && ![["firefly"], ["preference"]].contains(formats.keys.sorted()) {
      let list = formats.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      lines.append("row formats: \(list.joined(separator: ", "))")
    }
    for (reason, rows) in dropped.sorted(by: { $0.key < $1.key }) {
      lines.append("dropped, \(reason.rawValue): \(text(rows))")
    }
    if truncated.count > 0 {
      lines.append("truncated to \(maxLength) tokens: \(text(truncated)); the longest row has \(longest)")
    }
    if cutAnswers.count > 0 {
      lines.append("answers cut before their stop token: \(text(cutAnswers))")
    }
    for part in LostPart.allCases {
      if let rows = lost[part] { lines.append("\(part.description): \(text(rows))") }
    }
    for (key, rows) in unusedKeys.sorted(by: { $0.key < $1.key }) {
      lines.append("key that nothing reads, \"\(key)\": \(text(rows))")
    }
    if blankLines > 0 { lines.append("blank lines skipped: \(blankLines)") }
    return lines + warnings
  }

  /// A pair is two rows of tokens.
  private var meanLength: Int { tokens / (kept * (formats.keys.contains("preference") ? 2 : 1)) }

  /// A report that was kept as `json`.
  ///
  /// - Parameter path, files: where the files are now; the same content may have had another name.
  init(stored json: JSONValue, path: String, files paths: [String]) throws {
    let stored = json["files"]?.array ?? []
    guard let maxLength = json["max_seq_length"]?.int, stored.count == paths.count else {
      throw FireflyError("the stored report is not one", at: path)
    }
    self.init(path: path, part: json["held_out"]?.bool == true ? .heldOut : .training, maxLength: maxLength)
    files = zip(paths, stored).map { path, file in
      File(path: path, rows: file["rows"]?.int ?? 0, lines: file["lines"]?.int ?? 0)
    }
    func int(_ key: String) -> Int { json[key]?.int ?? 0 }
    rows = int("rows")
    blankLines = int("blank_lines")
    kept = int("kept")
    tokens = int("tokens")
    targets = int("targets")
    longest = int("longest")
    leftOver = int("left_over")
    truncated = Lines(json["truncated"])
    cutAnswers = Lines(json["answers_cut"])
    for part in LostPart.allCases {
      let rows = Lines(json["\(part.rawValue)_lost"])
      if rows.count > 0 { lost[part] = rows }
    }
    unusedKeys = (json["unused_keys"]?.object ?? [:]).mapValues { Lines($0) }
    formats = (json["formats"]?.object ?? [:]).compactMapValues(\.int)
    for reason in DropReason.allCases {
      if let lines = json["dropped"]?[reason.rawValue] { dropped[reason] = Lines(lines) }
    }
    for percent in [50, 90, 99, 100] { lengthPercentiles[percent] = json["length"]?["p\(percent)"]?.int }
    warnings = json["warnings"]?.array?.compactMap(\.string) ?? []
  }

  /// The report for programs: counts by name, and the first lines of what was dropped or cut.
  public var json: JSONValue {
    func list(_ lines: Lines) -> JSONValue {
      .object(["count": .int(lines.count), "first_lines": .array(lines.first.map(JSONValue.int))])
    }
    let dropped = dropped.map { ($0.key.rawValue, list($0.value)) }
    let percentiles = lengthPercentiles.map { ("p\($0.key)", JSONValue.int($0.value)) }
    let files = files.map { file in
      JSONValue.object(["file": .string(file.path), "rows": .int(file.rows), "lines": .int(file.lines)])
    }
    let lost = LostPart.allCases.map { ("\($0.rawValue)_lost", list(self.lost[$0] ?? Lines())) }
    return .object(
      [
        "file": .string(path), "files": .array(files), "held_out": .bool(part == .heldOut),
        "rows_available": .int(available), "max_seq_length": .int(maxLength), "rows": .int(rows),
        "blank_lines": .int(blankLines), "kept": .int(kept), "tokens": .int(tokens), "targets": .int(targets),
        "longest": .int(longest), "truncated": list(truncated), "answers_cut": list(cutAnswers),
        "unused_keys": .object(unusedKeys.mapValues(list)),
        "formats": .object(formats.mapValues(JSONValue.int)),
        "dropped": .object(Dictionary(uniqueKeysWithValues: dropped)),
        "length": .object(Dictionary(uniqueKeysWithValues: percentiles)),
        "left_over": .int(leftOver), "warnings": .array(warnings.map(JSONValue.string)),
      ].merging(lost) { first, _ in first })
  }
}
