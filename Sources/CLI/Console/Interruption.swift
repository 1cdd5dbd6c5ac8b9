import Foundation
import Synchronization

private let interrupted = Atomic(false)

/// Ctrl-C, or another of the signals, while `body` runs does not end the program: `isRequested` becomes true instead.
enum Interruption {
  static var isRequested: Bool { interrupted.load(ordering: .relaxed) }

  static func caught<T>(_ signals: [Int32] = [SIGINT], _ body: () throws -> T) rethrows -> T {
    interrupted.store(false, ordering: .relaxed)
    let before = signals.map { signal($0) { _ in interrupted.store(true, ordering: .relaxed) } }
    defer { for (number, handler) in zip(signals, before) { signal(number, handler) } }
    return try body()
  }
}
