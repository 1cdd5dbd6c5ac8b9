import FireflyBase

/// An array of strings in a GGUF file, read when it is asked for: those of a large vocabulary take some ten MiB, and are
/// used once.
package struct GGUFTexts: Equatable, Sendable {
  package let count: Int
  private let file: MappedFile
  private let range: Range<Int>

  /// Moves the cursor over the strings, and checks them on the way.
  ///
  /// - Throws: `FireflyError` where the file ends within one, or one is not UTF-8.
  init(_ cursor: inout GGUFCursor, count: Int, of key: String) throws {
    let start = cursor.position
    for _ in 0..<count { _ = try cursor.string(key) }
    self.count = count
    file = cursor.file
    range = start..<cursor.position
  }

  /// The strings; nil where the file was changed since it was opened.
  package var list: [String]? {
    defer { file.discard(range) }
    var cursor = GGUFCursor(file, at: range.lowerBound)
    return try? cursor.list(count) { try $0.string("a string") }
  }

  package static func == (left: GGUFTexts, right: GGUFTexts) -> Bool { left.list == right.list }
}
