import FireflyBase
import FireflyHub
import FireflyModels
import FireflyWeights

/// Tells whether a model or an adapter is still the one that a checkpoint or a result was made with.
package enum ModelHash {
  /// Of a model's configuration, and of each tensor's name, type, shape and first bytes: 16 hexadecimal digits.
  ///
  /// - Throws: `FireflyError` when a file cannot be read.
  package static func of(_ source: ModelSource) throws -> String {
    try hash(source.config, source.weights)
  }

  /// Of a PEFT adapter, in the same way.
  ///
  /// - Parameter name: a folder, or an adapter's name on a hub.
  /// - Throws: `FireflyError` when a file is missing or damaged.
  package static func of(adapter name: String) throws -> String {
    let folder = try LocalModels().path(of: name, for: .adapter)
    return try hash(
      JSONValue.read("\(folder)/\(ModelFiles.adapterConfig)"), AdapterFile.weights(in: folder))
  }

  private static let firstBytes = 64

  private static func hash(_ config: JSONValue, _ weights: WeightStore) throws -> String {
    var hash = StableHash()
    hash.add(config.text().utf8)
    var files: [String: MappedFile] = [:]
    for name in weights.names {
      guard let info = weights.info(name) else { continue }
      let file = try files[info.path] ?? MappedFile(info.path)
      files[info.path] = file
      hash.add("\(name) \(info.type) \(info.shape)".utf8)
      hash.add(file.bytes[info.range].prefix(firstBytes))
    }
    return hash.text
  }
}
