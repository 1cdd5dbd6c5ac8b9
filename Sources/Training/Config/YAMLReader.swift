import CYAML
import FireflyBase

/// Reads a YAML document as the tree that JSON's is: keys are texts, and a value without quotes is null, a Boolean or a number
/// where it is spelt so (YAML 1.2: `true` and `false` are Booleans, `no` is a text; `1e-4` is a number).
final class YAMLReader {
  /// How deep lists and objects may nest.
  private static let deepest = 64

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let source: String
  private var event = yaml_event_t()
  private var depth = 0

  /// - Throws: `FireflyError` with the line of what is not YAML, or is more than a tree: anchors, tags, several documents.
  static func parse(_ bytes: UnsafeRawBufferPointer, source: String) throws -> JSONValue {
    bytes.isEmpty ? .null : try YAMLReader(bytes, source).document()
  }

  private init(_ bytes: UnsafeRawBufferPointer, _ source: String) throws {
    self.source = source
    // libyaml keeps the parser's own address.
    parser = .allocate(capacity: 1)
    guard yaml_parser_initialize(parser) == 1 else {
      throw FireflyError("no memory to read YAML", at: source)
    }
    yaml_parser_set_input_string(parser, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
  }

  deinit {
    yaml_event_delete(&event)
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  // MARK: - Structure

  private func document() throws -> JSONValue {
    try next()  // the stream's start
    guard try next() == YAML_DOCUMENT_START_EVENT else { return .null }
    try next()
    let value = try value()
    try next()  // the document's end
    guard try next() == YAML_STREAM_END_EVENT else { throw wrong("a second document follows") }
    return value
  }

  @discardableResult
  private func next() throws -> yaml_event_type_t {
    yaml_event_delete(&event)
    guard yaml_parser_parse(parser, &event) == 1 else {
      let problem = parser.pointee.problem.map { String(cString: $0) } ?? "bytes that are not UTF-8"
      throw FireflyError("not valid YAML: \(problem)", at: place(parser.pointee.problem_mark))
    }
    return event.type
  }

  /// The value whose first event has come.
  private func value() throws -> JSONValue {
    switch event.type {
    case YAML_SCALAR_EVENT: return try scalar()
    case YAML_SEQUENCE_START_EVENT:
      try refuseMarks(event.data.sequence_start.anchor, event.data.sequence_start.tag)
      var list: [JSONValue] = []
      try nested { while try next() != YAML_SEQUENCE_END_EVENT { list.append(try value()) } }
      return .array(list)
    case YAML_MAPPING_START_EVENT:
      try refuseMarks(event.data.mapping_start.anchor, event.data.mapping_start.tag)
      var members: [String: JSONValue] = [:]
      try nested {
        while try next() != YAML_MAPPING_END_EVENT {
          let (key, keyPlace) = (try key(), place(event.start_mark))
          guard members[key] == nil else { throw FireflyError.keyTwice(key, at: keyPlace) }
          try next()
          members[key] = try value()
        }
      }
      return .object(members)
    default: throw wrong("an alias (\"*\")")
    }
  }

  private func nested(_ body: () throws -> Void) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth <= YAMLReader.deepest else { throw wrong("lists or objects nested too deep") }
    try body()
  }

  private func key() throws -> String {
    guard event.type == YAML_SCALAR_EVENT else { throw wrong("a key that is not a text") }
    return try text()
  }

  // MARK: - Scalars

  private func scalar() throws -> JSONValue {
    let text = try text()
    guard event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE else { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: return YAMLReader.number(text) ?? .string(text)
    }
  }

  /// The number that `text` spells in decimal.
  private static func number(_ text: String) -> JSONValue? {
    guard text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }), text.contains(where: \.isNumber)
    else { return nil }
    if let number = Int(text) { return .int(number) }
    guard let number = Double(text), number.isFinite else { return nil }
    return .double(number)
  }

  private func text() throws -> String {
    let scalar = event.data.scalar
    try refuseMarks(scalar.anchor, scalar.tag)
    return String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
  }

  // MARK: - Errors

  private func refuseMarks(
    _ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?
  ) throws {
    if anchor != nil { throw wrong("an anchor (\"&\")") }
    if tag != nil { throw wrong("a tag (\"!\")") }
  }

  private func wrong(_ what: String) -> FireflyError {
    FireflyError(
      "YAML that is not read: \(what)", at: place(event.start_mark), expected: "keys, values and lists",
      fix: "Write it without.")
  }

  private func place(_ mark: yaml_mark_t) -> String { "\(source):\(mark.line + 1)" }
}
