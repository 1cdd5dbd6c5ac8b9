import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM: the first ends `wait`, the second the process.
final class StopSignals: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let count = Atomic<Int>(0)

  /// Runs `body` with both signals caught.
  func during(_ body: () throws -> Void) rethrows {
    try Signals.caught([SIGINT, SIGTERM], by: { [self] in caught($0) }, during: body)
  }

  func wait() { semaphore.wait() }

  private func caught(_ number: Int32) {
    if count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
    semaphore.signal()
  }
}
