import FireflyBase

/// What a checkpoint needs beside adapter and moments to go on bit for bit; `resume_state.json`.
///
/// Dropout and order are functions of seed and step, so the step is all of the generators' state.
struct ResumeState {
  var step: Int
  var fingerprint: Fingerprint
  var history: RunHistory
  /// In float16; nil in other types.
  var lossScale: LossScale?
  /// Every other file of the checkpoint with its bytes.
  var files: [String: Int]

  private static let format = 1

  var json: JSONValue {
    var state: [String: JSONValue] = [
      "format": .int(ResumeState.format), "step": .int(step),
      "fingerprint": .object(fingerprint.values), "files": .object(files.mapValues(JSONValue.int)),
      "loss_sum": .double(history.lossSum), "window_loss_sum": .double(history.windowSum),
      "window_steps": .int(history.windowSteps), "tokens": .int(history.tokens),
      "targets": .int(history.targets),
    ]
    if let lossScale { state["loss_scale"] = lossScale.json }
    if let sum = history.windowBalanceSum { state["window_balance_sum"] = .double(sum) }
    if let sums = history.windowPreferenceSum { state["window_preference_sums"] = .object(sums.json()) }
    return .object(state)
  }

  /// - Throws: `FireflyError` for a file that is damaged or of another version.
  init(_ json: JSONValue, source: String) throws {
    guard json["format"]?.int == ResumeState.format else {
      throw FireflyError(
        "the checkpoint is of another version of Firefly", at: source,
        expected: "format \(ResumeState.format)",
        found: json["format"].map { "format \($0.text())" } ?? "none")
    }
    func number(_ key: String) throws -> Double {
      guard let value = json[key]?.double else {
        throw FireflyError("the checkpoint is damaged", at: "\(source): \(key)", expected: "a number")
      }
      return value
    }
    func count(_ key: String) throws -> Int {
      guard let value = json[key]?.int, value >= 0 else {
        throw FireflyError("the checkpoint is damaged", at: "\(source): \(key)", expected: "a whole number")
      }
      return value
    }
    guard let values = json["fingerprint"]?.object, let files = json["files"]?.object else {
      throw FireflyError("the checkpoint is damaged", at: source, expected: "fingerprint and files")
    }
    step = try count("step")
    fingerprint = Fingerprint(values: values)
    self.files = files.compactMapValues(\.int)
    history = RunHistory()
    history.lossSum = try number("loss_sum")
    history.windowSum = try number("window_loss_sum")
    history.windowBalanceSum = json["window_balance_sum"]?.double
    history.windowPreferenceSum = json["window_preference_sums"].flatMap { PreferenceMetrics($0) }
    history.windowSteps = try count("window_steps")
    history.tokens = try count("tokens")
    history.targets = try count("targets")
    lossScale = try json["loss_scale"].map { json in
      guard let scale = LossScale(json), scale.skippedSteps <= step else {
        throw FireflyError(
          "the checkpoint is damaged", at: "\(source): loss_scale", expected: "a scale and two counts")
      }
      return scale
    }
  }

  init(
    step: Int, fingerprint: Fingerprint, history: RunHistory, lossScale: LossScale?, files: [String: Int]
  ) {
    self.step = step
    self.fingerprint = fingerprint
    self.history = history
    self.lossScale = lossScale
    self.files = files
  }
}
