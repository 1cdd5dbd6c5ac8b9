/// Comma-separated values (RFC 4180), as spreadsheets and Python's `csv` write them.
///
/// A field may be quoted, and then holds commas, line breaks and doubled quotes; a quote inside an unquoted field is a
/// character like any other. Lines end in LF, CRLF or CR; a byte order mark and blank lines are not part of the data.
package struct CSVTable: Sendable, Equatable {
  package struct Row: Sendable, Equatable {
    package var fields: [String]
    /// The line on which the row begins, from 1.
    package var line: Int
  }

  package let rows: [Row]

  /// - Parameter source: names the data in errors.
  /// - Throws: `FireflyError` for bytes that are not UTF-8, and for a quoted field that does not end.
  package init(_ bytes: some Collection<UInt8>, source: String) throws {
    let bytes = Array(bytes)
    rows = try bytes.withUnsafeBytes { bytes in
      var reader = CSVReader(bytes, from: bytes.startOfText, source: source)
      var rows: [Row] = []
      while let record = try reader.next() { rows.append(Row(fields: record.fields, line: record.line)) }
      return rows
    }
  }
}

/// Reads the records of a table one after the other.
package struct CSVReader {
  /// A line of the table: more than one of the file where quoted fields have line breaks.
  package struct Record {
    package var fields: [String]
    /// The line on which it begins.
    package var line: Int
    /// Where it stands, without the line break behind it.
    package var bytes: Range<Int>
  }

  private let bytes: UnsafeRawBufferPointer
  private let separator: UInt8
  private let source: String
  private var position: Int
  private var line: Int

  /// - Parameters:
  ///   - bytes: must stay valid while this reader is used.
  ///   - start: where in them reading begins, and the number of that line.
  package init(
    _ bytes: UnsafeRawBufferPointer, from start: Int, line: Int = 1, separator: UInt8 = UInt8(ascii: ","),
    source: String
  ) {
    self.bytes = bytes
    self.separator = separator
    self.source = source
    position = start
    self.line = line
  }

  private static let quote = UInt8(ascii: "\"")
  private static let feed = UInt8(ascii: "\n")
  private static let carriage = UInt8(ascii: "\r")

  /// The next record that is not a blank line; nil at the end.
  package mutating func next() throws -> Record? {
    while position < bytes.count {
      let (start, first) = (position, line)
      var fields = [try field()]
      while position < bytes.count && bytes[position] == separator {
        position += 1
        fields.append(try field())
      }
      let end = position
      skipLineBreak()
      if fields != [""] { return Record(fields: fields, line: first, bytes: start..<end) }
    }
    return nil
  }

  private mutating func skipLineBreak() {
    guard position < bytes.count else { return }
    let isCarriage = bytes[position] == Self.carriage
    position += 1
    if isCarriage && follows(Self.feed) { position += 1 }
    line += 1
  }

  /// One field, up to the separator or line break after it.
  private mutating func field() throws -> String {
    let first = line
    var value: [UInt8] = []
    if follows(Self.quote) { value = try quoted() }
    // What follows a closing quote belongs to the field, as for Python.
    let start = position
    while position < bytes.count, ![separator, Self.feed, Self.carriage].contains(bytes[position]) {
      position += 1
    }
    value += bytes[start..<position]
    guard let text = String(validating: value, as: UTF8.self) else {
      throw FireflyError(
        "the table is not valid UTF-8", at: "\(source):\(first)", fix: "Save it as UTF-8 (iconv -t UTF-8).")
    }
    return text
  }

  private mutating func quoted() throws -> [UInt8] {
    let start = line
    var value: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == Self.quote {
        guard follows(Self.quote) else { return value }
        position += 1
      } else if byte == Self.feed || byte == Self.carriage && !follows(Self.feed) {
        line += 1
      }
      value.append(byte)
    }
    throw FireflyError(
      "a quoted field does not end", at: "\(source):\(start)",
      expected: "a closing quote before the file's end")
  }

  private func follows(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }
}
