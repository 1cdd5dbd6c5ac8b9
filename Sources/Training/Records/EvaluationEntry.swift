import FireflyBase
import Foundation

/// What an evaluation during training found.
public struct EvaluationEntry: Sendable, Equatable {
  /// Optimizer steps before it.
  public var step: Int
  public var epoch: Double
  /// Nats per target token, over all targets of the file; of preference training the mean over its pairs.
  public var loss: Double
  /// The share of targets that are the model's first choice; nil in preference training.
  public var tokenAccuracy: Double?
  /// Of preference training, the means over all pairs; nil in any other.
  public var preference: PreferenceMetrics?
  public var rows: Int
  public var batches: Int
  /// Wall time.
  public var seconds: Double

  func value(of metric: EvaluationMetric) -> Double {
    switch metric {
    case .loss: loss
    case .perplexity: perplexity
    case .tokenAccuracy: tokenAccuracy ?? .nan
    case .rewardAccuracy: preference?.accuracy ?? .nan
    case .rewardMargin: preference?.margin ?? .nan
    }
  }

  /// exp of the loss.
  public var perplexity: Double { exp(loss) }
}

extension EvaluationEntry {
  private func perSecond(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

  /// By the names of log_history, without step and epoch.
  var scalars: [(key: String, value: Double)] {
    var scalars: [(key: String, value: Double)] = [("eval_loss", loss)]
    if let tokenAccuracy {
      scalars += [("eval_perplexity", perplexity), ("eval_token_accuracy", tokenAccuracy)]
    }
    for (name, value) in preference?.scalars ?? [] { scalars.append(("eval_" + name, value)) }
    scalars += [
      ("eval_runtime", seconds), ("eval_samples_per_second", perSecond(rows)),
      ("eval_steps_per_second", perSecond(batches)),
    ]
    return scalars
  }

  var json: JSONValue {
    var values = Dictionary(uniqueKeysWithValues: scalars.map { ($0.key, JSONValue.double($0.value)) })
    values["step"] = .int(step)
    values["epoch"] = .double(epoch)
    return .object(values)
  }

  /// nil for entries of another kind.
  init?(_ json: JSONValue) {
    guard let step = json["step"]?.int, let loss = json["eval_loss"]?.double else { return nil }
    let seconds = json["eval_runtime"]?.double ?? 0
    func count(_ key: String) -> Int { Int(saturating: ((json[key]?.double ?? 0) * seconds).rounded()) }
    self.init(
      step: step, epoch: json["epoch"]?.double ?? 0, loss: loss,
      tokenAccuracy: json["eval_token_accuracy"]?.double,
      preference: PreferenceMetrics(json, prefix: "eval_"), rows: count("eval_samples_per_second"),
      batches: count("eval_steps_per_second"), seconds: seconds)
  }
}

extension EvaluationEntry {
  /// As train.log and a pipe show it.
  package func line(totalSteps: Int) -> String {
    "step \(step)/\(totalSteps)  epoch \(Readable.fixed(epoch, 2))  eval_loss \(Readable.fixed(loss, 4))  "
      + (tokenAccuracy.map {
        "perplexity \(Readable.fixed(perplexity, 3))  token_accuracy \(Readable.fixed($0, 4))  "
      } ?? "")
      + (preference.map { "\($0.line(prefix: "eval_"))  " } ?? "") + Readable.duration(seconds)
  }
}
