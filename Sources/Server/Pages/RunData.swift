import FireflyBase
import Foundation

/// What the run page shows of a training run: `GET /run/data`. The page asks again and again, so only the lines that are shown
/// are parsed, however long the log is.
package struct RunData {
  /// The run's output_dir.
  package let folder: String

  package init(folder: String) { self.folder = folder }

  /// Entries sent at most; of a longer log every n-th, and always evaluations and the last.
  private static let mostEntries = 3000
  private static let mostSamples = 400

  /// - Throws: `APIError` when the folder holds no run.
  package func json() throws -> JSONValue {
    guard let log = Lines("\(folder)/progress.jsonl") else { throw APIError.noRun(folder) }
    let ends = log.holding("\"finished\"")
    let entries = log.all.filter { !ends.contains($0.lowerBound) }
    let evaluations = log.holding("\"eval_loss\"")
    let step = max(1, entries.count / RunData.mostEntries)
    let last = entries.lastIndex { log.value($0) != nil }
    let shown = entries.enumerated().filter { index, line in
      index % step == 0 || index == last || evaluations.contains(line.lowerBound)
    }.compactMap { log.value($0.element) }
    let samples = Lines("\(folder)/samples.jsonl")
    let isFinished = log.all.contains {
      ends.contains($0.lowerBound) && log.value($0)?["finished"]?.bool == true
    }
    let arguments = record("train_args.json")
    return .object([
      "output_dir": .string(folder), "log": .array(shown),
      "model": arguments?["model_name_or_path"] ?? .null, "data": dataFiles(arguments?["train_file"]),
      "results": (isFinished ? record("train_results.json") : nil) ?? .null,
      "total_steps": last.flatMap { log.value(entries[$0])?["total_steps"] } ?? .null,
      "finished": .bool(isFinished),
      "samples": .array(
        samples.map { file in file.all.suffix(RunData.mostSamples).compactMap { file.value($0) } } ?? []),
    ])
  }
}

extension RunData {
  /// One of the JSON files that a run leaves; nil where it is not there or no JSON.
  private func record(_ name: String) -> JSONValue? {
    FileManager.default.contents(atPath: "\(folder)/\(name)").flatMap {
      try? JSONValue.parse($0, source: name)
    }
  }

  /// `train_file`: a path, or several, each alone or in an object with its share.
  private func dataFiles(_ value: JSONValue?) -> JSONValue {
    let files = value.map { $0.array ?? [$0] } ?? []
    return .array(files.compactMap { $0.string ?? $0["file"]?.string }.map(JSONValue.string))
  }
}

/// The whole lines of a file that may be growing.
private struct Lines {
  private let bytes: Data
  /// Where they lie.
  let all: [Range<Int>]

  /// nil when there is no such file.
  init?(_ path: String) {
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    self.bytes = bytes
    var lines: [Range<Int>] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if end > start { lines.append(start..<end) }
      start = end + 1
    }
    all = lines
  }

  /// nil for a line that is not JSON.
  func value(_ line: Range<Int>) -> JSONValue? {
    try? JSONValue.parse(bytes[line], source: "line")
  }

  /// The beginnings of the lines in which `text` stands.
  func holding(_ text: String) -> Set<Int> {
    let text = Array(text.utf8)
    var found: Set<Int> = []
    var line = 0
    var start = 0
    while let place = Lines.find(text, in: bytes, from: start) {
      while line < all.count, all[line].upperBound <= place { line += 1 }
      guard line < all.count else { break }
      found.insert(all[line].lowerBound)
      start = all[line].upperBound
    }
    return found
  }

  private static func find(_ text: [UInt8], in bytes: Data, from start: Int) -> Int? {
    start < bytes.count ? bytes.range(of: Data(text), in: start..<bytes.count)?.lowerBound : nil
  }
}
