import FireflyBase
import FireflyServer
import FireflyTraining
import Foundation

/// A run as its files show it, whoever started it.
struct RunView {
  enum State: String {
    case running, finished, stopped, failed
  }

  /// nil for a run that was started elsewhere.
  let record: RunRecord?
  /// The run's output_dir, absolute.
  let output: String
  let process: RunProcess?

  init(_ record: RunRecord?, output: String) {
    self.record = record
    self.output = output
    process = record?.running ?? RunProcess.writing(to: output)
  }

  /// What the page calls it.
  var id: String { record?.name ?? output }

  /// The settings that it was started with.
  var settings: JSONValue? { record?.settings ?? (try? JSONValue.read("\(output)/train_args.json")) }

  private var checkpoints: [CheckpointFolder] { CheckpointFolder.complete(in: output) }

  /// The newest line of progress.jsonl that holds `key`.
  private func newest(_ key: String, in lines: [JSONValue]) -> JSONValue? { lines.last { $0[key] != nil } }

  private static let tailBytes: UInt64 = 16_384

  private var lastLines: [JSONValue] {
    guard let file = FileHandle(forReadingAtPath: "\(output)/progress.jsonl") else { return [] }
    let length = file.seekToEndOfFile()
    file.seek(toFileOffset: length - min(length, RunView.tailBytes))
    return String(decoding: file.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").compactMap {
      try? JSONValue.parse(String($0), source: "progress")
    }
  }

  private func state(_ lines: [JSONValue]) -> State {
    if process != nil { return .running }
    if lines.last?["finished"]?.bool == true { return .finished }
    return checkpoints.isEmpty ? .failed : .stopped
  }

  /// - Parameter isStopping: whether it was asked to stop.
  func json(isStopping: Bool) -> JSONValue {
    let lines = lastLines
    let entry = newest("loss", in: lines)
    let state = state(lines)
    let config = record?.config ?? "\(output)/train_args.json"
    return .object([
      "id": .string(id), "name": .string(record?.name ?? URL(filePath: output).lastPathComponent),
      "output_dir": .string(output), "config": .string(config), "state": .string(state.rawValue),
      "stopping": .bool(isStopping && process != nil),
      "pid": process.map { .int(Int($0.number)) } ?? .null,
      "step": entry?["step"] ?? .null, "total_steps": entry?["total_steps"] ?? .null,
      "loss": entry?["loss"] ?? .null,
      "seconds_left": state == .running ? entry?["seconds_left"] ?? .null : .null,
      "model": settings?["model_name_or_path"] ?? .null,
      "command": .string(ChildProgram.commandLine(["train", config])),
      "error": (process == nil ? record?.error : nil).map(JSONValue.string) ?? .null,
    ])
  }

  /// All of it: the curve and samples of the run page, settings, checkpoints, and what the program printed.
  func whole(isStopping: Bool) -> JSONValue {
    guard case .object(var members) = json(isStopping: isStopping) else { return .null }
    members["data"] = (try? RunData(folder: output).json()) ?? .null
    members["settings"] = settings ?? .null
    members["results"] = (try? JSONValue.read("\(output)/train_results.json")) ?? .null
    members["log_file"] = record.map { .string($0.log) } ?? .null
    members["log"] = record.map { .string($0.logTail) } ?? .null
    members["checkpoints"] = .array(
      checkpoints.map { .object(["step": .int($0.step), "path": .string($0.path)]) })
    return .object(members)
  }
}
