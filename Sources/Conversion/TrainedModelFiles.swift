import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyWeights
import Foundation

/// A model whose own weights were trained, as the files of a Hugging Face folder: config.json, the files beside the weights,
/// and safetensors in the types of the files that it was read from.
package struct TrainedModelFiles {
  private let model: Transformer
  private let source: ModelSource
  private let trained: TrainedText?
  private let parameters: [Parameter]
  private let shardLimit: Int

  /// - Parameters:
  ///   - source: what the model was read from; gives what was not trained, byte for byte.
  ///   - trained: template and end token of the training; nil leaves the source's.
  ///   - parameters: with the values to write; nil: the model's.
  ///   - shardLimit: the most bytes of a safetensors file.
  package init(
    _ model: Transformer, readFrom source: ModelSource, trained: TrainedText? = nil,
    parameters: [Parameter]? = nil, shardLimit: Int = 5_000_000_000
  ) {
    self.model = model
    self.source = source
    self.trained = trained
    self.parameters = parameters ?? model.parameters
    self.shardLimit = shardLimit
  }

  /// Writes all files into a folder that exists, each whole or not at all, in place of an earlier model or adapter there.
  package func write(to folder: String) throws {
    try removeEarlier(in: folder)
    try AtomicFile.write(
      source.config(replacing: [:], isTied: model.architecture.tiedHead), to: "\(folder)/config.json")
    try FilesBesideWeights(source, trained: trained).write(to: folder)
    try SafeTensorsWriter.writeModel(try items(), shardLimit: shardLimit, to: folder)
  }

  /// Other shards, an index or an adapter would be read along with the new files.
  private func removeEarlier(in folder: String) throws {
    let manager = FileManager.default
    for name in try manager.contentsOfDirectory(atPath: folder) {
      let isShard = name.hasPrefix("model") && name.hasSuffix(".safetensors")
      let isAdapter = name.hasPrefix("adapter_model.") || name == "adapter_config.json"
      guard isShard || isAdapter || name == "model.safetensors.index.json" else { continue }
      try manager.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  private func items() throws -> [SafeTensorsWriter.Item] {
    let architecture = model.architecture
    let trained = Dictionary(
      uniqueKeysWithValues: parameters.map {
        (architecture.storedName($0.name, in: source.weights), $0)
      })
    // A head beside a tied one is of no use, and would be wrong now.
    let stale = architecture.tiedHead ? architecture.names.head : nil
    return try source.weights.tensorNames.filter { $0 != stale }.map { name in
      if let parameter = trained[name] {
        return try item(name, parameter.slot.shape) { parameter.value }
      }
      let parts = source.weights.parts(in: name).filter { trained[$0.name] != nil }
      guard !parts.isEmpty else { return try source.weights.copy(of: name, blocks: source.halfType) }
      let shape = try source.weights.shape(of: name)
      return try item(name, shape) { [source] in
        let whole = try source.weights.tensor(name, shape: shape, as: .float32).converted(to: .float32)
        for part in parts { if let parameter = trained[part.name] { part.put(parameter.value, into: whole) } }
        return whole
      }
    }
  }

  /// A tensor in its file's type.
  private func item(
    _ name: String, _ shape: [Int], _ value: @escaping () throws -> Tensor
  ) throws -> SafeTensorsWriter.Item {
    let type = try source.weights.plainType(of: name, blocks: source.halfType)
    guard let dtype = type.dtype, dtype.isFloat else {
      throw FireflyError(
        "the trained tensor has no type to be written in", at: "\(source.path): \(name)",
        expected: "F32, F16 or BF16", found: type.description)
    }
    return SafeTensorsWriter.Item(name: name, shape: shape, dtype: dtype) {
      let written = try value().inType(dtype)
      try written.checkFinite("the trained tensor", at: name)
      return written
    }
  }
}
