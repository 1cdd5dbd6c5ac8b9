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

  func line(_ text: String) throws {
    try write(text)
    try write("\n")
  }

  /// A line for people, in their language; results for programs and what models write take `line`.
  func say(_ text: String) throws { try line(Language.current.lines(text)) }

  func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
    guard let failure = writeAll(buffer, to: STDOUT_FILENO) else { return }
    if failure == EPIPE { throw OutputClosed() }
    throw FireflyError("cannot write to standard output: \(String(cString: strerror(failure)))")
  }
}

/// Standard error: progress and messages. A reader that has gone is not waited for.
enum Messages {
  static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }

  /// A line, in the user's language.
  static func line(_ text: String) { write(Language.current.lines(text) + "\n") }

  static func failure(_ error: any Error) { write("firefly: \(Language.current(error))\n") }

  /// What a reader of files wants the user to know, each on a line of its own.
  static func notes(_ notes: [String]) { notes.forEach { line("firefly: \($0)") } }

  /// Whether progress can redraw its line.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// One line of progress that redraws itself on a terminal, and is silent otherwise.
final class ProgressLine {
  private let title: String
  private var shown = -1
  /// When the first share was told, and which.
  private var start: (time: ContinuousClock.Instant, share: Double)?

  init(_ title: String) { self.title = Language.current(title) }

  /// - Parameter share: 0…1.
  func update(_ share: Double) {
    let percent = Int(share * 100)
    guard Messages.isTerminal, percent != shown else { return }
    shown = percent
    let cells = Int(share * 20)
    let bar = String(repeating: "#", count: cells) + String(repeating: ".", count: max(0, 20 - cells))
    Messages.write("\r\u{1B}[K[\(bar)] \(percent) %  \(title)\(timeLeft(share))")
  }

  private func timeLeft(_ share: Double) -> String {
    guard let start else {
      self.start = (.now, share)
      return ""
    }
    let done = share - start.share
    guard done > 0, share < 1 else { return "" }
    let seconds = (ContinuousClock.now - start.time).seconds * (1 - share) / done
    return Language.current("  \(Readable.duration(seconds)) left")
  }

  func clear() {
    if shown >= 0 { Messages.write("\r\u{1B}[K") }
    shown = -1
  }
}
