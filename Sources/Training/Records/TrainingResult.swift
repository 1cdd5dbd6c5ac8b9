import FireflyBase

/// How a run ended, and its figures; rates are of this process's part of the run.
public struct TrainingResult: Sendable {
  public enum Outcome: Sendable, Equatable {
    /// All steps are done; the adapter is in `output_dir`.
    case finished
    /// A stop was asked for; the run goes on from this checkpoint.
    case stopped(checkpoint: String)
    /// The run was finished before, and nothing was done; the figures are those of its records.
    case alreadyFinished
  }

  public var outcome: Outcome
  /// Optimizer steps done since the run's beginning.
  public var steps: Int
  public var epoch: Double
  /// Mean over all steps, nats per target token.
  public var trainLoss: Double
  /// Seconds, from the first step to the last checkpoint.
  public var runtime: Double
  /// What this process did: steps, rows, tokens and targets.
  public var sessionSteps: Int
  public var sessionRows: Int
  public var sessionTokens: Int
  public var sessionTargets: Int
  /// The work of all steps, as transformers counts total_flos: 6 for each token and parameter, embeddings left out.
  public var flop: Double
  /// Seconds of this process's `runtime` that evaluations took.
  public var evaluationSeconds: Double
  /// The run's best evaluation, where its settings say what is better.
  public var best: BestModel?
  /// The most memory the process held (VmHWM), where the system tells it; on a card, the most that tensors held of its.
  public var peakMemoryBytes: Int?

  private func perSecond(_ count: Int) -> Double {
    let seconds = runtime - evaluationSeconds
    return seconds > 0 ? Double(count) / seconds : 0
  }

  /// Real tokens, without the time of evaluations: there is no padding.
  public var tokensPerSecond: Double { perSecond(sessionTokens) }
  public var targetTokensPerSecond: Double { perSecond(sessionTargets) }

  /// The numbers by the names of train_results.json.
  var scalars: [(key: String, value: Double)] {
    [
      ("epoch", epoch), ("train_loss", trainLoss), ("train_runtime", runtime),
      ("train_samples_per_second", perSecond(sessionRows)),
      ("train_steps_per_second", perSecond(sessionSteps)),
      ("train_tokens_per_second", tokensPerSecond), ("train_target_tokens_per_second", targetTokensPerSecond),
    ]
  }

  /// The content of train_results.json.
  public var json: JSONValue {
    var values = Dictionary(uniqueKeysWithValues: scalars.map { ($0.key, JSONValue.double($0.value)) })
    values["step"] = .int(steps)
    values["total_flos"] = .double(flop)
    values["train_tokens"] = .int(sessionTokens)
    values["train_target_tokens"] = .int(sessionTargets)
    values["peak_memory_bytes"] = peakMemoryBytes.map(JSONValue.int) ?? .null
    return .object(values)
  }

  /// The result on one line.
  public var summary: String {
    let memory = peakMemoryBytes.map { ", peak memory \(Readable.bytes($0))" } ?? ""
    return "\(steps) steps, train_loss \(Readable.fixed(trainLoss, 4)), \(Readable.duration(runtime)), "
      + "\(Readable.fixed(tokensPerSecond, 1)) tokens/s (\(Readable.fixed(targetTokensPerSecond, 1)) targets/s)\(memory)"
  }
}

extension TrainingResult {
  /// The figures of a finished run's train_results.json; nil when it holds others.
  init?(recorded json: JSONValue) {
    func number(_ key: String) -> Double? { json[key]?.double }
    guard let steps = json["step"]?.int, let epoch = number("epoch"), let loss = number("train_loss"),
      let runtime = number("train_runtime"), let tokens = json["train_tokens"]?.int,
      let targets = json["train_target_tokens"]?.int
    else { return nil }
    // Rates are of the time without evaluations.
    let rate = number("train_tokens_per_second") ?? 0
    let seconds = rate > 0 ? Double(tokens) / rate : runtime
    func count(_ key: String) -> Int { Int(((number(key) ?? 0) * seconds).rounded()) }
    self.init(
      outcome: .alreadyFinished, steps: steps, epoch: epoch, trainLoss: loss, runtime: runtime,
      sessionSteps: count("train_steps_per_second"), sessionRows: count("train_samples_per_second"),
      sessionTokens: tokens, sessionTargets: targets, flop: number("total_flos") ?? 0,
      evaluationSeconds: max(0, runtime - seconds), best: nil,
      peakMemoryBytes: json["peak_memory_bytes"]?.int)
  }
}
