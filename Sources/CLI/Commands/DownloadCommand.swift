import FireflyBase
import FireflyHub
import Foundation

/// `firefly download NAME`.
enum DownloadCommand {
  private static let name = Positional(
    "NAME",
    "The model's or adapter's name on the hub, Org/Name; Org/Name@REVISION for another state than main.")
  private static let revision = Option.text("--revision", "R", "A branch, tag or commit (default: main).")
  private static let folder = Option.text(
    "--to", "FOLDER", "Fetches into this folder, which is then given as MODEL, and not into the cache.")
  private static let gguf = Option.text(
    "--gguf", "FILE",
    "Fetches this GGUF file and not the folder's weights; a pattern such as '*Q4_K_M*' fetches those that match.",
    repeated: true)

  static let verb = Verb(
    "download", summary: "Fetches a model from Hugging Face's hub, or a mirror of it.",
    details: """
      Only the files that Firefly reads, each checked against the hub's hash, into the cache that transformers shares \
      (HF_HUB_CACHE, HF_HOME, ~/.cache/huggingface). Afterwards NAME can be given wherever MODEL is asked for. \
      Ctrl-C and broken connections lose nothing: the same command goes on where it ended.
      HF_ENDPOINT=https://… names a mirror, HF_TOKEN a token for models that not everyone may have.
      """,
    positionals: [name], options: [revision.declaration, folder.declaration, gguf.declaration], run: run)

  @Sendable private static func run(_ arguments: Arguments) throws {
    if arguments[folder] == "" { throw UsageError("--to: the folder has no name", verb: arguments.verb) }
    let download = ModelDownload(
      try modelName(arguments), gguf: arguments.all(gguf), folder: arguments[folder])
    let progress = ProgressLine("fetching \(download.name)")
    defer { progress.clear() }
    let path = try Signals.watched([SIGINT, SIGTERM, SIGHUP]) { isCaught in
      try download.run(isCancelled: isCaught) { show($0, progress) }
    }
    progress.clear()
    let output = Output()
    try output.line(path)
    try output.flush()
  }

  private static func modelName(_ arguments: Arguments) throws -> ModelName {
    let text = arguments[name]
    guard let name = ModelName(text) else {
      throw UsageError("NAME: expected Org/Name, found '\(text)'", verb: arguments.verb)
    }
    guard let revision = arguments[revision] else { return name }
    guard name.revision == nil else {
      throw UsageError("NAME names a revision already: '\(text)'", verb: arguments.verb)
    }
    guard let named = ModelName(repository: name.repository, file: name.file, revision: revision) else {
      throw UsageError(
        "--revision: expected a branch, tag or commit, found '\(revision)'", verb: arguments.verb)
    }
    return named
  }

  private static func show(_ event: DownloadEvent, _ progress: ProgressLine) {
    switch event {
    case .progress(let done, let total): progress.update(total > 0 ? Double(done) / Double(total) : 1)
    case .finished(let path, let bytes): Messages.line("\(path)  \(Readable.bytes(bytes))")
    case .waiting(let path): Messages.line("\(path): another process is fetching it; waiting")
    case .note(let text): Messages.note(text)
    }
  }
}
