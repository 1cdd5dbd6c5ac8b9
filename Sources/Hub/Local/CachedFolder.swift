import FireflyBase
import Foundation

/// What of a model is needed.
public enum ModelNeed: Sendable {
  /// Configuration and weights.
  case model
  case tokenizer
  /// A PEFT adapter's configuration and weights.
  case adapter
  /// Whatever is there.
  case anything
}

/// A model's folder in a cache, where files may be missing: a download broken off, or only a tokenizer fetched.
struct CachedFolder {
  let path: String

  enum Content: Equatable {
    /// Complete: the folder, or the GGUF file in it, to open.
    case whole(String)
    /// What lacks, file by file.
    case lacking([String])
    /// Nothing tells which of these files is meant.
    case severalFiles([String])
  }

  /// - Parameter file: the one file that is asked for.
  /// - Throws: `FireflyError` for a damaged index of shards.
  func content(for need: ModelNeed, file: String? = nil) throws -> Content {
    if let file { return has(file) ? .whole("\(path)/\(file)") : .lacking([file]) }
    let lacking = try lacking(for: need)
    if lacking.isEmpty { return .whole(path) }
    // Half a folder's weights are no reason to take a GGUF file that lies beside them.
    let hasWeights = ModelFiles.weights.contains { has($0.single) || has($0.index) }
    if need == .adapter || hasWeights { return .lacking(lacking) }
    let files = files.filter(ModelFiles.isGGUF)
    switch files.count {
    case 0: return .lacking(lacking)
    case 1: return .whole("\(path)/\(files[0])")
    default: return .severalFiles(files)
    }
  }

  /// What a folder needs and this one has not; nothing when it is a whole one.
  private func lacking(for need: ModelNeed) throws -> [String] {
    switch need {
    case .tokenizer:
      return ModelFiles.vocabularies.contains(where: has) ? [] : [alternatives(ModelFiles.vocabularies)]
    case .adapter:
      let weights = ModelFiles.adapterWeights
      return (has(ModelFiles.adapterConfig) ? [] : [ModelFiles.adapterConfig])
        + (weights.contains(where: has) ? [] : [alternatives(weights)])
    case .anything:
      return has(ModelFiles.config) || has(ModelFiles.adapterConfig) ? [] : [ModelFiles.config]
    case .model:
      // An adapter in a model's place is told by who opens it.
      if has(ModelFiles.adapterConfig), !has(ModelFiles.config) { return [] }
      return (has(ModelFiles.config) ? [] : [ModelFiles.config]) + (try lackingWeights())
    }
  }

  private func lackingWeights() throws -> [String] {
    for weights in ModelFiles.weights {
      if has(weights.single) { return [] }
      guard has(weights.index) else { continue }
      let map = try ModelFiles.weightMap(of: "\(path)/\(weights.index)")
      return Set(map.values).filter { !has($0) }.sorted()
    }
    return ["the weights (\(alternatives(ModelFiles.weights.map(\.single))), or an index and its shards)"]
  }

  private func alternatives(_ names: [String]) -> String { names.joined(separator: " or ") }

  /// Whether the file is there, and not only a link to what is gone.
  private func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

  private var files: [String] {
    ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).filter(has).sorted()
  }
}
