import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation

/// Writes a model's folder with the tiny model's tokenizer.
///
/// - Parameters:
///   - config: replaces members of the tiny model's config.json; null removes one.
///   - tensor: a tensor of a name and shape.
func writeModel(
  _ config: [String: JSONValue], to folder: String, _ tensor: (String, [Int]) -> Tensor
) throws {
  try AtomicFile.makeFolder(folder)
  for name in try names(in: Fixtures.model) where name.hasPrefix("tokenizer") || name.hasSuffix("jinja") {
    try FileManager.default.copyItem(atPath: "\(Fixtures.model)/\(name)", toPath: "\(folder)/\(name)")
  }
  let usual = try JSONValue.read("\(Fixtures.model)/config.json").object ?? [:]
  let members = JSONValue.object(usual.merging(config) { $1 }.filter { $0.value != .null })
  try AtomicFile.write(members, to: "\(folder)/config.json")
  let architecture = try Architecture(config: members, source: folder)
  let tensors = Trainable(architecture, FullOptions()).slots.map { slot in
    (name: slot.name, tensor: tensor(slot.name, slot.shape))
  }
  try SafeTensorsWriter.write(tensors, to: "\(folder)/model.safetensors")
}

/// Random weights, norms around 1 and biases around 0.
func randomTensor(_ name: String, _ shape: [Int]) -> Tensor {
  let seed = name.utf8.reduce(UInt64(7)) { ($0 &* 31) &+ UInt64($1) }
  let random = Tensor.random(shape, .float32, seed: seed)
  guard name.contains("norm"), name.hasSuffix(".weight") else {
    return Tensor(random.floats.map { $0 * 4 }, shape)
  }
  return Tensor(random.floats.map { 1 + 4 * $0 }, shape)
}
