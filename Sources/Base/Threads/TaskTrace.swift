import Foundation
import Synchronization

/// How the work of one thread was cut into tasks, and how long each took: from it can be said what more threads would do.
package struct TaskTrace: Sendable {
  /// One call of `Parallel.run`.
  package struct Region: Sendable {
    /// Since the region before it ended, or the recording began: what its thread did alone.
    package let serialSeconds: Double
    /// From its call to its return.
    package let seconds: Double
    /// Of each task, in their order.
    package let taskSeconds: [Double]
  }

  /// In their order; those within a task belong to that task.
  package fileprivate(set) var regions: [Region] = []
  /// From the beginning to the end of the recording.
  package fileprivate(set) var seconds = 0.0

  /// Runs `body`, whose regions must all come from this thread, and records them.
  package static func record(_ body: () throws -> Void) rethrows -> TaskTrace {
    precondition(!isOn.exchange(true, ordering: .relaxed), "a recording within a recording")
    defer { isOn.store(false, ordering: .relaxed) }
    recorder = pthread_self()
    current = TaskTrace()
    let start = MonotonicTime.now()
    lastEnd = start
    try body()
    current.seconds = MonotonicTime.now() - start
    return current
  }

  // MARK: - For Parallel

  private static let isOn = Atomic<Bool>(false)
  nonisolated(unsafe) private static var current = TaskTrace()
  nonisolated(unsafe) private static var recorder = pthread_self()
  nonisolated(unsafe) private static var lastEnd = 0.0
  nonisolated(unsafe) private static var isWithin = false  // a region of the recorder

  /// Whether a region that the calling thread begins now is to be recorded.
  static var wantsRegion: Bool {
    isOn.load(ordering: .relaxed) && pthread_equal(pthread_self(), recorder) != 0 && !isWithin
  }

  /// Adds a region of `tasks` calls of `body`, which `run` makes.
  static func region(_ tasks: Int, _ body: (Int) -> Void, run: @escaping (Int, (Int) -> Void) -> Void) {
    isWithin = true
    defer { isWithin = false }
    let start = MonotonicTime.now()
    let durations = [Double](unsafeUninitializedCapacity: tasks) { buffer, count in
      nonisolated(unsafe) let places = buffer
      run(tasks) { task in
        let start = MonotonicTime.now()
        body(task)
        places.initializeElement(at: task, to: MonotonicTime.now() - start)
      }
      count = tasks
    }
    let end = MonotonicTime.now()
    current.regions.append(
      Region(serialSeconds: start - lastEnd, seconds: end - start, taskSeconds: durations))
    lastEnd = end
  }
}
