import FireflyBase

/// Settings of preference training, by the original's keys and TRL's.
public struct PreferenceSettings: Sendable, Equatable {
  public var beta: Double
  public var labelSmoothing: Double  // label_smoothing
  public var loss: PreferenceLossKind  // loss_type
  /// Weight of the chosen answers' mean loss per token beside the preference loss; nil: none.
  public var rpoAlpha: Double?  // rpo_alpha
  public var reference: PreferenceReference  // dpo_reference
  /// Tokens that a prompt keeps at least when a pair is too long.
  public var maxPromptLength: Int  // max_prompt_length
  public var disablesDropout: Bool  // disable_dropout

  package init(
    beta: Double = 0.1, labelSmoothing: Double = 0, loss: PreferenceLossKind = .sigmoid,
    rpoAlpha: Double? = nil, reference: PreferenceReference = .start, maxPromptLength: Int = 512,
    disablesDropout: Bool = true
  ) {
    self.beta = beta
    self.labelSmoothing = labelSmoothing
    self.loss = loss
    self.rpoAlpha = rpoAlpha
    self.reference = reference
    self.maxPromptLength = maxPromptLength
    self.disablesDropout = disablesDropout
  }
}

extension ConfigReader {
  /// beta and what belongs to it; nil where the task is another, which takes the keys and does not follow them.
  mutating func preference(_ task: TaskType, _ notices: inout [String]) -> PreferenceSettings? {
    let settings = PreferenceSettings(
      beta: value(PreferenceKeys.beta), labelSmoothing: value(PreferenceKeys.labelSmoothing),
      loss: lossType(task), rpoAlpha: value(PreferenceKeys.rpoAlpha),
      reference: value(PreferenceKeys.reference), maxPromptLength: value(PreferenceKeys.maxPromptLength),
      disablesDropout: value(PreferenceKeys.disablesDropout))
    guard task == .dpo else { return nil }
    check(settings)
    if has(StepKeys.reduction) {
      notices.append(
        "\"loss_reduction\" is ignored: pairs are averaged over each micro-batch, and those over the step")
    }
    return settings
  }

  /// loss_type: a name, or TRL's list of one.
  private mutating func lossType(_ task: TaskType) -> PreferenceLossKind {
    let key = PreferenceKeys.loss
    let names = value(key)
    if task != .dpo && names == ["nll"] { return .sigmoid }
    if names.count == 1, let kind = PreferenceLossKind(rawValue: names[0]) { return kind }
    let known = PreferenceLossKind.allCases.map(\.rawValue).joined(separator: ", ")
    wrong(
      key, expected: "one of \(known)", found: member(key.name)?.text() ?? "",
      fix: names.contains("sft") ? "The weight of \"sft\" is the key rpo_alpha." : nil)
    return .sigmoid
  }

  private mutating func check(_ settings: PreferenceSettings) {
    let (smoothing, loss) = (settings.labelSmoothing, settings.loss)
    if smoothing > 0 && (loss == .hinge || loss == .ipo) {
      problem(
        "\"label_smoothing\" has no meaning for \"loss_type\": \"\(loss.rawValue)\"", key: "label_smoothing",
        expected: "0, or loss_type \"sigmoid\" or \"robust\"", found: "\(smoothing)")
    }
    if loss == .robust && smoothing >= 0.5 {
      problem(
        "\"label_smoothing\" is too large for \"loss_type\": \"robust\"", key: "label_smoothing",
        expected: "below 0.5", found: "\(smoothing)")
    }
  }
}
