import Foundation

/// Reads a JSON document (RFC 8259, UTF-8) from front to back, without building what is not asked for.
///
/// A value: a copy remembers its place in the document, so that a part can be skipped and read later.
/// Strings come as UTF-8 bytes, because Swift's `String` takes two spellings of one character as equal.
package struct JSONReader {
  /// How deep lists and objects may nest, so that a hostile document cannot use up the stack.
  private static let deepest = 512

  private let bytes: UnsafeRawBufferPointer
  private let source: String
  /// Whether the document is a part of a file: errors then name the file's line as their place.
  private let isPart: Bool
  private var position = 0
  private var depth = 0
  /// The string read last, where it has escapes.
  private var unescaped: [UInt8] = []

  /// - Parameters:
  ///   - bytes: must stay valid while this reader and its copies are used.
  ///   - part: where in them the document stands, when it is one of several in a file; nil for all.
  ///   - source: names the document in errors, or the file that it is a part of.
  package init(_ bytes: UnsafeRawBufferPointer, part: Range<Int>? = nil, source: String) throws {
    self.bytes = UnsafeRawBufferPointer(rebasing: bytes[..<(part?.upperBound ?? bytes.count)])
    self.source = source
    isPart = part != nil
    position = part?.lowerBound ?? bytes.startOfText
    let document = UnsafeRawBufferPointer(rebasing: self.bytes[position...])
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: document.bindMemory(to: UInt8.self).span)
    } catch {
      position += error.byteOffsets.lowerBound
      throw malformed("bytes that are not UTF-8")
    }
  }

  // MARK: - Values

  /// The value that comes next.
  package mutating func value() throws -> JSONValue {
    switch try next() {
    case UInt8(ascii: "\""):
      return .string(try withString { String(decoding: $0, as: UTF8.self) })
    case UInt8(ascii: "{"):
      var members: [String: JSONValue] = [:]
      try forEachMember { key, reader in
        let name = String(decoding: key, as: UTF8.self)
        if let known = members.index(forKey: name), !members.keys[known].utf8.elementsEqual(name.utf8) {
          throw reader.malformed("a key that differs from another only in its Unicode form")
        }
        members[name] = try reader.value()
      }
      return .object(members)
    case UInt8(ascii: "["):
      var list: [JSONValue] = []
      try forEachElement { list.append(try $0.value()) }
      return .array(list)
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  /// The next byte that is not white space, which `value` will take; an error at the end of the document.
  package mutating func next() throws -> UInt8 {
    guard let byte = skipSpace() else { throw malformed("the end of the text") }
    return byte
  }

  /// The next byte that is not white space; nil at the end of the document.
  private mutating func skipSpace() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return nil
  }

  /// Goes past the value that comes next.
  package mutating func skip() throws {
    switch try next() {
    case UInt8(ascii: "\""): try withString { _ in }
    case UInt8(ascii: "{"): try forEachMember { try $1.skip() }
    case UInt8(ascii: "["): try forEachElement { try $0.skip() }
    default: _ = try value()
    }
  }

  /// - Throws: when anything but white space follows.
  package mutating func end() throws {
    if skipSpace() != nil { throw malformed(nil) }
  }

  // MARK: - Objects and lists

  /// Calls `body` with each key of the object that comes next; `body` must read or skip the value.
  /// The key's bytes are valid until then.
  package mutating func forEachMember(
    _ body: (UnsafeRawBufferPointer, inout JSONReader) throws -> Void
  ) throws {
    try group(UInt8(ascii: "{"), UInt8(ascii: "}")) { reader in
      guard try reader.next() == UInt8(ascii: "\"") else { throw reader.malformed(nil) }
      let start = reader
      try reader.withString { _ in }
      try reader.expect(UInt8(ascii: ":"))
      var key = start
      try key.withString { try body($0, &reader) }
    }
  }

  /// Calls `body` for each element of the list that comes next; `body` must read or skip it.
  package mutating func forEachElement(_ body: (inout JSONReader) throws -> Void) throws {
    try group(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  private mutating func group(
    _ open: UInt8, _ close: UInt8, _ body: (inout JSONReader) throws -> Void
  ) throws {
    try expect(open)
    depth += 1
    guard depth <= JSONReader.deepest else { throw malformed("lists or objects nested too deep") }
    defer { depth -= 1 }
    if try next() == close {
      position += 1
      return
    }
    while true {
      try body(&self)
      let byte = try next()
      guard byte == close || byte == UInt8(ascii: ",") else { throw malformed(nil) }
      position += 1
      if byte == close { return }
    }
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard try next() == byte else { throw malformed(nil) }
    position += 1
  }

  // MARK: - Words and numbers

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
    let count = text.utf8CodeUnitCount
    guard bytes.count - position >= count,
      bytes[position..<(position + count)].elementsEqual(
        UnsafeBufferPointer(start: text.utf8Start, count: count))
    else { throw malformed(nil) }
    position += count
    return value
  }

  private mutating func number() throws -> JSONValue {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let whole = digits()
    guard whole == 1 || whole > 1 && bytes[position - whole] != UInt8(ascii: "0") else {
      throw malformed(nil)
    }
    var isWhole = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      isWhole = false
      guard digits() > 0 else { throw malformed(nil) }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      isWhole = false
      if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) {
        position += 1
      }
      guard digits() > 0 else { throw malformed(nil) }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let number = Int(text) { return .int(number) }
    guard let number = Double(text), number.isFinite else { throw malformed("a number out of range") }
    return .double(number)
  }

  /// Goes past digits and counts them.
  private mutating func digits() -> Int {
    let start = position
    while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] { position += 1 }
    return position - start
  }

  // MARK: - Strings

  /// Reads the string that comes next; its bytes are valid inside `body`.
  package mutating func withString<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try expect(UInt8(ascii: "\""))
    let start = position
    try skipPlain()
    if bytes[position] == UInt8(ascii: "\"") {
      position += 1
      return try body(UnsafeRawBufferPointer(rebasing: bytes[start..<(position - 1)]))
    }
    unescaped.removeAll(keepingCapacity: true)
    unescaped.append(contentsOf: bytes[start..<position])
    while bytes[position] != UInt8(ascii: "\"") {
      try escape()
      let plain = position
      try skipPlain()
      unescaped.append(contentsOf: bytes[plain..<position])
    }
    position += 1
    return try unescaped.withUnsafeBytes(body)
  }

  /// Goes to the next quotation mark or backslash.
  private mutating func skipPlain() throws {
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
      guard byte >= 0x20 else { throw malformed("a control character in a string") }
      position += 1
    }
    throw malformed("the end of the text inside a string")
  }

  private mutating func escape() throws {
    guard position + 1 < bytes.count else { throw malformed("the end of the text inside a string") }
    let kind = bytes[position + 1]
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(kind)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw malformed("an unknown escape")
    }
    position += 2
  }

  /// `\uXXXX`, or two of them that are a surrogate pair.
  private mutating func unicodeEscape() throws {
    let start = position
    var units = [try codeUnit()]
    if UTF16.isLeadSurrogate(units[0]) { units.append(try codeUnit()) }
    guard let text = String(validating: units, as: UTF16.self) else {
      position = start
      throw malformed("half of a surrogate pair")
    }
    unescaped.append(contentsOf: text.utf8)
  }

  private mutating func codeUnit() throws -> UInt16 {
    guard bytes.count - position >= 6, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw malformed("half of a surrogate pair") }
    var unit: UInt16 = 0
    for byte in bytes[(position + 2)..<(position + 6)] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw malformed("an escape without four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
    }
    position += 6
    return unit
  }

  // MARK: - Errors

  /// - Parameter found: what stands here; nil for the character itself.
  private func malformed(_ found: String?) -> FireflyError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == 0x0A } + 1
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
    let found = found ?? character()
    if isPart { return FireflyError("not valid JSON: \(found) in column \(column)", at: "\(source):\(line)") }
    return FireflyError("not valid JSON: \(found) in line \(line), column \(column)", at: source)
  }

  private func character() -> String {
    guard position < bytes.count else { return "the end of the text" }
    let text = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
    guard let scalar = text.unicodeScalars.first else { return "an unexpected byte" }
    return scalar.value < 0x20 ? "an unexpected byte \(scalar.value)" : "unexpected \"\(scalar)\""
  }
}

// MARK: - Whole documents

extension JSONValue {
  /// - Parameter source: names the document in the error: a path, or `path:line`.
  /// - Throws: `FireflyError` with what is wrong, its line and its column.
  public static func parse(_ data: Data, source: String) throws -> JSONValue {
    try data.withUnsafeBytes { try parse($0, source: source) }
  }

  public static func parse(_ text: String, source: String) throws -> JSONValue {
    var text = text
    return try text.withUTF8 { try parse(UnsafeRawBufferPointer($0), source: source) }
  }

  /// - Parameter part: where in `bytes` the document stands, when it is one of several in a file.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, part: Range<Int>? = nil, source: String
  ) throws -> JSONValue {
    var reader = try JSONReader(bytes, part: part, source: source)
    let value = try reader.value()
    try reader.end()
    return value
  }

  /// Reads and parses a whole file.
  public static func read(_ path: String) throws -> JSONValue {
    let file = try MappedFile(path)
    guard !file.bytes.isEmpty else { throw FireflyError("the file is empty", at: path, expected: "JSON") }
    return try withExtendedLifetime(file) { try parse(file.bytes, source: path) }
  }
}
