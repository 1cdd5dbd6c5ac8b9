import FireflyBase
import Foundation

/// The lines of a JSONL file: mapped, found once, decoded one at a time.
package struct DatasetLines {
  /// One line that is not blank.
  package struct Line {
    /// Counted from 1, blank lines included.
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
    var start = bytes.starts(with: mark) ? mark.count : 0
    var number = 0
    var found: [Line] = []
    while start < bytes.count {
      let end = DatasetLines.endOfLine(bytes, from: start)
      number += 1
      if let content = DatasetLines.trimmed(bytes, start..<end) {
        found.append(Line(number: number, bytes: content))
      }
      start = end + 1
    }
    guard !found.isEmpty else {
      throw FireflyError("the file is empty", at: path, expected: "one JSON object per line")
    }
    lines = found
    blankCount = number - found.count
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
    let value: JSONValue
    do {
      value = try JSONValue.parse(Data(bytes), source: place(line))
    } catch var error as FireflyError {
      if bytes.first == UInt8(ascii: "[") {
        error.fix = "The file seems to be one JSON list; write one object per line (jq -c '.[]' FILE)."
      }
      throw error
    }
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
