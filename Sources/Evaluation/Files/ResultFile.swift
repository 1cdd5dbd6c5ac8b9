import FireflyBase
import Foundation

/// Finished items of an evaluation, a JSON object a line, so that an evaluation that was stopped goes on.
///
/// The first line holds the settings that decide the results; going on with others is refused. A last line that was
/// cut off by a crash is dropped. The file is locked as long as this object lives.
public final class ResultFile {
  public let path: String
  /// What the file has, by id.
  package private(set) var items: [String: JSONValue] = [:]
  /// The items' ids as their lines stand in the file.
  private var order: [String] = []
  private let settings: [String: JSONValue]
  private let descriptor: Int32

  private static let mark = "firefly_eval"
  private static let version = 1

  /// Opens the file, or makes it.
  ///
  /// - Parameter settings: what decides an item's result.
  /// - Throws: `FireflyError` when the file is another kind of file, was made with other settings, has a line that is
  ///   damaged or an id that comes twice, or is in use.
  public init(_ path: String, settings: [String: JSONValue]) throws {
    self.path = path
    self.settings = settings
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw FireflyError("cannot open the file: \(String(cString: strerror(errno)))", at: path)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw FireflyError(
        "another evaluation is writing to this file", at: path, fix: "Wait for its end, or name another file."
      )
    }
    let lines = try completeLines()
    if let header = lines.first {
      try check(header, against: settings)
      for (index, line) in lines.enumerated().dropFirst() { try take(line, at: "\(path):\(index + 1)") }
    } else {
      try write(header)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Adds finished items; each is an object, which gets its id.
  package func append(_ finished: [(id: String, item: JSONValue)]) throws {
    var text = ""
    for (id, item) in finished {
      precondition(items[id] == nil && item.object != nil, "item \(id)")
      var members = item.object ?? [:]
      members["id"] = .string(id)
      items[id] = .object(members)
      order.append(id)
      text += ResultFile.line(.object(members))
    }
    try write(text)
  }

  /// Puts the lines into the order of `ids`; those of other items come last, as they stood. The last that is done to it.
  package func arrange(_ ids: [String]) throws {
    let wanted = ids.filter { items[$0] != nil }
    let others = Set(order).subtracting(wanted)
    let arranged = wanted + order.filter(others.contains)
    guard arranged != order else { return }
    let text = header + arranged.compactMap { items[$0] }.map(ResultFile.line).joined()
    // The file itself where `path` is a link to it.
    let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    try AtomicFile.write(Data(text.utf8), to: file)
    order = arranged
  }

  // MARK: - Reading

  /// The lines; what a crash left of a last one is cut off.
  private func completeLines() throws -> [Substring] {
    let file = try MappedFile(path)
    let bytes = file.data
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    guard end > 0 || bytes.isEmpty || isCutHeader(bytes) else { throw notAResultFile }
    if end < bytes.count && ftruncate(descriptor, off_t(end)) != 0 {
      throw FireflyError("cannot write the file: \(String(cString: strerror(errno)))", at: path)
    }
    guard let text = String(validating: bytes[..<end], as: UTF8.self) else { throw notAResultFile }
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
  }

  private func isCutHeader(_ bytes: Data) -> Bool {
    let beginning = Array("{\"\(ResultFile.mark)\":".utf8)
    return bytes.prefix(beginning.count).elementsEqual(beginning.prefix(bytes.count))
  }

  private func check(_ line: Substring, against settings: [String: JSONValue]) throws {
    guard let header = try? JSONValue.parse(String(line), source: path),
      header[ResultFile.mark]?.int == ResultFile.version, let saved = header["settings"]?.object
    else { throw notAResultFile }
    for key in Set(saved.keys).union(settings.keys).sorted() where saved[key] != settings[key] {
      throw FireflyError(
        "the file's results were made with another \"\(key)\"", at: path,
        expected: settings[key]?.text() ?? "none", found: saved[key]?.text() ?? "none",
        fix: "Name another file, remove this one, or go on with its settings.")
    }
  }

  private func take(_ line: Substring, at place: String) throws {
    let item = try JSONValue.parse(String(line), source: place)
    guard let id = item["id"]?.string else {
      throw FireflyError("the line is not a result", at: place, expected: "an object with an \"id\"")
    }
    guard items.updateValue(item, forKey: id) == nil else {
      throw FireflyError(
        "the file has a result twice", at: place, found: "\"\(id)\"", fix: "Remove one of the two lines.")
    }
    order.append(id)
  }

  private var notAResultFile: FireflyError {
    FireflyError(
      "not a file of an evaluation's results", at: path,
      expected: "{\"\(ResultFile.mark)\": 1, …} on the first line",
      fix: "Name another file.")
  }

  // MARK: - Writing

  private var header: String {
    ResultFile.line(.object([ResultFile.mark: .int(ResultFile.version), "settings": .object(settings)]))
  }

  private static func line(_ json: JSONValue) -> String { json.text() + "\n" }

  private func write(_ text: String) throws {
    if let failure = writeAll(Array(text.utf8), to: descriptor) {
      throw FireflyError("cannot write the file: \(String(cString: strerror(failure)))", at: path)
    }
  }
}
