import FireflyBase
import Foundation

/// Finds models on this machine: by path, or by their hub's name in the caches of Hugging Face and ModelScope. Never uses
/// the network.
public struct LocalModels: Sendable {
  let settings: HubSettings

  public init(_ settings: HubSettings = HubSettings()) { self.settings = settings }

  /// The path to open for what a user wrote: a path that exists is that path; a name is looked for in the caches.
  ///
  /// - Parameter need: a cached folder that lacks a part of it is refused.
  /// - Throws: `FireflyError` that tells where was looked, which files are missing, and how to fetch them.
  public func path(of text: String, for need: ModelNeed) throws -> String {
    if FileManager.default.fileExists(atPath: text) { return text }
    guard let name = ModelName(text) else { throw LocalModels.noSuchPath(text, need) }
    var refusal: FireflyError?
    for cache in caches {
      switch cache.find(name) {
      case .nothing: continue
      case .otherRevisions(let known):
        refusal = refusal ?? cache.lacksRevision(name, known)
      case .folder(let folder):
        switch try CachedFolder(path: folder).content(for: need, file: name.file) {
        case .whole(let path): return path
        case .lacking(let files): refusal = refusal ?? cache.incomplete(name, folder, files)
        case .severalFiles(let files): refusal = refusal ?? LocalModels.unclear(name, folder, files)
        }
      }
    }
    throw refusal ?? nowhere(name, need)
  }

  // MARK: - Where

  /// A cache, with the command that fills it.
  private struct Cache {
    let find: (ModelName) -> Finding
    let command: String

    func fetch(_ name: ModelName) -> String {
      "\(command) \(name.repository)" + (name.revision.map { " --revision \($0)" } ?? "")
    }

    func lacksRevision(_ name: ModelName, _ known: [String]) -> FireflyError {
      FireflyError(
        "the model is on this machine, but not its revision \(name.revision ?? "main")", at: name.description,
        found: known.joined(separator: ", "),
        fix: "Fetch it: \(fetch(name)), or name one that is there: \(name.repository)@REVISION.")
    }

    func incomplete(_ name: ModelName, _ folder: String, _ files: [String]) -> FireflyError {
      let shown = files.prefix(8).joined(separator: ", ") + (files.count > 8 ? ", …" : "")
      return FireflyError(
        "the model is not completely on this machine: \(files.count) missing: \(shown)",
        at: "\(name), in \(folder)", fix: "Fetch what is missing: \(fetch(name)).")
    }
  }

  private var caches: [Cache] {
    [
      Cache(find: hugging.find, command: "firefly download"),
      Cache(find: modelScope.find, command: "modelscope download"),
    ]
  }

  private var hugging: HuggingFaceCache { HuggingFaceCache(root: settings.cacheFolder) }
  private var modelScope: ModelScopeCache { ModelScopeCache(roots: settings.modelScopeFolders) }

  // MARK: - What is told

  private func nowhere(_ name: ModelName, _ need: ModelNeed) -> FireflyError {
    var places = ["here", hugging.folder(of: name.repository)]
    if name.repository.contains("/") {
      places.append(contentsOf: modelScope.plainFolders(of: name).prefix(1))
    }
    let others = ["hf", "huggingface-cli", "modelscope"].map { "\($0) download \(name.repository)" }
    return FireflyError(
      "the \(need == .adapter ? "adapter" : "model") is not on this machine", at: name.description,
      found: "nothing \(places.joined(separator: ", nor at "))",
      fix:
        "Fetch it: firefly download \(name.whole). What \(others.joined(separator: ", or ")), has fetched is "
        + "found too; HF_HOME, HF_HUB_CACHE and MODELSCOPE_CACHE say where.")
  }

  private static func noSuchPath(_ text: String, _ need: ModelNeed) -> FireflyError {
    let (what, expected) =
      switch need {
      case .model: ("there is no such model", "a Hugging Face folder, a .gguf file")
      case .tokenizer: ("there is no such file or folder", "a tokenizer")
      case .adapter: ("there is no such adapter", "a PEFT folder")
      case .anything: ("there is no such file or folder", "a model, an adapter, a weights file")
      }
    return FireflyError(
      what, at: text, expected: "\(expected), or a model's name on a hub such as Org/Name",
      fix: "Models by name are fetched with: firefly download Org/Name.")
  }

  private static func unclear(_ name: ModelName, _ folder: String, _ files: [String]) -> FireflyError {
    FireflyError(
      "the model has several GGUF files", at: "\(name), in \(folder)",
      found: files.joined(separator: ", "),
      fix: "Name one: \(name.repository)/\(files[0])\(name.revision.map { "@\($0)" } ?? "").")
  }
}
