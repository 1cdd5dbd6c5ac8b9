import FireflyBase

/// Reads `model.vocab` of tokenizer.json with its tokens byte for byte.
///
/// `JSONValue` keeps an object in a dictionary of `String`, in which tokens that differ only in Unicode
/// normalisation are one key (six pairs in LLaMA's). The document must have passed `JSONValue` before.
struct VocabularyReader {
  private let bytes: UnsafeRawBufferPointer
  private let place: String
  private var position = 0

  /// Calls `body` with every token and its id, in the file's order.
  static func forEachToken(
    in bytes: UnsafeRawBufferPointer, at place: String, _ body: ([UInt8], Int) throws -> Void
  ) throws {
    var reader = VocabularyReader(bytes: bytes, place: place)
    try reader.enter("model")
    try reader.enter("vocab")
    try reader.members { key, reader in try body(key, reader.integer()) }
  }

  private init(bytes: UnsafeRawBufferPointer, place: String) {
    self.bytes = bytes
    self.place = place
  }

  /// Goes to the value of `key` in the object that comes next.
  private mutating func enter(_ key: String) throws {
    try expect(UInt8(ascii: "{"))
    while true {
      let name = try string()
      try expect(UInt8(ascii: ":"))
      if name.elementsEqual(key.utf8) { return }
      try skipValue()
      try expect(UInt8(ascii: ","))
    }
  }

  private mutating func members(_ body: ([UInt8], inout VocabularyReader) throws -> Void) throws {
    try expect(UInt8(ascii: "{"))
    if try next() == UInt8(ascii: "}") { return }
    while true {
      let key = try string()
      try expect(UInt8(ascii: ":"))
      try body(key, &self)
      guard try next() == UInt8(ascii: ",") else { return try expect(UInt8(ascii: "}")) }
      position += 1
    }
  }

  /// The next byte that is not white space, without taking it.
  private mutating func next() throws -> UInt8 {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    guard position < bytes.count else { throw malformed("the end of the file") }
    return bytes[position]
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard try next() == byte else { throw malformed("byte \(position)") }
    position += 1
  }

  private mutating func integer() throws -> Int {
    _ = try next()
    let start = position
    while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] { position += 1 }
    guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw malformed("a token id at byte \(start) that is no whole number")
    }
    return number
  }

  private mutating func string() throws -> [UInt8] {
    try expect(UInt8(ascii: "\""))
    var out: [UInt8] = []
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      if bytes[position] == UInt8(ascii: "\\") {
        out += try escape()
      } else {
        out.append(bytes[position])
        position += 1
      }
    }
    try expect(UInt8(ascii: "\""))
    return out
  }

  private mutating func escape() throws -> [UInt8] {
    guard position + 1 < bytes.count else { throw malformed("the end of the file") }
    let kind = bytes[position + 1]
    position += 2
    switch kind {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        units.append(try codeUnit())
      }
      return Array(String(decoding: units, as: UTF16.self).utf8)
    default: return [kind]
    }
  }

  private mutating func codeUnit() throws -> UInt16 {
    let digits = bytes[min(position, bytes.count)...].prefix(4)
    guard let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw malformed("byte \(position)")
    }
    position += 4
    return unit
  }

  private mutating func skipValue() throws {
    var depth = 0
    repeat {
      switch try next() {
      case UInt8(ascii: "\""): _ = try string()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        position += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"): position += 1
      default: skipPlain()
      }
    } while depth > 0
  }

  /// A number, true, false or null.
  private mutating func skipPlain() {
    let ends = Array(",:]}".utf8)
    while position < bytes.count, bytes[position] > 0x20, !ends.contains(bytes[position]) { position += 1 }
  }

  private func malformed(_ found: String) -> FireflyError {
    FireflyError("cannot read the vocabulary", at: place, found: found)
  }
}
