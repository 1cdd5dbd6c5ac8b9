import FireflyBase
import FireflyTensors

/// A computation recorded several times: how long it takes, and where the time goes.
package struct Measurement: Sendable {
  /// How long the median run took; the FLOP and the parts are that run's too.
  package let seconds: Double
  /// FLOP that the algorithm needs.
  package let flop: Double
  /// Bytes that the passes between products read and write.
  package let passBytes: Int
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
  /// Operations a second that the processor's unit did, by itself, just before and after the median run; nil: none was
  /// measured. Machines that are shared have slow spells: only rates of the same second can be compared.
  package let siliconRate: Double?

  /// On a card the ledger waits for each operation, so time is taken of runs without it, and the parts are shares of that:
  /// those that they have of a recorded run.
  ///
  /// - Parameters:
  ///   - runs: how many are measured, at least one.
  ///   - unrecorded: runs before them.
  ///   - device: that they run on.
  ///   - unit: of the processor, whose own rate is measured between the runs.
  init(
    runs: Int, after unrecorded: Int, on device: any Device, comparedWith unit: SiliconUnit? = nil,
    _ body: () -> Void
  ) {
    for _ in 0..<unrecorded { body() }
    let free = device.isHost ? nil : Stopwatch.middle((0..<max(1, runs)).map { _ in device.time(body) })
    let recordings = device.isHost ? max(1, runs) : 1
    var rates = [unit?.rate()]
    let records = (0..<recordings).map { _ in
      let record = Ledger.record(on: device, body).record
      rates.append(unit?.rate())
      return record
    }
    let middle = records.indices.sorted { records[$0].seconds < records[$1].seconds }[records.count / 2]
    let median = records[middle]
    siliconRate = unit.map { _ in rates[middle...middle + 1].reduce(0) { $0 + ($1 ?? 0) } / 2 }
    let seconds = free ?? median.seconds
    self.seconds = seconds
    flop = median.flop
    passBytes = median.bytes
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
