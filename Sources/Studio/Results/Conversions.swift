import FireflyBase
import FireflyServer
import Foundation

/// Merging and exporting, by `firefly merge` and `firefly export` themselves.
final class Conversions: Sendable {
  private let jobs = Locked<[ConversionJob]>([])

  /// - Parameter request: with `dry` nothing is started: the answer says what would be.
  func start(_ request: StudioRequest, program: String) throws -> JSONValue {
    let words = try Conversions.words(request)
    let out = try request.requiredText("out").resolvedPath
    if request.flag("dry") {
      return .object(["command": .string(ChildProgram.commandLine(words)), "out": .string(out)])
    }
    return try jobs.withLock { jobs in
      let job = try ConversionJob(program, words, out: out)
      jobs.append(job)
      return job.json
    }
  }

  var list: JSONValue { .object(["jobs": .array(jobs.withLock { $0.map(\.json) })]) }

  private static func words(_ request: StudioRequest) throws -> [String] {
    let (model, out) = (try request.requiredText("model"), try request.requiredText("out"))
    let adapter = try request.text("adapter")
    let onto = try adapter == nil ? [] : request.text("onto").map { ["--onto", $0] } ?? []
    let overwrite = request.flag("overwrite") ? ["--overwrite"] : []
    switch try request.requiredText("kind") {
    case "merge":
      guard let adapter else { throw APIError.invalid("\"adapter\" is missing.", "adapter") }
      return ["merge", model, adapter, out] + onto + (request.flag("probe") ? [] : ["--no-probe"]) + overwrite
    case "export":
      let type = try request.text("type").map { ["--type", $0] } ?? []
      return ["export", model, out] + type + (adapter.map { ["--adapter", $0] } ?? []) + onto + overwrite
    case let kind:
      throw APIError.invalid("\"\(kind.prefix(100))\" is neither merge nor export.", "kind")
    }
  }
}

/// One of them, under way or done.
private final class ConversionJob: Sendable {
  private let command: String
  private let out: String
  private let status = Locked<Int32?>(nil)
  private let printed: FileHandle

  /// What the program prints goes to a file without a name, and is gone with the studio.
  init(_ program: String, _ words: [String], out: String) throws {
    command = ChildProgram.commandLine(words)
    self.out = out
    let path = NSTemporaryDirectory() + "firefly-studio-\(UUID().uuidString)"
    try AtomicFile.write(Data(), to: path)
    defer { unlink(path) }
    guard let output = FileHandle(forWritingAtPath: path), let printed = FileHandle(forReadingAtPath: path)
    else {
      throw FireflyError("cannot write the log", at: path)
    }
    self.printed = printed
    try ChildProgram.start(program, words, in: FileManager.default.currentDirectoryPath, output: output) {
      [status] ended in status.withLock { $0 = ended }
    }
  }

  var json: JSONValue {
    let status = status.withLock { $0 }
    printed.seek(toFileOffset: 0)
    return .object([
      "command": .string(command), "out": .string(out),
      "log": .string(String(decoding: printed.readDataToEndOfFile(), as: UTF8.self)),
      "state": .string(status.map { $0 == 0 ? "finished" : "failed" } ?? "running"),
    ])
  }
}
