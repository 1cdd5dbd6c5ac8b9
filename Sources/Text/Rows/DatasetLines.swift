import FireflyBase
import Foundation

/// The rows of a JSONL file, one a line, or of a JSON file that is one list: mapped, found once, decoded one at a time.
package struct DatasetLines {
  /// One line that is not blank, or one member of the list.
  package struct Line {
    /// Counted from 1, blank lines included; a member's is the one it begins on.
    package var number: Int
    var bytes: Range<Int>
  }

  let path: String
  package let lines: [Line]
  let blankCount: Int
  private let file: MappedFile

  /// Finds the lines; a byte order mark and carriage returns are not part of them.
  ///
  /// - Throws: `FireflyError` when the file cannot be opened or has no line that is not blank.
  package init(_ path: String) throws {
    self.path = path
    file = try MappedFile(path)
    let bytes = file.bytes
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let start = bytes.starts(with: mark) ? mark.count : 0
    let first = bytes[start...].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if let first, bytes[first] == UInt8(ascii: "[") {
      var scanner = JSONArrayScanner(file, from: first)
      lines = try scanner.members()
      blankCount = 0
    } else {
      (lines, blankCount) = DatasetLines.lines(of: file, from: start)
    }
    guard !lines.isEmpty else {
      throw FireflyError("the file is empty", at: path, expected: "one JSON object per line")
    }
    file.discard(bytes.indices)
  }

  private static func lines(of file: MappedFile, from start: Int) -> (lines: [Line], blankCount: Int) {
    let bytes = file.bytes
    var start = start
    var number = 0
    var found: [Line] = []
    var released = 0
    while start < bytes.count {
      let end = endOfLine(bytes, from: start)
      number += 1
      if let content = trimmed(bytes, start..<end) { found.append(Line(number: number, bytes: content)) }
      start = end + 1
      if start - released > releasedBytes {
        file.discard(released..<min(start, bytes.count))
        released = start
      }
    }
    return (found, number - found.count)
  }

  /// What was looked through leaves memory in parts of this size.
  static let releasedBytes = 64 << 20

  /// Lets lines that were read leave memory; reading one again brings it back.
  func release(_ lines: ArraySlice<Line>) {
    guard let first = lines.first, let last = lines.last else { return }
    file.discard(first.bytes.lowerBound..<last.bytes.upperBound)
  }

  /// The file and the line, as error messages name them.
  package func place(_ line: Line) -> String { "\(path):\(line.number)" }

  /// The object on `line`.
  package func object(_ line: Line) throws -> [String: JSONValue] {
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[line.bytes])
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw FireflyError(
        "the line is not valid UTF-8", at: place(line), fix: "Save the file as UTF-8 (iconv -t UTF-8).")
    }
    let value = try JSONValue.parse(Data(bytes), source: place(line))
    guard let object = value.object else {
      throw FireflyError("the row is not an object", at: place(line), expected: "{…}", found: value.kind)
    }
    return object
  }

  private static func endOfLine(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard let base = bytes.baseAddress, let hit = memchr(base + start, 0x0A, bytes.count - start) else {
      return bytes.count
    }
    return UnsafeRawPointer(hit) - base
  }

  /// The range without white space around it; nil when nothing is left.
  private static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int>? {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    guard let first = range.first(where: { !isSpace(bytes[$0]) }),
      let last = range.last(where: { !isSpace(bytes[$0]) })
    else { return nil }
    return first..<last + 1
  }
}
