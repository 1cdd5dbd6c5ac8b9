import FireflyBase
import Foundation
import Synchronization

/// Where the time of a computation goes and what work it was, operation by operation: for measuring, off otherwise.
///
/// FLOP are those the algorithm needs, by shape: a product's 2·m·n·k, and of attention only the pairs below the
/// diagonal. Bytes are those of the passes between products: what norms and elementwise operations read and write, and
/// what a product's finish does beyond the result itself. Both depend on the shapes alone, so tests can hold them.
package enum Ledger {
  package enum Part: Int, CaseIterable, Sendable {
    case matrices, attention, decoding, norms, elementwise, loss, optimizer
  }

  /// What one part took.
  package struct Entry: Sendable, Equatable {
    package var calls = 0
    /// Wall time; of decoding, which is done within products, the threads' time divided by their number.
    package var seconds = 0.0
    package var flop = 0.0
    /// Read and written by passes over memory.
    package var bytes = 0
  }

  /// What was recorded.
  package struct Record: Sendable {
    package fileprivate(set) var entries: [Part: Entry] = [:]
    /// From the beginning to the end of the recording.
    package fileprivate(set) var seconds = 0.0
    /// Blocks that the pool asked from the system meanwhile.
    package fileprivate(set) var systemAllocations = 0
    /// The most bytes that tensors held at once, mapped files apart.
    package fileprivate(set) var peakBytes = 0
    /// Weights that were decoded within products, as often as they were.
    package fileprivate(set) var decodedWeights = 0
    /// What sharing the work among threads took.
    package fileprivate(set) var handOvers = Parallel.HandOvers()

    package subscript(part: Part) -> Entry { entries[part] ?? Entry() }
    package var flop: Double { entries.values.reduce(0) { $0 + $1.flop } }
    package var bytes: Int { entries.values.reduce(0) { $0 + $1.bytes } }
  }

  /// Runs `body` and records its operations, which all must come from this thread.
  package static func record<Result>(_ body: () throws -> Result) rethrows -> (result: Result, record: Record)
  {
    try record(on: CPU.shared, body)
  }

  /// - Parameter device: that all of the operations run on. A card is waited for after each, so that its time counts with
  ///   the operation that asked for it; the whole then takes longer than it would.
  package static func record<Result>(on device: any Device, _ body: () throws -> Result) rethrows -> (
    result: Result, record: Record
  ) {
    precondition(!isOn.exchange(true, ordering: .relaxed), "a recording within a recording")
    defer { isOn.store(false, ordering: .relaxed) }
    recorder = pthread_self()
    recorded = device
    current = Record()
    decodingNanoseconds.store(0, ordering: .relaxed)
    decodedWeights.store(0, ordering: .relaxed)
    let allocations = Storage.systemAllocations
    device.startRecordingPeak()
    let start = MonotonicTime.now()
    let (result, handOvers) = try Parallel.measureHandOvers(body)
    current.seconds = MonotonicTime.now() - start
    current.handOvers = handOvers
    current.systemAllocations = Storage.systemAllocations - allocations
    current.peakBytes = device.peakBytes
    current.decodedWeights = decodedWeights.load(ordering: .relaxed)
    let decoding = Double(decodingNanoseconds.load(ordering: .relaxed)) / 1e9 / Double(Parallel.threads)
    current.entries[.decoding, default: Entry()].seconds += decoding
    current.entries[.matrices, default: Entry()].seconds -= decoding
    return (result, current)
  }

  // MARK: - For operations

  private static let isOn = Atomic<Bool>(false)
  private static let decodingNanoseconds = Atomic<UInt64>(0)
  private static let decodedWeights = Atomic<Int>(0)
  nonisolated(unsafe) private static var current = Record()
  nonisolated(unsafe) private static var recorder = pthread_self()
  nonisolated(unsafe) private static var recorded: any Device = CPU.shared
  nonisolated(unsafe) private static var isWithin = false  // an operation of the recorder

  /// Adds an operation of the recording thread; one within another counts with that one.
  static func measure<Result>(
    _ part: Part, flop: @autoclosure () -> Double = 0, bytes: @autoclosure () -> Int = 0, _ body: () -> Result
  ) -> Result {
    guard isOn.load(ordering: .relaxed), pthread_equal(pthread_self(), recorder) != 0, !isWithin else {
      return body()
    }
    isWithin = true
    defer { isWithin = false }
    let start = MonotonicTime.now()
    let result = body()
    recorded.synchronise()
    current.entries[part, default: Entry()].calls += 1
    current.entries[part, default: Entry()].seconds += MonotonicTime.now() - start
    current.entries[part, default: Entry()].flop += flop()
    current.entries[part, default: Entry()].bytes += bytes()
    return result
  }

  /// Adds the decoding of so many weights within a task that the recording thread has asked for.
  static func measureDecoding(_ weights: Int, _ body: () -> Void) {
    guard isOn.load(ordering: .relaxed), pthread_equal(Parallel.asker, recorder) != 0 else { return body() }
    let start = MonotonicTime.now()
    body()
    decodingNanoseconds.add(UInt64((MonotonicTime.now() - start) * 1e9), ordering: .relaxed)
    decodedWeights.add(weights, ordering: .relaxed)
  }
}
