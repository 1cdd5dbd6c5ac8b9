import FireflyBase
import FireflyServer
import FireflyTraining
import Foundation

/// The runs of the studio's folder: those that a studio started, and output folders of others.
final class RunStore: Sendable {
  private let folder: String
  private let program: String
  /// Runs that were asked to stop. Held while a run is started, so that no two are started into one folder.
  private let stopping = Locked<Set<Int32>>([])

  init(folder: String, program: String) {
    self.folder = folder
    self.program = program
  }

  private var studio: String { "\(folder)/studio" }

  // MARK: - Which there are

  private var recorded: [RunView] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: studio)) ?? []
    return names.sorted().compactMap { name in
      guard let record = try? RunRecord(name, in: studio), let settings = record.settings,
        let output = settings["output_dir"]?.string
      else { return nil }
      return RunView(record, output: RunStore.absolute(output))
    }
  }

  /// Folders are looked into so deep, and so many things at most.
  private static let (depth, mostEntries) = (5, 20_000)

  /// Output folders that no record names.
  private func found(beside known: Set<String>) -> [RunView] {
    let walk = FileManager.default.enumerator(
      at: URL(filePath: folder), includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
    var outputs: [String] = []
    var count = 0
    while let item = walk?.nextObject() as? URL, count < RunStore.mostEntries {
      count += 1
      if (walk?.level ?? 0) >= RunStore.depth { walk?.skipDescendants() }
      if item.lastPathComponent == "progress.jsonl" { outputs.append(item.path.parentFolder.resolvedPath) }
    }
    return outputs.filter { !known.contains($0) }.sorted().map { RunView(nil, output: $0) }
  }

  var list: JSONValue {
    let recorded = recorded
    let all = recorded + found(beside: Set(recorded.map(\.output.resolvedPath)))
    let asked = stopping.withLock { $0 }
    return .object(["runs": .array(all.map { $0.json(isStopping: RunStore.isStopping($0, asked)) })])
  }

  /// The run that a request names: by its record's name, or by its output folder.
  private func view(_ id: String) throws -> RunView {
    if let run = recorded.first(where: { $0.id == id || $0.output == RunStore.absolute(id) }) { return run }
    let output = RunStore.absolute(id)
    guard FileManager.default.fileExists(atPath: "\(output)/progress.jsonl") else {
      throw FireflyError(
        "there is no run", at: id, expected: "a run's name or its output_dir, with a progress.jsonl")
    }
    return RunView(nil, output: output)
  }

  private static func absolute(_ path: String) -> String { path.resolvedPath }

  private static func isStopping(_ run: RunView, _ asked: Set<Int32>) -> Bool {
    run.process.map { asked.contains($0.number) } ?? false
  }

  private func whole(_ run: RunView) -> JSONValue {
    run.whole(isStopping: RunStore.isStopping(run, stopping.withLock { $0 }))
  }

  func run(_ request: StudioRequest) throws -> JSONValue { whole(try view(request.requiredText("run"))) }

  func compare(_ request: StudioRequest) throws -> JSONValue {
    try RunComparison(request.texts("runs").map(view)).json
  }

  // MARK: - Start, stop, resume

  /// Writes the configuration and starts `firefly train` on it.
  ///
  /// - Throws: what the configuration's reader says; `APIError` "exists" where something would be replaced that the
  ///   request does not allow, and "running" where a run writes to the folder.
  func start(_ request: StudioRequest) throws -> JSONValue {
    let draft = try RunDraft(request)
    let record = try RunRecord(request.requiredText("name"), in: studio)
    let output = RunStore.absolute(draft.config.outputFolder)
    try stopping.withLock { asked in
      for busy in [RunView(record, output: output)] + recorded
      where busy.id == record.name || busy.output == output {
        try RunStore.refuseRunning(busy)
      }
      let old = (record.exists ? [record.config] : []) + (RunStore.isEmpty(output) ? [] : [output])
      guard old.isEmpty || request.flag("replace") else { throw RunStore.exists(old) }
      try record.write(draft.settings)
      try record.start(program, resumes: false)
      asked = asked.filter { RunProcess(number: $0) != nil }
    }
    return whole(RunView(record, output: output))
  }

  /// Goes on from the newest checkpoint. A run that was started elsewhere gets a record, with its own settings.
  func resume(_ request: StudioRequest) throws -> JSONValue {
    let id = try request.requiredText("run")
    let resumed = try stopping.withLock { _ in
      let run = try view(id)
      try RunStore.refuseRunning(run)
      let record = try run.record ?? adopted(run)
      try record.start(program, resumes: true)
      return RunView(record, output: run.output)
    }
    return whole(resumed)
  }

  private func adopted(_ run: RunView) throws -> RunRecord {
    guard case .object(var settings)? = run.settings else {
      throw FireflyError("the run's settings are not there", at: "\(run.output)/train_args.json")
    }
    settings["output_dir"] = .string(run.output)
    let name = RunRecord.name(of: run.output)
    var record = try RunRecord(name, in: studio)
    var number = 1
    while record.exists {
      number += 1
      record = try RunRecord("\(name)-\(number)", in: studio)
    }
    try record.write(.object(settings))
    return record
  }

  /// As Ctrl-C does: a checkpoint after the step under way, and the end; a second time at once.
  func stop(_ request: StudioRequest) throws -> JSONValue {
    let run = try view(request.requiredText("run"))
    guard let process = run.process else {
      throw APIError(
        status: 409, message: "\(run.output): no process writes to this run.", type: "invalid_request_error",
        code: "not_running")
    }
    process.interrupt()
    stopping.withLock { _ = $0.insert(process.number) }
    return whole(run)
  }

  private static func refuseRunning(_ run: RunView) throws {
    guard let process = run.process else { return }
    throw APIError(
      status: 409, message: "\(run.output): a run is writing to this folder (process \(process.number)).",
      type: "invalid_request_error", code: "running")
  }

  private static func exists(_ paths: [String]) -> APIError {
    APIError(
      status: 409, message: "There is something already: \(paths.joined(separator: ", ")).",
      type: "invalid_request_error", code: "exists")
  }

  /// Whether nothing is there, or a folder with nothing in it.
  private static func isEmpty(_ path: String) -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return true }
    return (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? false
  }
}
