import FireflyBase
import Foundation

/// The reader of standard output has gone (`firefly … | head`): not an error, the program ends quietly.
struct OutputClosed: Error {}

/// Standard output, buffered; results go here and nothing else.
final class Output {
  private var buffer: [UInt8] = []

  /// Appends `text`; written when 64 KiB have gathered, or by `flush`.
  func write(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// A sentence for people, in their language; a terminal shows its words whole. What programs read and models write takes
  /// `line`.
  func sentence(_ text: String) throws {
    try line(Terminal.wrapped(Language.current.lines(text), STDOUT_FILENO))
  }

  /// Appends what a model says: to a file as it is, to a terminal without what would move its cursor.
  func write(answer text: String) throws {
    try write(isatty(STDOUT_FILENO) == 1 ? Terminal.printable(text) : text)
  }

  func line(_ text: String) throws {
    try write(text)
    try write("\n")
  }

  func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
    Messages.results(buffer)
    guard let failure = writeAll(buffer, to: STDOUT_FILENO) else { return }
    if failure == EPIPE { throw OutputClosed() }
    throw FireflyError("cannot write to standard output: \(String(cString: strerror(failure)))")
  }
}
