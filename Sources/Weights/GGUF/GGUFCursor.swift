import FireflyBase

/// Reads a GGUF header from front to back; every length is checked against the bytes left before it is used.
struct GGUFCursor {
  let file: MappedFile
  private(set) var position: Int

  var path: String { file.path }
  private var bytes: UnsafeRawBufferPointer { file.bytes }
  var left: Int { bytes.count - position }
  var isAtEnd: Bool { left == 0 }

  init(_ file: MappedFile, at position: Int = 0) {
    self.file = file
    self.position = position
  }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type, _ what: String) throws -> Number {
    let size = Number.bitWidth / 8
    guard left >= size else { throw truncated(what) }
    defer { position += size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
  }

  /// A count of things of which each takes at least `least` bytes.
  mutating func count(_ what: String, least: Int) throws -> Int {
    let count = try number(UInt64.self, what)
    guard count <= UInt64(left / least) else {
      throw FireflyError(
        "\(what) is larger than the rest of the file", at: path, expected: "at most \(left / least)",
        found: "\(count)", fix: "The file is truncated or damaged: download it again.")
    }
    return Int(count)
  }

  mutating func string(_ what: String) throws -> String {
    try text(what, length: count("the length of \(what)", least: 1))
  }

  /// - Parameter length: of bytes that are there.
  mutating func text(_ what: String, length: Int) throws -> String {
    defer { position += length }
    guard let text = String(validating: bytes[position..<position + length], as: UTF8.self) else {
      throw FireflyError("\(what) is not UTF-8", at: path)
    }
    return text
  }

  /// So many things, one after the other.
  mutating func list<Element>(
    _ count: Int, _ element: (inout GGUFCursor) throws -> Element
  ) rethrows -> [Element] {
    var list: [Element] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try element(&self)) }
    return list
  }

  private func truncated(_ what: String) -> FireflyError {
    FireflyError(
      "the file ends within \(what)", at: path, found: "\(bytes.count) bytes",
      fix: "The file is truncated: download it again.")
  }
}
