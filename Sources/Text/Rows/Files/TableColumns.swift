import FireflyBase

/// A .csv or .tsv file of rows: its first line names the keys, every other is a row whose values are texts.
struct TableColumns {
  private let path: String
  private let separator: UInt8
  /// Empty for a column without a name, which holds the numbers that pandas gives rows.
  private let names: [String]
  /// Where the header ends.
  private let start: Int

  /// What stands between a table's fields, by the file's name; nil for files that are no tables.
  static func separator(_ path: String) -> UInt8? {
    let name = DataContent.plainName(path)
    return name.hasSuffix(".csv") ? UInt8(ascii: ",") : name.hasSuffix(".tsv") ? UInt8(ascii: "\t") : nil
  }

  /// - Throws: `FireflyError` for a header that does not name the keys of rows.
  init(_ file: MappedFile, from start: Int, separator: UInt8) throws {
    path = file.path
    self.separator = separator
    var reader = CSVReader(file.bytes, from: start, separator: separator, source: file.path)
    guard let header = try reader.next() else {
      throw FireflyError(
        "the table is empty", at: file.path, expected: "a line with the names of the columns")
    }
    names = header.fields
    self.start = header.bytes.upperBound
    let place = "\(file.path):\(header.line)"
    let others = [";", "\t", "|", ","].filter { names[0].contains($0) }
    if names.count == 1, let other = others.first {
      throw FireflyError(
        "the table's fields are separated by another character", at: place,
        expected: separator == UInt8(ascii: ",") ? "\",\"" : "a tab", found: "\"\(other)\"",
        fix: "Save it with commas (.csv) or tabs (.tsv) between its fields.")
    }
    for (index, name) in names.enumerated() where !name.isEmpty && names[..<index].contains(name) {
      throw FireflyError(
        "two columns have one name", at: place, found: "\"\(name)\"", fix: "Rename one of them.")
    }
  }

  /// The rows behind the header, each with the line that it begins on.
  func rows(_ file: MappedFile) throws -> [DatasetLine] {
    var reader = CSVReader(file.bytes, from: start, separator: separator, source: path)
    var rows: [DatasetLine] = []
    while let record = try reader.next() {
      guard record.fields.count == names.count else {
        throw FireflyError(
          "the row has other columns than the table's header", at: "\(path):\(record.line)",
          expected: "\(names.count) fields", found: "\(record.fields.count)",
          fix: "A field that holds a comma, a quote or a line break stands in quotes.")
      }
      rows.append(DatasetLine(number: record.line, bytes: record.bytes))
    }
    return rows
  }

  /// The row on `line`; an empty field is none.
  func object(_ file: MappedFile, _ line: DatasetLine) throws -> JSONMembers {
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[..<line.bytes.upperBound])
    var reader = CSVReader(
      bytes, from: line.bytes.lowerBound, line: line.number, separator: separator, source: path)
    let fields = try reader.next()?.fields ?? []
    var object = JSONMembers()
    for (name, field) in zip(names, fields) where !name.isEmpty && !field.isEmpty {
      object[name] = .string(field)
    }
    return object
  }
}
