import FireflyBase
import FireflyTensors

/// A computation recorded several times: how long it takes, and where the time goes.
package struct Measurement: Sendable {
  /// How long the median run took; the FLOP and the parts are that run's too.
  package let seconds: Double
  /// FLOP that the algorithm needs.
  package let flop: Double
  /// Seconds and FLOP of each part.
  package let parts: [(part: Ledger.Part, entry: Ledger.Entry)]
  /// The time that no part accounts for.
  package let otherSeconds: Double
  /// Blocks asked from the system in all runs: none, once the shapes have been seen.
  package let systemAllocations: Int
  /// What sharing the median run's work among threads took.
  package let handOvers: Parallel.HandOvers
  /// The most bytes that tensors held at once in any run, weights included, mapped files not.
  package let peakBytes: Int

  /// On a card the ledger waits for each operation, so time is taken of runs without it, and the parts are shares of that:
  /// those that they have of a recorded run.
  ///
  /// - Parameters:
  ///   - runs: how many are measured, at least one.
  ///   - unrecorded: runs before them.
  ///   - device: that they run on.
  init(runs: Int, after unrecorded: Int, on device: any Device, _ body: () -> Void) {
    for _ in 0..<unrecorded { body() }
    let free = device.isHost ? nil : Stopwatch.middle((0..<max(1, runs)).map { _ in device.time(body) })
    let recordings = device.isHost ? max(1, runs) : 1
    let records = (0..<recordings).map { _ in Ledger.record(on: device, body).record }
    let median = records.sorted { $0.seconds < $1.seconds }[records.count / 2]
    let seconds = free ?? median.seconds
    self.seconds = seconds
    flop = median.flop
    parts = Ledger.Part.allCases.map { part in
      var entry = median[part]
      entry.seconds *= seconds / median.seconds
      return (part, entry)
    }
    otherSeconds = seconds - parts.reduce(0) { $0 + $1.entry.seconds }
    systemAllocations = records.reduce(0) { $0 + $1.systemAllocations }
    handOvers = median.handOvers
    peakBytes = records.reduce(0) { max($0, $1.peakBytes) }
  }
}
