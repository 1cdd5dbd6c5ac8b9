import FireflyBase
import FireflyCards
import FireflyText

/// Keys that hang together, or whose values have several shapes.
extension ConfigReader {
  /// device; the names that transformers has had for the processor count where it is not given.
  mutating func device() -> DeviceChoice? {
    let processor = value(ModelKeys.processorOnly)
    let noCard = value(ModelKeys.noCard)
    return value(ModelKeys.device) ?? (processor || noCard ? .cpu : nil)
  }

  /// fp16, bf16 and precision. The original wants exactly one of the first two; `precision` overrides them.
  mutating func precision(_ notices: inout [String]) -> (Precision, isExplicit: Bool) {
    let half = value(ModelKeys.float16)
    let brain = value(ModelKeys.bfloat16)
    let explicit = value(ModelKeys.precision)
    if half && brain {
      problem(
        "both \"fp16\" and \"bf16\" are true", key: "fp16", expected: "exactly one of them",
        fix: "Set one of them to false.")
    } else if !half && !brain && explicit == nil {
      problem(
        "neither \"fp16\" nor \"bf16\" is true", key: "bf16", expected: "exactly one of them",
        fix: "Set \"bf16\": true, or \"precision\": \"float32\".")
    }
    if let explicit { return (explicit, true) }
    if half {
      notices.append(
        "\"fp16\": true is float16 with loss scaling on a card, and bfloat16 on the processor, which needs none"
      )
    }
    return (half ? .float16 : .bfloat16, false)
  }

  /// warmup_steps, which below 1 is a part of all steps, as with transformers 5, and the older warmup_ratio.
  mutating func warmup(for schedule: Schedule, _ notices: inout [String]) -> Warmup {
    let steps = value(OptimizerKeys.warmupSteps)
    let ratio = value(OptimizerKeys.warmupRatio)
    let warmup = steps.isNone ? .ratio(ratio) : steps
    if schedule == .constant && !warmup.isNone {
      notices.append(
        "the warm-up is ignored: lr_scheduler_type \"constant\" has none; \"constant_with_warmup\" has")
    }
    if !steps.isNone && ratio > 0 {
      notices.append("\"warmup_ratio\" is ignored: \"warmup_steps\" is given too")
    }
    return warmup
  }

  /// optim.
  mutating func optimizer(_ notices: inout [String]) -> (OptimizerMemory, MomentPrecision) {
    let name = value(OptimizerKeys.optimizer)
    guard let kind = OptimizerKeys.optimizerNames[name] else { return (.memory, .float32) }
    if !kind.isExact { notices.append("\"optim\": \"\(name)\" runs with 32-bit states") }
    return (kind.memory, kind.moments)
  }

  /// gradient_checkpointing, which is activation_checkpointing in transformers 5; of both the newer name counts, as there.
  mutating func recomputesActivations() -> Bool {
    let old = value(ModelKeys.checkpointing)
    return value(ModelKeys.activationCheckpointing) ?? old
  }

  /// shuffle, and transformers 5's train_sampling_strategy, where it says the same.
  mutating func shuffles(_ notices: inout [String]) -> Bool {
    let own = value(DataKeys.shuffle)
    switch value(DataKeys.sampling) {
    case "sequential":
      if own == true {
        problem(
          "\"shuffle\" and \"train_sampling_strategy\" differ", key: "train_sampling_strategy",
          expected: "\"random\"", found: "\"sequential\"", fix: "Remove one of them.")
      }
      return false
    case "group_by_length":
      notices.append(
        "\"train_sampling_strategy\": \"group_by_length\" is ignored: rows are not padded, so grouping them saves nothing"
      )
      return own ?? true
    default: return own ?? true
    }
  }

  /// TRL's truncation_mode: what is too long is cut on the right ("keep_start"), but pairs.
  mutating func checkTruncation(_ task: TaskType, _ notices: inout [String]) {
    guard let mode = value(DataKeys.truncation) else { return }
    if task == .dpo {
      notices.append(
        "\"truncation_mode\": \"\(mode)\" is ignored: pairs are cut as the original does: first the prompt on the "
          + "left, then the answers")
    } else if mode != "keep_start" {
      notices.append("\"truncation_mode\": \"\(mode)\" is ignored: what is too long is cut on the right")
    }
  }

  /// adapter_name_or_path: nil for a fresh adapter, and where all weights are trained.
  mutating func startAdapter(_ mode: TrainMode) -> String? {
    guard let path = value(ModelKeys.startAdapter), !path.isEmpty else { return nil }
    if mode == .full {
      problem(
        "\"adapter_name_or_path\" does not go with \"train_mode\": \"full\"", key: "adapter_name_or_path",
        found: "\"\(path)\"",
        fix:
          "Remove the key, or set \"train_mode\": \"qlora\"; 'firefly merge' makes a model of base and adapter."
      )
    }
    return path
  }

  /// report_to: a name or a list; here TensorBoard or nothing.
  mutating func reportsToTensorBoard(_ notices: inout [String]) -> Bool {
    let names = value(RecordKeys.reports)
    let others = names.filter { !["tensorboard", "all", "none"].contains($0) }
    if !others.isEmpty {
      notices.append(
        "\"report_to\": \(others.joined(separator: ", ")) is ignored: TensorBoard is what there is")
    }
    return names.contains("tensorboard") || names.contains("all")
  }
}
