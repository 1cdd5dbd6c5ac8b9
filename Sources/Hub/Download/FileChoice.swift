import FireflyBase
import Foundation

/// Which files of a repository are fetched: those that Firefly reads, and those that belong to what it writes from them.
///
/// Weights are fetched once: safetensors, or else PyTorch's, or else the GGUF files that are asked for.
package struct FileChoice: Equatable {
  /// What is wanted beside the shards of `index`.
  package var files: [String]
  /// The index whose shards are wanted too, itself among `files`.
  package var index: String?

  /// Beside the weights, by patterns of fnmatch: configuration, tokenizer, templates, and remote code.
  private static let companions =
    [ModelFiles.config, ModelFiles.generationConfig] + ModelFiles.tokenizer
    + ["*.model", "*.tiktoken", "vocab.txt", "\(ModelFiles.furtherTemplates)/*.jinja", "*.py"]

  /// - Parameters:
  ///   - paths: all files of the repository.
  ///   - gguf: patterns of the GGUF files that are wanted instead of a folder's.
  /// - Throws: `FireflyError` when the repository has nothing to read, telling what it has.
  package init(_ paths: [String], gguf: [String], of name: ModelName) throws {
    guard gguf.isEmpty else {
      files = try FileChoice.matching(gguf, in: paths, of: name)
      return
    }
    let has = Set(paths).contains
    files = paths.filter(FileChoice.isCompanion)
    let weights = ModelFiles.weights.first { has($0.single) || has($0.index) }
    if let weights, has(ModelFiles.config) {
      index = has(weights.single) ? nil : weights.index
      files.append(index ?? weights.single)
    } else if !has(ModelFiles.adapterConfig) {
      files = [try FileChoice.onlyGGUF(in: paths, of: name)]
      return
    }
    if has(ModelFiles.adapterConfig), let weights = ModelFiles.adapterWeights.first(where: has) {
      files += [ModelFiles.adapterConfig, weights]
    }
  }

  /// The shards of a fetched index.
  ///
  /// - Throws: `FireflyError` when it is damaged, or names files that the repository lacks.
  package static func shards(of index: String, in paths: [String], name: ModelName) throws -> [String] {
    let shards = Set(try ModelFiles.weightMap(of: index).values).sorted()
    let known = Set(paths)
    let absent = shards.filter { !known.contains($0) }
    guard absent.isEmpty else {
      throw FireflyError(
        "the model's index names shards that the repository has not", at: name.description,
        found: absent.prefix(4).joined(separator: ", "), fix: "Its owner must mend it.")
    }
    return shards
  }

  private static func matching(_ patterns: [String], in paths: [String], of name: ModelName) throws
    -> [String]
  {
    let all = paths.filter(ModelFiles.isGGUF)
    for pattern in patterns where !all.contains(where: { matches(pattern, $0) }) {
      throw FireflyError(
        all.isEmpty ? "the model has no GGUF files" : "no GGUF file of the model is called so",
        at: name.description, expected: all.isEmpty ? nil : listed(all), found: pattern)
    }
    return all.filter { path in patterns.contains { matches($0, path) } }
  }

  private static func onlyGGUF(in paths: [String], of name: ModelName) throws -> String {
    let all = paths.filter(ModelFiles.isGGUF)
    if all.count == 1 { return all[0] }
    if !all.isEmpty {
      throw FireflyError(
        "the model comes as several GGUF files", at: name.description, found: listed(all),
        fix: "Say which: firefly download \(name) --gguf \(all[0]); a pattern such as '*Q4_K_M*' will do.")
    }
    throw FireflyError(
      "the repository has no weights that Firefly reads", at: name.description,
      expected: "\(ModelFiles.config) and "
        + ModelFiles.weights.flatMap { [$0.single, $0.index] }.joined(separator: " or ")
        + "; an adapter; or GGUF files",
      found: paths.isEmpty ? "no files" : listed(paths))
  }

  /// Code and licence go along into merged and quantised models.
  private static func isCompanion(_ path: String) -> Bool {
    companions.contains { matches($0, path) } || ModelFiles.isLicence(path) && !path.contains("/")
  }

  /// A pattern without slashes is also one for the file's own name, in whatever folder it lies if it is a GGUF file.
  private static func matches(_ pattern: String, _ path: String) -> Bool {
    let name = ModelFiles.isGGUF(path) ? (path as NSString).lastPathComponent : path
    return fnmatch(pattern, path, FNM_PATHNAME) == 0 || fnmatch(pattern, name, FNM_PATHNAME) == 0
  }

  private static func listed(_ paths: [String]) -> String {
    paths.prefix(20).joined(separator: ", ") + (paths.count > 20 ? ", … (\(paths.count) files)" : "")
  }
}
