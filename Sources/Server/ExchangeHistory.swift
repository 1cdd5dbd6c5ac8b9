import FireflyBase
import Foundation

/// The file to which exchanges are appended, a JSON line each.
final class ExchangeHistory: Sendable {
  private let path: String
  private let lock = Locked(())

  init(_ path: String) { self.path = path }

  /// - Throws: `FireflyError` when the file cannot be written.
  func check() throws {
    let file = openFile()
    guard file >= 0 else {
      throw FireflyError(
        "the history cannot be written: \(String(cString: strerror(errno)))", at: path,
        fix: "Choose a file that you may write to.")
    }
    close(file)
  }

  /// Adds a line; an exchange that cannot be written is lost, and the answer is not.
  func append(_ exchange: JSONValue) {
    lock.withLock { _ in
      let line = Array((exchange.text() + "\n").utf8)
      let file = openFile()
      guard file >= 0 else { return }
      _ = write(file, line, line.count)
      close(file)
    }
  }

  private func openFile() -> Int32 {
    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
  }
}
