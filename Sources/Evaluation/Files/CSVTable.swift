import FireflyBase

/// Comma-separated values (RFC 4180), as spreadsheets and Python's `csv` write them.
///
/// A field may be quoted, and then holds commas, line breaks and doubled quotes; a quote inside an unquoted field is a
/// character like any other. Lines end in LF, CRLF or CR; a byte order mark and blank lines are not part of the data.
public struct CSVTable: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    public var fields: [String]
    /// The line on which the row begins, from 1.
    public var line: Int
  }

  public let rows: [Row]

  /// - Parameter source: names the data in errors.
  /// - Throws: `FireflyError` for bytes that are not UTF-8, and for a quoted field that does not end.
  public init(_ bytes: some Collection<UInt8>, source: String) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FireflyError("the table is not valid UTF-8", at: source, fix: "Save it as UTF-8.")
    }
    var reader = CSVReader(bytes: Array(text.utf8), source: source)
    rows = try reader.read()
  }
}

private struct CSVReader {
  let bytes: [UInt8]
  let source: String
  private var position = 0
  private var line = 1

  init(bytes: [UInt8], source: String) {
    self.bytes = bytes
    self.source = source
    position = bytes.startOfText
  }

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let feed = UInt8(ascii: "\n")
  private static let carriage = UInt8(ascii: "\r")

  mutating func read() throws -> [CSVTable.Row] {
    var rows: [CSVTable.Row] = []
    while position < bytes.count {
      let start = line
      let fields = try row()
      if fields != [""] { rows.append(CSVTable.Row(fields: fields, line: start)) }
    }
    return rows
  }

  /// One row and its line break.
  private mutating func row() throws -> [String] {
    var fields = [try field()]
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == Self.comma {
        fields.append(try field())
      } else {
        if byte == Self.carriage && position < bytes.count && bytes[position] == Self.feed { position += 1 }
        line += 1
        break
      }
    }
    return fields
  }

  /// One field, up to the comma or line break after it.
  private mutating func field() throws -> String {
    var value: [UInt8] = []
    if position < bytes.count && bytes[position] == Self.quote { value = try quoted() }
    // What follows a closing quote belongs to the field, as for Python.
    while position < bytes.count, ![Self.comma, Self.feed, Self.carriage].contains(bytes[position]) {
      value.append(bytes[position])
      position += 1
    }
    return String(decoding: value, as: UTF8.self)
  }

  private mutating func quoted() throws -> [UInt8] {
    let start = line
    var value: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == Self.quote {
        guard position < bytes.count && bytes[position] == Self.quote else { return value }
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
