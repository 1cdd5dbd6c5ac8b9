import FireflyBase

/// Finds the members of a JSON file that is one list, without parsing them.
struct JSONArrayScanner {
  private let file: MappedFile
  private let bytes: UnsafeRawBufferPointer
  private var position: Int
  private var line = 1

  /// - Parameter start: where the list's "[" stands.
  init(_ file: MappedFile, from start: Int) {
    self.file = file
    bytes = file.bytes
    position = start
    line += bytes[..<start].count { $0 == UInt8(ascii: "\n") }
  }

  /// The members, each with the line it begins on.
  ///
  /// - Throws: `FireflyError` when the list does not end, or something follows it.
  mutating func members() throws -> [DatasetLine] {
    var members: [DatasetLine] = []
    var released = 0
    position += 1
    skipSpace()
    while position < bytes.count, bytes[position] != UInt8(ascii: "]") {
      if !members.isEmpty {
        guard bytes[position] == UInt8(ascii: ",") else { throw error("expected \",\" or \"]\"") }
        position += 1
        skipSpace()
      }
      let start = position
      let startLine = line
      try skipValue()
      members.append(DatasetLine(number: startLine, bytes: start..<position))
      skipSpace()
      if position - released > DatasetLine.releasedBytes {
        file.discard(released..<position)
        released = position
      }
    }
    guard position < bytes.count else { throw error("the list does not end") }
    position += 1
    skipSpace()
    guard position == bytes.count else { throw error("something follows the list") }
    return members
  }

  /// Goes behind one value: brackets are counted, strings are skipped, the rest is the parser's.
  private mutating func skipValue() throws {
    var depth = 0
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        try skipString()
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return try requireSome(start) }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0: return try requireSome(start)
      case UInt8(ascii: "\n"): line += 1
      default: break
      }
      position += 1
    }
    throw error("the list does not end")
  }

  private func requireSome(_ start: Int) throws {
    guard position > start else { throw error("a row is missing") }
  }

  private mutating func skipString() throws {
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\\"): position += 1
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\n"): line += 1
      default: break
      }
      position += 1
    }
    throw error("a string does not end")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      if bytes[position] == UInt8(ascii: "\n") { line += 1 }
      position += 1
    }
  }

  private func error(_ what: String) -> FireflyError {
    FireflyError("not valid JSON: \(what)", at: "\(file.path):\(line)", expected: "a list of rows, […]")
  }
}
