import Foundation

/// A value that several threads share, reached only under its lock.
///
/// `Synchronization.Mutex` promises the same, but takes its lock where ThreadSanitizer does not see it, so that whatever such a
/// lock protects is reported as a race.
package final class Locked<Value>: @unchecked Sendable {
  private var value: Value
  private let lock = NSLock()

  package init(_ value: sending Value) { self.value = value }

  /// Calls `body` while no other thread has the value; `body` may not ask for it again.
  package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
