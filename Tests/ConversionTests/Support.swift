import FireflyBase
import FireflyConversion
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyWeights
import Foundation
import Testing

/// Fixtures of other tests: a tiny model with tokenizer and adapter, and tiny models that PEFT trained adapters for.
enum Fixtures {
  static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path()
  static let model = tests + "CLITests/Fixtures/model"
  static let adapter = tests + "CLITests/Fixtures/run/adapter"
  /// The same adapter as adapter_model.bin.
  static let adapterBin = tests + "WeightsTests/Fixtures/torch/adapter"
  static func models(_ name: String) -> String { tests + "ModelsTests/Fixtures/\(name)" }
  /// A tiny model with an adapter for each family beside LLaMA.
  static let families = ((try? names(in: models("families"))) ?? []).map { "families/\($0)" }
}

/// Names in a folder, sorted.
func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// A model's logits on a fixed row, in float32.
func logits(
  _ path: String, quantization: Quantization = .none, adapter: String? = nil
) throws -> [Float] {
  let model = try Transformer.load(ModelSource.open(path), compute: .float32, quantization: quantization)
  if let adapter { try model.loadAdapter(adapter) }
  let vocabulary = min(model.architecture.vocabularySize, 200)
  let tokens = (0..<24).map { Int32($0 * 37 % vocabulary) }
  return model.logits(tokens: tokens, starts: [0, 24]).floats
}

/// Writes the model anew with its tensors in float32.
func writeFloat32(_ path: String, to folder: String) throws {
  let source = try ModelSource.open(path)
  let tensors = try source.weights.tensorNames.map { name in
    (name: name, tensor: try source.weights.tensor(name, shape: source.weights.shape(of: name), as: .float32))
  }
  try AtomicFile.makeFolder(folder)
  try SafeTensorsWriter.write(tensors, to: folder + "/model.safetensors")
  try FileManager.default.copyItem(atPath: path + "/config.json", toPath: folder + "/config.json")
}

/// Every tensor of a store in float32, by name.
func values(_ store: WeightStore) throws -> [String: [Float]] {
  try Dictionary(
    uniqueKeysWithValues: store.tensorNames.map { name in
      (name, try store.tensor(name, shape: store.shape(of: name), as: .float32).floats)
    })
}

// MARK: - GGUF

func export(
  _ model: String, to path: String, _ type: GGUFType = .f32, adapter: String? = nil,
  onto: MergeBase = .original
) throws {
  try GGUFExporter(Pretrained.open(model), type: type, adapter: adapter, onto: onto, compute: .float32)
    .write(to: path)
}

/// The tiny model with other members in its config.json or tokenizer.json.
func variant(_ file: String, _ folder: String, _ change: (inout [String: JSONValue]) -> Void) throws
  -> String
{
  let copy = folder + "/variant"
  try FileManager.default.copyItem(atPath: Fixtures.model, toPath: copy)
  var members = try #require(try JSONValue.read("\(copy)/\(file)").object)
  change(&members)
  try AtomicFile.write(Data(JSONValue.object(members).text().utf8), to: "\(copy)/\(file)")
  return copy
}
