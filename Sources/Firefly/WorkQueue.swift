import Dispatch

/// Work that takes long, one piece after the other on a thread of its own: those who wait for it hold no thread of the
/// tasks' pool.
final class WorkQueue: Sendable {
  private let queue: DispatchQueue

  init(_ label: String) { queue = DispatchQueue(label: label) }

  func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result(catching: work)) }
    }
  }

  /// What `work` tells, as it tells it.
  ///
  /// - Parameters:
  ///   - cancel: is called when nobody listens any more, before the end of the work or after it.
  ///   - work: is given where to tell; an error that it throws ends the stream.
  func stream<Element: Sendable>(
    cancel: @escaping @Sendable () -> Void,
    _ work: @escaping @Sendable (_ tell: @escaping @Sendable (Element) -> Void) throws -> Void
  ) -> AsyncThrowingStream<Element, any Error> {
    AsyncThrowingStream { continuation in
      continuation.onTermination = { _ in cancel() }
      queue.async {
        do {
          try work { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }
}
