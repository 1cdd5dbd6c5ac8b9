import FireflyBase

/// What preference training tells beside the loss, as means over pairs; by TRL's names in a log.
public struct PreferenceMetrics: Sendable, Equatable {
  /// β·(log p of the policy − log p of the reference) of the answers.
  public var chosenReward = 0.0
  public var rejectedReward = 0.0
  /// The chosen answer's reward less the rejected one's.
  public var margin = 0.0
  /// The share of pairs whose chosen answer has the larger reward.
  public var accuracy = 0.0
  /// log p of the answers, added up over their tokens.
  public var chosenLogProbability = 0.0
  public var rejectedLogProbability = 0.0

  /// Of no pairs.
  init() {}

  /// Of one pair.
  init(_ chosen: AnswerScore, _ rejected: AnswerScore, beta: Double) {
    chosenReward = beta * chosen.logRatio
    rejectedReward = beta * rejected.logRatio
    margin = chosenReward - rejectedReward
    accuracy = chosenReward > rejectedReward ? 1 : 0
    chosenLogProbability = chosen.policy
    rejectedLogProbability = rejected.policy
  }

  /// TRL's names with where the values stand.
  private static let names:
    [(name: String, value: any WritableKeyPath<PreferenceMetrics, Double> & Sendable)] = [
      ("rewards/chosen", \.chosenReward), ("rewards/rejected", \.rejectedReward),
      ("rewards/margins", \.margin), ("rewards/accuracies", \.accuracy),
      ("logps/chosen", \.chosenLogProbability), ("logps/rejected", \.rejectedLogProbability),
    ]

  mutating func add(_ other: PreferenceMetrics, times factor: Double = 1) {
    for (_, value) in PreferenceMetrics.names { self[keyPath: value] += factor * other[keyPath: value] }
  }

  func divided(by count: Double) -> PreferenceMetrics {
    var mean = PreferenceMetrics()
    mean.add(self, times: 1 / count)
    return mean
  }

  /// In the order of TRL's names.
  var values: [Double] { PreferenceMetrics.names.map { self[keyPath: $0.value] } }

  /// - Parameter values: as `values` has them.
  init(values: [Double]) {
    for ((_, place), value) in zip(PreferenceMetrics.names, values) { self[keyPath: place] = value }
  }

  /// By TRL's names, in their order.
  package var scalars: [(key: String, value: Double)] {
    PreferenceMetrics.names.map { ($0.name, self[keyPath: $0.value]) }
  }

  /// The members of a log entry, each with `prefix` before its name.
  func json(prefix: String = "") -> [String: JSONValue] {
    Dictionary(uniqueKeysWithValues: scalars.map { (prefix + $0.key, JSONValue.double($0.value)) })
  }

  /// Out of a log entry; nil where it has none.
  init?(_ json: JSONValue, prefix: String = "") {
    for (name, value) in PreferenceMetrics.names {
      guard let number = json[prefix + name]?.double else { return nil }
      self[keyPath: value] = number
    }
  }

  /// As a log line has them, each with `prefix` before its name.
  func line(prefix: String = "") -> String {
    scalars.map { "\(prefix)\($0.key) \(Readable.fixed($0.value, 3))" }.joined(separator: "  ")
  }
}
