import FireflyBase
import Foundation

/// Where a row stands in its file: a line that is not blank, or a member of the one list.
package struct DatasetLine {
  /// Counted from 1, blank lines included; a member's is the one it begins on.
  package var number: Int
  var bytes: Range<Int>

  /// What was looked through leaves memory in parts of this size.
  static let releasedBytes = 64 << 20
}

extension DatasetLine {
  /// The lines of a JSONL file that are not blank, and how many are.
  ///
  /// - Parameter start: behind a byte order mark.
  static func all(in file: MappedFile, from start: Int) -> (lines: [DatasetLine], blankCount: Int) {
    let bytes = file.bytes
    var start = start
    var number = 0
    var found: [DatasetLine] = []
    var released = 0
    while start < bytes.count {
      let end = endOfLine(bytes, from: start)
      number += 1
      if let content = trimmed(bytes, start..<end) {
        found.append(DatasetLine(number: number, bytes: content))
      }
      start = end + 1
      if start - released > releasedBytes {
        file.discard(released..<min(start, bytes.count))
        released = start
      }
    }
    return (found, number - found.count)
  }

  private static func endOfLine(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard let base = bytes.baseAddress, let hit = memchr(base + start, 0x0A, bytes.count - start) else {
      return bytes.count
    }
    return UnsafeRawPointer(hit) - base
  }

  /// The range without white space around it, and without the byte order mark in front that files have which were put one
  /// behind the other; nil when nothing is left.
  private static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int>? {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    let range = bytes[range].startOfText..<range.upperBound
    guard let first = range.first(where: { !isSpace(bytes[$0]) }),
      let last = range.last(where: { !isSpace(bytes[$0]) })
    else { return nil }
    return first..<last + 1
  }
}
