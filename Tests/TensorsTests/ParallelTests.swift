import FireflyBase
import FireflyTensors
import Foundation
import Testing

struct ParallelTests {
  @Test(arguments: [1, 2, 5])
  func everyTaskRunsOnce(threads: Int) {
    withThreads(threads) {
      for tasks in [0, 1, 2, 7, 1000] {
        let runs = Counters(tasks)
        Parallel.run(tasks) { runs.add($0) }
        #expect(runs.values == [Int](repeating: 1, count: tasks), "\(tasks) tasks")
      }
    }
  }

  @Test func aTaskMayRunTasks() {
    withThreads(3) {
      let runs = Counters(8 * 50)
      Parallel.run(8) { outer in Parallel.run(50) { inner in runs.add(outer * 50 + inner) } }
      #expect(runs.values == [Int](repeating: 1, count: 400))
    }
  }

  /// A trace has every region of its thread with all its tasks; those of a task are within it.
  @Test func aTraceHasEveryTask() {
    withThreads(2) {
      let trace = TaskTrace.record {
        Parallel.run(3) { _ in Parallel.run(4) { _ in } }
        Parallel.run(1) { _ in }
        Parallel.run(0) { _ in }
      }
      #expect(trace.regions.map(\.taskSeconds.count) == [3, 1, 0])
      for region in trace.regions {
        #expect(region.taskSeconds.allSatisfy { 0 <= $0 && $0 <= region.seconds })
        #expect(region.serialSeconds >= 0)
      }
      let inside = trace.regions.reduce(0) { $0 + $1.serialSeconds + $1.seconds }
      #expect(inside <= trace.seconds + 1e-9)
    }
  }

  /// Other tests may have the pool or change it meanwhile: then the count is another, but not every time.
  @Test func handOversAreCounted() {
    let counted = (0..<20_000).contains { _ in
      var count = 0
      withThreads(2) {
        let (result, handOvers) = Parallel.measureHandOvers {
          Parallel.run(1) { _ in }
          for _ in 0..<5 { Parallel.run(4) { _ in Parallel.run(3) { _ in } } }
          return "result"
        }
        #expect(result == "result")
        #expect(handOvers.waitingSeconds >= 0 && handOvers.waitingSeconds <= handOvers.sharedSeconds)
        count = handOvers.count
      }
      return count == 5
    }
    #expect(counted)
  }

  @Test func severalThreadsMayCallAtOnceWhileThePoolIsResized() {
    let regions = 300
    let runs = Counters(4 * 16)
    let callers = DispatchGroup()
    for caller in 0..<4 {
      DispatchQueue.global().async(group: callers) {
        for _ in 0..<regions { Parallel.run(16) { runs.add(caller * 16 + $0) } }
      }
    }
    for threads in [1, 4, 2, 3] { withThreads(threads) { Parallel.run(3) { _ in } } }
    callers.wait()
    #expect(runs.values == [Int](repeating: regions, count: 64))
  }

  /// Whoever performs a task, on whichever thread, can tell whose it is: what is measured counts its own alone.
  @Test func aTaskKnowsTheThreadThatAskedForIt() {
    let others = Counters(4)
    let callers = DispatchGroup()
    for caller in 0..<4 {
      DispatchQueue.global().async(group: callers) {
        let own = pthread_self()
        for _ in 0..<300 {
          Parallel.run(16) { _ in
            Parallel.run(2) { _ in if pthread_equal(Parallel.asker, own) == 0 { others.add(caller) } }
          }
        }
        if pthread_equal(Parallel.asker, own) == 0 { others.add(caller) }
      }
    }
    withThreads(3) { callers.wait() }
    #expect(others.values == [0, 0, 0, 0])
  }
}

/// A counter to each task.
private final class Counters: Sendable {
  private let counts: Locked<[Int]>

  init(_ count: Int) { counts = Locked([Int](repeating: 0, count: count)) }
  func add(_ index: Int) { counts.withLock { $0[index] += 1 } }
  var values: [Int] { counts.withLock { $0 } }
}
