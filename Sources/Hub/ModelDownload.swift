import FireflyBase
import Foundation

/// Fetches a model from the hub: `try ModelDownload(name).run()`.
///
/// Only what Firefly reads is fetched, into Hugging Face's cache, where transformers finds it too. Each file is checked
/// against the hub's hash. What is interrupted goes on where it ended.
public struct ModelDownload {
  public var name: ModelName
  /// Patterns of GGUF files to fetch instead of a folder's files.
  public var gguf: [String]
  /// A plain folder to fetch into; nil: the cache.
  public var folder: String?
  public var settings: HubSettings
  package var policy = RetryPolicy()
  package var freeBytes = DiskSpace.freeBytes(at:)

  public init(
    _ name: ModelName, gguf: [String] = [], folder: String? = nil, settings: HubSettings = HubSettings()
  ) {
    self.name = name
    self.gguf = gguf + (name.file.map { [$0] } ?? [])
    self.folder = folder
    self.settings = settings
  }

  /// - Parameters:
  ///   - isCancelled: asked ten times a second; when true, `run` throws and keeps what has come.
  ///   - progress: called on this thread.
  /// - Returns: the path to open: a folder, or a GGUF file when that is all.
  /// - Throws: `FireflyError` when the model cannot be had, saying why and what to do.
  public func run(
    isCancelled: @escaping () -> Bool = { false }, progress: @escaping (DownloadEvent) -> Void = { _ in }
  ) throws -> String {
    try checkSettings()
    let client = HubClient(settings, policy, isCancelled: isCancelled)
    let model = try client.model(name)
    let choice = try FileChoice(model.paths, gguf: gguf, of: name)
    let target: any DownloadTarget =
      folder.map(FolderTarget.init)
      ?? CacheTarget(
        cache: HuggingFaceCache(root: settings.cacheFolder), name: name, commit: model.commit)
    let known = Dictionary(model.files.map { ($0.path, $0.known) }) { first, _ in first }
    let describe = { (path: String) in
      try known[path].flatMap { $0 } ?? client.file(path, of: name, commit: model.commit)
    }
    let queue = { FileQueue(client, target, name, commit: model.commit, progress: $0) }

    var files = try choice.files.map(describe)
    try target.begin()
    if let index = choice.index {
      // The shards are known only from the index; its own progress is not worth a bar.
      try queue { _ in }.fetch(files.filter { $0.path == index })
      files += try FileChoice.shards(of: "\(target.folder)/\(index)", in: model.paths, name: name).map(
        describe)
    }
    try checkRoom(files, target)
    try queue(progress).fetch(files)
    try target.finish()
    return files.count == 1 && ModelFiles.isGGUF(files[0].path)
      ? "\(target.folder)/\(files[0].path)" : target.folder
  }

  private func checkSettings() throws {
    guard !settings.isOffline else {
      throw FireflyError(
        "no network is to be used: HF_HUB_OFFLINE is set", at: name.description,
        fix: "Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE.")
    }
    guard settings.token?.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ?? true else {
      throw FireflyError(
        "the token is none: it holds characters that no token has", at: "HF_TOKEN",
        fix: "Set HF_TOKEN to a token of \(HubSettings.standardEndpoint)/settings/tokens.")
    }
  }

  /// Checks that the disk takes what is still to come.
  private func checkRoom(_ files: [RemoteFile], _ target: any DownloadTarget) throws {
    let needed = try files.reduce(0) { sum, file in
      let there = try target.has(file) ? file.size : PartialFile.count(at: target.partial(file))
      return sum + max(0, file.size - there)
    }
    guard let free = freeBytes(target.folder), free < needed else { return }
    throw FireflyError(
      "the disk is too full for the model", at: DiskSpace.nearestFolder(target.folder),
      expected: "\(Readable.bytes(needed)) free", found: Readable.bytes(free),
      fix: "Free disk space, or choose another place: HF_HUB_CACHE=FOLDER, or --to FOLDER.")
  }
}
