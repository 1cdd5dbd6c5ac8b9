import Foundation
import Synchronization

private let interrupted = Atomic(false)

/// Ctrl-C while `body` runs does not end the program: `isRequested` becomes true instead.
enum Interruption {
  static var isRequested: Bool { interrupted.load(ordering: .relaxed) }

  static func caught<T>(_ body: () throws -> T) rethrows -> T {
    interrupted.store(false, ordering: .relaxed)
    let before = signal(SIGINT) { _ in interrupted.store(true, ordering: .relaxed) }
    defer { signal(SIGINT, before) }
    return try body()
  }
}
