import FireflyBase
import FireflyModels
import FireflyTensors

/// Prefill and cached decoding of a shape in NF4.
package struct GenerationBench: Sendable {
  /// Decoding of several sequences at once.
  package struct Decoding: Sendable {
    package let rows: Int
    /// Tokens of all rows together.
    package let tokensPerSecond: Double
    /// Bytes of weights and cache that a pass reads, by the memory's read rate: the least time it can take.
    package let shareOfBandwidth: Double
    /// How often a pass shares work among threads.
    package let handOvers: Int
    /// The part of a pass in which the thread that shares it waits for the others.
    package let waitingShare: Double
  }

  package let shape: String
  package let promptTokens: Int
  /// Reading the prompt, all of it in one pass.
  package let prefill: Measurement
  /// The matrix rate in FLOP/s that it is compared with.
  package let matrixRate: Double
  package let decoding: [Decoding]

  package var prefillTokensPerSecond: Double { Double(promptTokens) / prefill.seconds }
  /// FLOP/s of the prefill over the matrix rate.
  package var prefillEfficiency: Double { prefill.flop / prefill.seconds / matrixRate }

  private static let context = 128

  /// - Parameters:
  ///   - limits: the rates to compare with.
  ///   - device: that is measured.
  ///   - compute: of products; nil: the device's `usualCompute`.
  /// - Throws: `FireflyError` when there is no room for the model's temporary file.
  package init(
    _ shape: BenchShape, limits: MachineLimits, on device: any Device = CPU.shared, compute: DType? = nil,
    prompt: Int = 512,
    rows: [Int] = [1, 2, 4, 8]
  ) throws {
    let compute = compute ?? device.usualCompute
    let model = try shape.load(compute: compute, on: device)
    self.shape = shape.title
    promptTokens = prompt
    let tokens = (0..<prompt).map { Int32($0 * 31 % model.architecture.vocabularySize) }
    let unit = device.isHost ? SiliconUnit.fastest(for: compute) : nil
    prefill = Measurement(runs: 5, after: 1, on: device, comparedWith: unit) {
      let cache = model.makeCache(capacity: prompt)
      _ = model.step([(cache, tokens)])
    }
    matrixRate = limits.rate(of: compute)
    decoding = rows.map { GenerationBench.decode(model, rows: $0, limits, tokens, on: device) }
  }

  private static func decode(
    _ model: Transformer, rows: Int, _ limits: MachineLimits, _ tokens: [Int32], on device: any Device
  ) -> Decoding {
    let steps = 32
    let caches = (0..<rows).map { _ in model.makeCache(capacity: context + 4 * steps) }
    for cache in caches { _ = model.step([(cache, Array(tokens.prefix(context)))]) }
    let step = { for i in 0..<steps { _ = model.step(caches.map { ($0, [tokens[i]]) }) } }
    step()
    let seconds = device.time(step) / Double(steps)
    let a = model.architecture
    let cacheBytes = rows * context * a.cachedSize * model.compute.byteCount
    let least = Double(model.bytesPerStep + cacheBytes) / limits.readRate.all
    let record = Ledger.record(on: device, step).record
    return Decoding(
      rows: rows, tokensPerSecond: Double(rows) / seconds, shareOfBandwidth: least / seconds,
      handOvers: record.handOvers.count / steps,
      waitingShare: record.handOvers.waitingSeconds / record.seconds)
  }
}
