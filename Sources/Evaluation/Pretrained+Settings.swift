import FireflyBase
import FireflyCards
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyWeights

extension Pretrained {
  /// What of the model decides an evaluation's results, for `ResultFile`: hashes of the model and the adapter, and how
  /// the weights are held.
  ///
  /// - Throws: `FireflyError` when the adapter cannot be read, or there is no such device.
  package func evaluationSettings(_ options: Options) throws -> [String: JSONValue] {
    let device = try options.device.open().device
    let compute = options.compute ?? device.usualCompute
    let settings: [String: JSONValue] = [
      "model": .string(try ModelHash.of(source)),
      "adapter": try options.adapter.map { .string(try ModelHash.of(adapter: $0)) } ?? .null,
      "precision": .string(compute.description),
      "quantize": .string(heldAs(options.quantization, on: device)),
    ]
    return device.isHost ? settings : settings.merging(["device": .string(device.name)]) { $1 }
  }

  private func heldAs(_ quantization: Quantization, on device: any Device) -> String {
    switch quantization {
    case .stored: source.hasBlocks && device.multipliesBlocks ? "stored" : "none"
    case .none: "none"
    case .nf4: "nf4"
    }
  }
}
