import FireflyBase
import Foundation

/// What the run page shows of a training run: `GET /run/data`.
struct RunData {
  /// The run's output_dir.
  let folder: String

  /// Entries sent at most; of a longer log every n-th, and always evaluations and the last.
  private static let mostEntries = 3000
  private static let mostSamples = 400

  /// - Throws: `APIError` when the folder holds no run.
  func json() throws -> JSONValue {
    guard let lines = lines("progress.jsonl") else { throw APIError.notFound }
    let entries = lines.filter { $0["finished"] == nil }
    let step = max(1, entries.count / RunData.mostEntries)
    let shown = entries.enumerated().filter { index, entry in
      index % step == 0 || index == entries.count - 1 || entry["eval_loss"] != nil
    }
    return .object([
      "output_dir": .string(folder), "log": .array(shown.map(\.element)),
      "total_steps": entries.last?["total_steps"] ?? .null,
      "finished": .bool(lines.contains { $0["finished"]?.bool == true }),
      "samples": .array(self.lines("samples.jsonl")?.suffix(RunData.mostSamples) ?? []),
    ])
  }

  /// The whole lines of a file that may be growing; nil when there is none.
  private func lines(_ name: String) -> [JSONValue]? {
    guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { return nil }
    return text.split(separator: "\n").compactMap { try? JSONValue.parse(String($0), source: name) }
  }
}
