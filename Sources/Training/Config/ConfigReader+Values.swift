import FireflyBase
import FireflyCards
import FireflyText

/// Keys that hang together, or whose values have several shapes.
extension ConfigReader {
  /// data_cache: a folder, or "off"; the user's cache folder when not given.
  mutating func dataCacheFolder() -> String? {
    switch raw("data_cache") {
    case nil: DataCache.standardFolder()
    case .string("off"), .bool(false): nil
    case .string(let folder) where !folder.isEmpty: folder
    case .some(let value): wrong("data_cache", "a folder, or \"off\"", value, nil)
    }
  }

  /// device; the names that transformers has had for the processor count where it is not given.
  mutating func device() -> DeviceChoice? {
    let processor = bool("use_cpu", default: false)
    let noCard = bool("no_cuda", default: false)
    return optionalChoice("device", default: DeviceChoice.auto) ?? (processor || noCard ? .cpu : nil)
  }

  /// fp16, bf16 and precision. The original wants exactly one of the first two; `precision` overrides them.
  mutating func precision(_ notices: inout [String]) -> (Precision, isExplicit: Bool) {
    let half = bool("fp16", default: false)
    let brain = bool("bf16", default: false)
    let explicit = optionalChoice("precision", default: Precision.bfloat16)
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
    if half { notices.append("\"fp16\": true runs as bfloat16, which needs no loss scaling") }
    return (.bfloat16, false)
  }

  /// warmup_steps, which below 1 is a part of all steps, as with transformers 5, and the older warmup_ratio.
  mutating func warmup(for schedule: ScheduleKind, _ notices: inout [String]) -> Warmup {
    var steps = 0
    var ratio = double("warmup_ratio", default: 0, in: 0...1)
    if let value = raw("warmup_steps") {
      if let count = value.int, (0...ConfigReader.most).contains(count) {
        steps = count
      } else if let part = value.double, part > 0 && part < 1 {
        ratio = part
      } else {
        steps = wrong("warmup_steps", "a whole number, or a part of all steps below 1", value, 0)
      }
    }
    if schedule == .constant && (steps > 0 || ratio > 0) {
      notices.append(
        "the warm-up is ignored: lr_scheduler_type \"constant\" has none; \"constant_with_warmup\" has")
    }
    return steps > 0 ? .steps(steps) : .ratio(ratio)
  }

  /// optim: every AdamW of transformers with 32-bit states is the same one here.
  mutating func optimizer(_ notices: inout [String]) -> OptimizerMemory {
    let name = string("optim", default: "adamw_torch")
    switch name {
    case "adamw", "adamw_torch", "adamw_hf", "adamw_torch_fused", "adamw_torch_xla", "adamw_apex_fused",
      "adamw_torch_npu_fused":
      return .memory
    case "paged_adamw_32bit", "paged_adamw":
      return .paged
    case "adamw_bnb_8bit", "adamw_8bit", "adamw_torch_8bit", "adamw_torch_4bit", "paged_adamw_8bit":
      notices.append("\"optim\": \"\(name)\" runs with 32-bit states")
      return name.hasPrefix("paged") ? .paged : .memory
    default:
      return wrong(
        "optim", "adamw_torch, adamw_hf, adamw or paged_adamw_32bit", .string(name), .memory)
    }
  }

  /// gradient_checkpointing, which is activation_checkpointing in transformers 5; of both the newer name counts, as there.
  mutating func recomputesActivations() -> Bool {
    let old = bool("gradient_checkpointing", default: false)
    return optionalBool("activation_checkpointing") ?? old
  }

  /// shuffle, and transformers 5's train_sampling_strategy, where it says the same.
  mutating func shuffles(_ notices: inout [String]) -> Bool {
    let own = optionalBool("shuffle")
    switch optionalString("train_sampling_strategy") {
    case nil, "random": return own ?? true
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
    case let name?:
      return wrong(
        "train_sampling_strategy", "\"random\", \"sequential\" or \"group_by_length\"", .string(name), true)
    }
  }

  /// TRL's truncation_mode: what is too long is cut on the right ("keep_start"), but pairs.
  mutating func checkTruncation(_ task: TaskType, _ notices: inout [String]) {
    guard let mode = optionalString("truncation_mode") else { return }
    if task == .dpo {
      notices.append(
        "\"truncation_mode\": \"\(mode)\" is ignored: pairs are cut as the original does: first the prompt on the "
          + "left, then the answers")
    } else if mode != "keep_start" {
      notices.append("\"truncation_mode\": \"\(mode)\" is ignored: what is too long is cut on the right")
    }
  }

  /// lora_target_modules: a list of leaf names, "all-linear", or null.
  mutating func targetModules() -> [String]? {
    guard let value = raw("lora_target_modules"), value != .string("all-linear") else { return nil }
    let names = value.array?.compactMap(\.string) ?? []
    guard !names.isEmpty, names.count == value.array?.count else {
      return wrong("lora_target_modules", "a list of module names, or \"all-linear\"", value, nil)
    }
    return names
  }

  /// adapter_name_or_path: nil for a fresh adapter, and where all weights are trained.
  mutating func startAdapter(_ mode: TrainMode) -> String? {
    guard let path = optionalString("adapter_name_or_path"), !path.isEmpty else { return nil }
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

  /// modules_to_save: a list of leaf names, or null.
  mutating func modulesToSave() -> [String] {
    guard let value = raw("modules_to_save") else { return [] }
    let names = value.array?.compactMap(\.string)
    guard let names, names.count == value.array?.count else {
      return wrong("modules_to_save", "a list of module names", value, [])
    }
    return names
  }

  mutating func stepCount(_ key: String, default fallback: Int) -> StepCount {
    guard let value = raw(key) else { return .steps(fallback) }
    if let count = value.int, (1...ConfigReader.most).contains(count) { return .steps(count) }
    if let part = value.double, part > 0 && part < 1 { return .part(part) }
    return wrong(
      key, "a whole number of at least 1, or a part of all steps below 1", value, .steps(fallback))
  }

  /// report_to: a name or a list; here TensorBoard or nothing.
  mutating func reportsToTensorBoard(_ notices: inout [String]) -> Bool {
    guard let value = raw("report_to") else { return true }
    guard let names = value.array?.compactMap(\.string) ?? value.string.map({ [$0] }) else {
      return wrong("report_to", "\"tensorboard\", \"none\" or a list", value, true)
    }
    let others = names.filter { !["tensorboard", "all", "none"].contains($0) }
    if !others.isEmpty {
      notices.append(
        "\"report_to\": \(others.joined(separator: ", ")) is ignored: TensorBoard is what there is")
    }
    return names.contains("tensorboard") || names.contains("all")
  }

  /// resume_from_checkpoint: true, or a checkpoint's folder.
  mutating func resume() -> Resume {
    guard let value = raw("resume_from_checkpoint") else { return .fresh }
    if let path = value.string, !path.isEmpty { return .checkpoint(path) }
    if let flag = value.bool { return flag ? .latest : .fresh }
    return wrong("resume_from_checkpoint", "true, false or a checkpoint's folder", value, .fresh)
  }
}
