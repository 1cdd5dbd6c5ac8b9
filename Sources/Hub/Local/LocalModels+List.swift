import FireflyBase
import Foundation

/// A model that is whole on this machine.
public struct LocalModel: Equatable, Sendable {
  /// What opens it: a name on a hub, or a path.
  public let name: String
  /// The folder or `.gguf` file.
  public let path: String
}

extension LocalModels {
  /// The whole models of Hugging Face's and ModelScope's caches, by their names; of several GGUF files each.
  public var inCaches: [LocalModel] {
    let hugging = HuggingFaceCache(root: settings.cacheFolder)
    let modelScope = ModelScopeCache(roots: settings.modelScopeFolders)
    let found =
      hugging.repositories.map { ($0, hugging.find) } + modelScope.repositories.map { ($0, modelScope.find) }
    var models: [LocalModel] = []
    for (repository, find) in found {
      guard let name = ModelName(repository), case .folder(let folder) = find(name) else { continue }
      for model in LocalModels.models(of: folder, named: repository)
      where !models.contains(where: { $0.name == model.name }) { models.append(model) }
    }
    return models.sorted { $0.name < $1.name }
  }

  private static func models(of folder: String, named repository: String) -> [LocalModel] {
    switch try? CachedFolder(path: folder).content(for: .model) {
    case .whole(let path): [LocalModel(name: repository, path: path)]
    case .severalFiles(let files):
      files.map { LocalModel(name: "\(repository)/\($0)", path: "\(folder)/\($0)") }
    case .lacking, nil: []
    }
  }

  /// Folders are looked into so deep, and so many things at most.
  private static let (depth, mostEntries) = (5, 20_000)

  /// Model folders and `.gguf` files at or below a folder, by their paths; hidden folders and links are passed over.
  package static func below(_ folder: String) -> [LocalModel] {
    var paths: [String] = isWhole(folder) ? [folder] : []
    let walk = FileManager.default.enumerator(
      at: URL(filePath: folder), includingPropertiesForKeys: [.isDirectoryKey], options: [.skipsHiddenFiles])
    var count = 0
    while let item = walk?.nextObject() as? URL, count < mostEntries {
      count += 1
      if (walk?.level ?? 0) >= depth { walk?.skipDescendants() }
      let isFolder = (try? item.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
      if isFolder ? isWhole(item.path) : ModelFiles.isGGUF(item.path) { paths.append(item.path) }
    }
    return paths.sorted().map { LocalModel(name: $0, path: $0) }
  }

  /// Whether a folder has a configuration and all of its weights.
  private static func isWhole(_ folder: String) -> Bool {
    guard FileManager.default.fileExists(atPath: "\(folder)/\(ModelFiles.config)") else { return false }
    return (try? CachedFolder(path: folder).content(for: .model)) == .whole(folder)
  }
}

extension HuggingFaceCache {
  /// The models that something is there of.
  fileprivate var repositories: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return names.filter { $0.hasPrefix("models--") }.sorted().map {
      String($0.dropFirst("models--".count)).replacing("--", with: "/")
    }
  }
}

extension ModelScopeCache {
  /// The models that something is there of, in any of the layouts.
  fileprivate var repositories: [String] {
    func names(_ folder: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }
        .sorted()
    }
    func owned(_ folder: String, but others: Set<String> = []) -> [String] {
      names(folder).filter { !$0.contains("--") && !others.contains($0) }.flatMap { owner in
        names("\(folder)/\(owner)").map { "\(owner)/\($0)".replacing("___", with: ".") }
      }
    }
    return roots.flatMap { root in
      names("\(root)/models").filter { $0.contains("--") }.map { $0.replacing("--", with: "/") }
        + owned("\(root)/models") + owned(root, but: ["models", "hub", "datasets", "ast_indexer"])
    }
  }
}
