import FireflyBase
import FireflyBench
import FireflyServer
import FireflyTraining

/// Settings that the page has put together, judged by the reader of configurations itself.
struct RunDraft {
  let settings: JSONValue
  let config: RunConfig

  init(_ request: StudioRequest) throws {
    guard let settings = request.members["config"], settings.object != nil else {
      throw APIError.invalid("\"config\" must be an object of settings.", "config")
    }
    self.settings = settings
    config = try RunConfig(settings, source: "settings")
  }

  /// The file that would be written, and what of it is not followed to the letter.
  var json: JSONValue {
    .object([
      "text": .string(settings.text(indent: 2)), "notices": .array(config.notices.map(JSONValue.string)),
      "output_dir": .string(config.outputFolder),
    ])
  }

  /// What `firefly plan` says.
  func plan() throws -> JSONValue {
    let plan = try Trainer(config: config).plan()
    guard case .object(var report) = PlanReport(plan, try RunEstimate(plan)).json else { return .null }
    report["summary"] = .array(plan.summary.map(JSONValue.string))
    report["parts"] = .array(
      plan.memory.map {
        .object([
          "part": .string($0.part), "size": .string(Readable.bytes($0.bytes)), "bytes": .int($0.bytes),
        ])
      })
    report["peak_memory"] = .string(Readable.bytes(plan.memoryBytes))
    report["limit"] = plan.memoryLimit.map { .string(Readable.bytes($0)) } ?? .null
    report["checkpoint"] = .string(Readable.bytes(plan.checkpointBytes))
    report["fits"] = .bool((try? plan.requireFit()) != nil)
    return .object(report)
  }
}
