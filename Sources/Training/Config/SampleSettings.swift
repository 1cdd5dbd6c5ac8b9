import FireflyBase

/// Prompts that a run answers now and then, so that one can read what it learns.
public struct SampleSettings: Sendable, Equatable {
  /// A user's turns, answered in the run's template.
  public var prompts: [String]  // sample_prompts
  /// Steps between answers; save_steps when not given.
  public var every: StepCount  // sample_steps
  /// Tokens of an answer.
  public var maxNewTokens: Int  // sample_max_new_tokens
}

extension ConfigReader {
  /// sample_prompts and what belongs to it; nil when there are none.
  mutating func samples(saveEvery: StepCount) -> SampleSettings? {
    let every = value(EvaluationKeys.sampleEvery) ?? saveEvery
    let count = value(EvaluationKeys.sampleLength)
    let prompts = value(EvaluationKeys.prompts)
    return prompts.isEmpty ? nil : SampleSettings(prompts: prompts, every: every, maxNewTokens: count)
  }
}
