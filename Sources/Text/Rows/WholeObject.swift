import FireflyBase

/// A file that is one JSON object where one a line is expected: `{"data": […]}`, one row on several lines, columns.
enum WholeObject {
  /// What stands in an object, as far as messages need it.
  private struct Member {
    var key: String
    var isList: Bool
    /// Its first member is a text.
    var holdsTexts: Bool
    var isObject: Bool
  }

  /// - Parameters:
  ///   - first: where the first row stands, if rows are lines.
  ///   - isOnlyLine: whether there is no other.
  /// - Throws: `FireflyError` when the file is one object that is no row, or rows take several lines each.
  static func refuse(_ file: MappedFile, from first: Range<Int>, isOnlyLine: Bool) throws {
    guard file.bytes[first.lowerBound] == UInt8(ascii: "{") else { return }
    if isRow(file, first) {
      guard isOnlyLine, let members = try? members(file, first) else { return }
      if holdsColumns(members) || !isKnown(members) && members.contains(where: \.isList) {
        throw oneObject(members, file)
      }
      return
    }
    let rest = first.lowerBound..<file.bytes.count
    do {
      var reader = try JSONReader(file.bytes, part: rest, source: file.path)
      try reader.skip()
      if (try? reader.end()) == nil { throw severalLines(file) }
    } catch let error as FireflyError {
      // An object that goes on behind its first line is wrong where it is wrong; a row is told by its reader.
      if error.place != "\(file.path):\(line(file, first))" { throw error }
      return
    }
    throw oneObject(try members(file, rest), file)
  }

  private static func isRow(_ file: MappedFile, _ range: Range<Int>) -> Bool {
    guard var reader = try? JSONReader(file.bytes, part: range, source: file.path) else { return false }
    return (try? reader.skip()) != nil && (try? reader.end()) != nil
  }

  private static func line(_ file: MappedFile, _ range: Range<Int>) -> Int {
    file.bytes[..<range.lowerBound].count { $0 == UInt8(ascii: "\n") } + 1
  }

  private static func members(_ file: MappedFile, _ range: Range<Int>) throws -> [Member] {
    var members: [Member] = []
    var reader = try JSONReader(file.bytes, part: range, source: file.path)
    try reader.forEachMember { key, reader in
      let name = String(decoding: key, as: UTF8.self)
      let next = try reader.next()
      var member = Member(
        key: name, isList: next == UInt8(ascii: "["), holdsTexts: false, isObject: next == UInt8(ascii: "{"))
      if member.isList {
        var isFirst = true
        try reader.forEachElement { element in
          if isFirst { member.holdsTexts = try element.next() == UInt8(ascii: "\"") }
          isFirst = false
          try element.skip()
        }
      } else {
        try reader.skip()
      }
      members.append(member)
    }
    return members
  }

  /// Whether the object is a row of a shape that is known.
  private static func isKnown(_ members: [Member]) -> Bool {
    // UltraChat's "data" is a list of texts; elsewhere it is the rows.
    let keys = Set(members.filter { $0.key != "data" || $0.holdsTexts }.map(\.key))
    return RowFormat.table.contains { $0.keys.allSatisfy(keys.contains) }
  }

  /// Whether the object is a table column by column: its texts are lists of texts, or objects of them.
  private static func holdsColumns(_ members: [Member]) -> Bool {
    members.contains { ["instruction", "output", "text"].contains($0.key) && ($0.isList || $0.isObject) }
  }

  // MARK: - Messages

  private static let expected = "one row a line, or one list of rows"

  private static func severalLines(_ file: MappedFile) -> FireflyError {
    FireflyError(
      "a row takes several lines", at: file.path, expected: expected,
      fix: "Write each on a line of its own: jq -c . \(file.path) > rows.jsonl")
  }

  private static func oneObject(_ members: [Member], _ file: MappedFile) -> FireflyError {
    let keys = members.prefix(8).map { "\"\($0.key)\"" }.joined(separator: ", ")
    let fix: String
    if holdsColumns(members) {
      fix = "It holds columns: pandas writes rows with to_json(…, orient=\"records\", lines=True)."
    } else if !isKnown(members), let list = members.first(where: \.isList) {
      fix = "Its list \"\(list.key)\" may be the rows: jq -c '.\"\(list.key)\"[]' \(file.path) > rows.jsonl"
    } else {
      fix = "If it is a row, write it on one line: jq -c . \(file.path) > rows.jsonl"
    }
    return FireflyError(
      "the file is one JSON object", at: file.path, expected: expected,
      found: members.isEmpty ? "{}" : "an object with \(keys)\(members.count > 8 ? ", …" : "")", fix: fix)
  }
}
