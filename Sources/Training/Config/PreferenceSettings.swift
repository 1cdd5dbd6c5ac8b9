import FireflyBase

/// How a pair's two answers make a loss: TRL's `loss_type`.
public enum PreferenceLossKind: String, Sendable, CaseIterable {
  /// −log σ(β·Δ) (Rafailov et al., 2023); with label smoothing, Mitchell's conservative form of 2023.
  case sigmoid
  /// Unbiased under labels that are wrong with the probability label_smoothing (Chowdhury et al., 2024).
  case robust
  /// max(0, 1 − β·Δ) (Zhao et al., 2023).
  case hinge
  /// (Δ of the means per token − 1/(2β))² (Azar et al., 2023).
  case ipo
}

/// What DPO's reference is, whose log-probabilities the run's are compared with.
public enum PreferenceReference: String, Sendable, CaseIterable {
  /// The weights that the run starts from: the base with the adapter of adapter_name_or_path, where there is one.
  case start
  /// The base alone.
  case base
}

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

  public init(
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
    let own = ["label_smoothing", "loss_type", "rpo_alpha", "dpo_reference", "disable_dropout"]
    // "nll" is TRL's name of the loss that conversations and texts have anyway.
    let given = own.filter { raw($0) != nil && !(task != .dpo && raw($0) == .string("nll")) }
    let settings = PreferenceSettings(
      beta: double("beta", default: 0.1, in: 0...(.infinity), above: true),
      labelSmoothing: double("label_smoothing", default: 0, in: 0...0.5),
      loss: lossType(task),
      rpoAlpha: raw("rpo_alpha") == nil ? nil : double("rpo_alpha", default: 1, in: 0...(.infinity)),
      reference: choice("dpo_reference", default: .start),
      maxPromptLength: int("max_prompt_length", default: 512, in: 1...ConfigReader.most),
      disablesDropout: bool("disable_dropout", default: true))
    guard task == .dpo else {
      if !given.isEmpty {
        notices.append(
          "of task_type \"dpo\" alone, and ignored: \(given.map { "\"\($0)\"" }.joined(separator: ", "))")
      }
      return nil
    }
    check(settings)
    if raw("loss_reduction") != nil {
      notices.append(
        "\"loss_reduction\" is ignored: pairs are averaged over each micro-batch, and those over the step")
    }
    return settings
  }

  /// loss_type: a name, or TRL's list of one.
  private mutating func lossType(_ task: TaskType) -> PreferenceLossKind {
    if task != .dpo && raw("loss_type") == .string("nll") { return .sigmoid }
    guard let list = raw("loss_type")?.array else { return choice("loss_type", default: .sigmoid) }
    if list.count == 1, let kind = list[0].string.flatMap(PreferenceLossKind.init) { return kind }
    let names = PreferenceLossKind.allCases.map(\.rawValue).joined(separator: ", ")
    return wrong(
      "loss_type", "one of \(names)", .array(list), .sigmoid,
      fix: list.contains(.string("sft")) ? "The weight of \"sft\" is the key rpo_alpha." : nil)
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
