import FireflyBase
import Foundation

/// The rows of a JSONL file, one a line, of a JSON file that is one list, or of a table: mapped, found once, decoded one at a
/// time.
package struct DatasetLines {
  let path: String
  package let lines: [DatasetLine]
  let blankCount: Int
  private let file: MappedFile
  /// nil where rows are JSON.
  private let table: TableColumns?

  /// Finds the lines; a byte order mark and carriage returns are not part of them.
  ///
  /// - Throws: `FireflyError` when the file cannot be opened, has another format, or has no line that is not blank.
  package init(_ path: String) throws {
    self.path = path
    file = try DataContent.open(path)
    let bytes = file.bytes
    let start = bytes.startOfText
    let first = bytes[start...].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if let separator = TableColumns.separator(path) {
      let columns = try TableColumns(file, from: start, separator: separator)
      lines = try columns.rows(file)
      blankCount = 0
      table = columns
    } else if let first, bytes[first] == UInt8(ascii: "[") {
      var scanner = JSONArrayScanner(file, from: first)
      lines = try scanner.members()
      blankCount = 0
      table = nil
    } else {
      (lines, blankCount) = DatasetLine.all(in: file, from: start)
      table = nil
      if let first = lines.first {
        try WholeObject.refuse(file, from: first.bytes, isOnlyLine: lines.count == 1)
      }
    }
    guard !lines.isEmpty else {
      throw FireflyError(
        bytes.isEmpty ? "the file is empty" : "the file has no rows", at: path,
        expected: "one JSON object per line, or one list")
    }
    file.discard(bytes.indices)
  }

  /// Lets lines that were read leave memory; reading one again brings it back.
  func release(_ lines: ArraySlice<DatasetLine>) {
    guard let first = lines.first, let last = lines.last else { return }
    file.discard(first.bytes.lowerBound..<last.bytes.upperBound)
  }

  /// A number of each row that tells what it holds.
  var hashes: [UInt64] {
    var hashes: [UInt64] = []
    hashes.reserveCapacity(lines.count)
    var released = 0
    for (index, line) in lines.enumerated() {
      var hash = ContentHash()
      hash.add(UnsafeRawBufferPointer(rebasing: file.bytes[line.bytes]))
      hashes.append(hash.digest.first)
      if line.bytes.upperBound - lines[released].bytes.lowerBound > DatasetLine.releasedBytes {
        release(lines[released...index])
        released = index
      }
    }
    release(lines[released...])
    return hashes
  }

  /// The file and the line, as error messages name them.
  package func place(_ line: DatasetLine) -> String { "\(path):\(line.number)" }

  /// The object on `line`.
  package func object(_ line: DatasetLine) throws -> JSONMembers {
    if let table { return try table.object(file, line) }
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[line.bytes])
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw FireflyError(
        "the line is not valid UTF-8", at: place(line), fix: "Save the file as UTF-8 (iconv -t UTF-8).")
    }
    let value = try OrderedJSON.parse(file.bytes, part: line.bytes, source: path)
    guard let object = value.object else {
      throw FireflyError("the row is not an object", at: place(line), expected: "{…}", found: value.kind)
    }
    return object
  }
}
