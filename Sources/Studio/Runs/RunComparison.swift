import FireflyBase
import FireflyServer

/// Runs beside each other: their logs, and the settings in which they differ.
struct RunComparison {
  private let runs: [RunView]
  private static let mostRuns = 8

  init(_ runs: [RunView]) throws {
    guard (2...RunComparison.mostRuns).contains(runs.count) else {
      throw APIError.invalid("Two to \(RunComparison.mostRuns) runs are compared.", "runs")
    }
    self.runs = runs
  }

  var json: JSONValue {
    let settings = runs.map { $0.settings?.object ?? [:] }
    let keys = Set(settings.flatMap(\.keys)).sorted()
    let differences = keys.filter { key in settings.contains { $0[key] != settings[0][key] } }
    return .object([
      "runs": .array(
        runs.map { run in
          .object([
            "id": .string(run.id), "output_dir": .string(run.output),
            "data": (try? RunData(folder: run.output).json()) ?? .null,
          ])
        }),
      "differences": .array(
        differences.map { key in
          .object(["key": .string(key), "values": .array(settings.map { $0[key] ?? .null })])
        }),
    ])
  }
}
