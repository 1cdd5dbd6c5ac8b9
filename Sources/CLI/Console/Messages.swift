import FireflyBase
import Foundation
import Synchronization

/// Standard error: messages, and beneath them one line of progress that redraws itself on a terminal. All that is written
/// to the terminal goes through here, so that nothing is ever glued to that line. A reader that has gone is not waited for.
enum Messages {
  private struct Bottom {
    /// What the line of progress shows; empty when there is none.
    var progress = ""
    /// Whether something stands on the terminal's line that is to be kept: the beginning of an answer.
    var isOpen = false
    /// What `note` has told.
    var told: Set<String> = []
  }

  private static let bottom = Mutex(Bottom())
  private static let start = "\r\u{1B}[K"

  /// Whether progress can redraw its line.
  static let isTerminal = Terminal.isCapable(STDERR_FILENO)
  /// Whether results are read on the same terminal.
  private static let sharesOutput = isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1

  /// A line that stays, above the progress, in the user's language.
  static func line(_ text: String) { keep(Language.current.lines(text)) }

  /// Why the program, or what it was asked for, ended.
  static func failure(_ error: any Error) { keep("firefly: \(Language.current(error))") }

  private static func keep(_ text: String) {
    let text = Terminal.wrapped(text, STDERR_FILENO)
    bottom.withLock { bottom in
      put(cleared(bottom) + text + "\n" + bottom.progress)
      bottom.isOpen = false
    }
  }

  /// Rows of cells, aligned and as wide as the terminal.
  static func list(_ rows: [[String]]) -> String {
    Columns.table(rows.map { $0.map { Language.current($0) } }, width: Terminal.columns(STDERR_FILENO))
      .joined(separator: "\n")
  }

  /// The beginning of a line that results go on with.
  static func begin(_ text: String) {
    bottom.withLock { bottom in
      put(cleared(bottom) + text)
      (bottom.progress, bottom.isOpen) = ("", true)
    }
  }

  /// What the user should know, told once however often it comes up: each file of a model is read for several purposes.
  static func note(_ text: String) {
    if bottom.withLock({ $0.told.insert(text).inserted }) { line("firefly: \(text)") }
  }

  // MARK: - Progress

  /// Draws the line of progress anew, as long as the terminal is wide with Ctrl-C's echo behind it; nothing where it cannot
  /// be redrawn.
  static func progress(_ text: String) {
    guard isTerminal else { return }
    let text = Columns.cut(Language.current.lines(text), to: (Terminal.columns(STDERR_FILENO) ?? 80) - 3)
    bottom.withLock { bottom in
      put(cleared(bottom) + text)
      (bottom.progress, bottom.isOpen) = (text, false)
    }
    hasProgress.store(true, ordering: .relaxed)
  }

  /// Takes the line of progress away.
  static func clearProgress() {
    bottom.withLock { bottom in
      if !bottom.progress.isEmpty { put(cleared(bottom)) }
      bottom.progress = ""
    }
    hasProgress.store(false, ordering: .relaxed)
  }

  /// A signal that ends the program while progress is shown takes the line away first.
  static func clearProgressOnSignals() {
    for number in [SIGINT, SIGTERM] {
      let before = signal(number) { number in
        if hasProgress.load(ordering: .relaxed) { write(STDERR_FILENO, "\r\u{1B}[K", 4) }
        signal(number, SIG_DFL)
        raise(number)
      }
      // A shell starts what runs in the background with SIGINT ignored.
      if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        signal(number, SIG_IGN)
      }
    }
  }

  // MARK: - Beside results

  /// To be called before results are written, which may stand on the same terminal; and told how they end.
  static func results(_ text: [UInt8]) {
    guard sharesOutput, let last = text.last else { return }
    clearProgress()
    bottom.withLock { $0.isOpen = last != UInt8(ascii: "\n") }
  }

  /// What takes the terminal to the beginning of an empty line: the progress goes, and so does a Ctrl-C's echo.
  private static func cleared(_ bottom: Bottom) -> String {
    if bottom.isOpen { return "\n" }
    guard isTerminal else { return "" }
    // A window that was made narrower has wrapped the progress.
    let rows = max(0, Columns.count(bottom.progress) - 1) / (Terminal.columns(STDERR_FILENO) ?? 80)
    return rows == 0 ? start : "\r\u{1B}[\(rows)A\u{1B}[J"
  }

  private static func put(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
}

/// A signal's handler has no context, and may not wait for a lock.
private let hasProgress = Atomic(false)
