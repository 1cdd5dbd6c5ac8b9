import FireflyBase
import Foundation
import Synchronization

/// Keys from the terminal, and its signals: Ctrl-C, a resized window, the return from Ctrl-Z. There is one of it in the
/// program, and it lasts as long.
final class Keyboard {
  enum Event {
    case character(Unicode.Scalar)
    case signal(Int32)
    case end
  }

  /// Signals come out of this pipe, so that one wait is for them and for keys.
  private let signals: Int32
  /// Read and not yet asked for.
  private var bytes: ArraySlice<UInt8> = []

  /// From here on the signals do nothing but wait to be told by `next`.
  ///
  /// - Throws: `FireflyError` when the system gives no pipe.
  init() throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw FireflyError("the system gives no pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    signals = ends[0]
    signalEnd.store(ends[1], ordering: .relaxed)
    for number in [SIGINT, SIGWINCH, SIGCONT] {
      signal(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(signalEnd.load(ordering: .relaxed), &byte, 1)
      }
    }
  }

  /// Whether the terminal shall write brackets around what is pasted.
  func askForBrackets(_ isOn: Bool) {
    guard Terminal.isCapable(STDERR_FILENO) else { return }
    _ = writeAll(Array("\u{1B}[?2004\(isOn ? "h" : "l")".utf8), to: STDERR_FILENO)
  }

  /// Waits for a signal or a character.
  func next() -> Event {
    while true {
      if let number = nextSignal() { return .signal(number) }
      if let scalar = takeScalar() { return .character(scalar) }
      var wanted = [STDIN_FILENO, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&wanted, nfds_t(wanted.count), -1) > 0 else { continue }
      if wanted[1].revents == 0 && !readMore() { return .end }
    }
  }

  private func nextSignal() -> Int32? {
    var byte: UInt8 = 0
    return read(signals, &byte, 1) == 1 ? Int32(byte) : nil
  }

  private func readMore() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = read(STDIN_FILENO, &chunk, chunk.count)
    if count < 0 && errno == EINTR { return true }
    bytes += chunk.prefix(max(0, count))
    return count > 0
  }

  /// The next character, once all its bytes are there; U+FFFD for a byte that begins none.
  private func takeScalar() -> Unicode.Scalar? {
    guard let first = bytes.first else { return nil }
    let length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard bytes.count >= length else { return nil }
    let text = String(decoding: bytes.prefix(length), as: UTF8.self)
    bytes = bytes.dropFirst(text.unicodeScalars.count == 1 ? length : 1)
    return text.unicodeScalars.first
  }
}

/// Where a signal's handler, which has no context, writes the signal's number.
private let signalEnd = Atomic<Int32>(-1)
