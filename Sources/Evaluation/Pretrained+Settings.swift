import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors

extension Pretrained {
  /// What of the model decides an evaluation's results, for `ResultFile`: hashes of the model and the adapter, and how
  /// the weights are held.
  ///
  /// - Throws: `FireflyError` when the adapter cannot be read.
  public func evaluationSettings(_ options: Options) throws -> [String: JSONValue] {
    let compute = options.compute ?? Ops.usualCompute
    return [
      "model": .string(try ModelHash.of(source)),
      "adapter": try options.adapter.map { .string(try ModelHash.of(adapter: $0)) } ?? .null,
      "precision": .string(compute.description),
      "quantize": .string(options.quantization == .none ? "none" : "nf4"),
    ]
  }
}
