import FireflyModels
import FireflyTensors

/// Prefill and cached decoding of a shape in NF4.
public struct GenerationBench: Sendable {
  /// Decoding of several sequences at once.
  public struct Decoding: Sendable {
    public let rows: Int
    /// Of all rows together.
    public let tokensPerSecond: Double
    /// Bytes of weights and cache that a pass reads, by the memory's read rate: the least time it can take.
    public let shareOfBandwidth: Double
  }

  public let shape: String
  public let promptTokens: Int
  public let prefillTokensPerSecond: Double
  /// FLOP/s of the prefill over the matrix rate.
  public let prefillEfficiency: Double
  public let decoding: [Decoding]

  private static let context = 128

  /// - Parameter limits: the rates to compare with.
  /// - Throws: `FireflyError` when there is no room for the model's temporary file.
  public init(_ shape: BenchShape, limits: MachineLimits, prompt: Int = 512, rows: [Int] = [1, 2, 4, 8])
    throws
  {
    let compute: DType = Ops.supportsBFloat16 ? .bfloat16 : .float32
    let model = try shape.load(compute: compute)
    self.shape = shape.title
    promptTokens = prompt
    let tokens = (0..<prompt).map { Int32($0 * 31 % shape.vocabulary) }
    var flop = 0.0
    let prefill = Stopwatch.median(of: 5) {
      let cache = model.makeCache(capacity: prompt)
      flop = Ledger.record { _ = model.step([(cache, tokens)]) }.record.flop
    }
    prefillTokensPerSecond = Double(prompt) / prefill
    prefillEfficiency =
      flop / prefill / (compute == .bfloat16 ? limits.bfloat16Rate.all : limits.float32Rate.all)
    decoding = rows.map { GenerationBench.decode(model, rows: $0, limits, tokens) }
  }

  private static func decode(
    _ model: Transformer, rows: Int, _ limits: MachineLimits, _ tokens: [Int32]
  ) -> Decoding {
    let steps = 32
    let caches = (0..<rows).map { _ in model.makeCache(capacity: context + 3 * steps) }
    for cache in caches { _ = model.step([(cache, Array(tokens.prefix(context)))]) }
    let step = { for i in 0..<steps { _ = model.step(caches.map { ($0, [tokens[i]]) }) } }
    step()
    let seconds = Stopwatch.time(step) / Double(steps)
    let a = model.architecture
    let cacheBytes = rows * context * a.layers * 2 * a.keyValueSize * model.compute.byteCount
    let least = Double(model.bytesPerStep + cacheBytes) / limits.readRate.all
    return Decoding(rows: rows, tokensPerSecond: Double(rows) / seconds, shareOfBandwidth: least / seconds)
  }
}
