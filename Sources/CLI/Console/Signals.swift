import Dispatch
import Foundation
import Synchronization

/// Signals that do not end the program while something runs: Ctrl-C, SIGTERM, SIGHUP (a lost terminal).
enum Signals {
  /// Runs `body`; a signal that comes meanwhile calls `handler` on another thread and does nothing else. Afterwards the
  /// signals do what they did before.
  static func caught<Result>(
    _ numbers: [Int32], by handler: @escaping @Sendable (Int32) -> Void, during body: () throws -> Result
  ) rethrows -> Result {
    let queue = DispatchQueue(label: "firefly.signals")
    let ended = DispatchGroup()
    let sources = numbers.map { number in
      let before = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { handler(number) }
      ended.enter()
      source.setCancelHandler { ended.leave() }
      source.resume()
      return (number, before, source)
    }
    defer {
      for (_, _, source) in sources { source.cancel() }
      ended.wait()  // a source that ends later would change the signal once more
      for (number, before, _) in sources { signal(number, before) }
    }
    return try body()
  }

  /// Runs `body`, which can ask whether one of the signals came. The answer is there as soon as the signal is, because it
  /// comes from the signal's own handler; that may do no more than set a flag.
  static func watched<Result>(
    _ numbers: [Int32], _ body: (_ isCaught: @escaping @Sendable () -> Bool) throws -> Result
  ) rethrows -> Result {
    hasCome.store(false, ordering: .relaxed)
    let before = numbers.map { signal($0) { _ in hasCome.store(true, ordering: .relaxed) } }
    defer { for (number, handler) in zip(numbers, before) { signal(number, handler) } }
    return try body { hasCome.load(ordering: .relaxed) }
  }
}

/// A signal's handler has no context, so the flag of `watched` is the program's.
private let hasCome = Atomic(false)
