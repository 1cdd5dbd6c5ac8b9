import FireflyBase

// The values of a configuration that are one of a few, or of several shapes.

/// What is trained for: the original's `task_type`.
public enum TaskType: String, Sendable, CaseIterable {
  case pretrain, sft, dpo
}

/// Which weights are trained: the original's `train_mode`.
public enum TrainMode: String, Sendable, CaseIterable {
  case full, lora, qlora
}

/// The numbers products are computed in; norms, softmax, loss and the adapter are always float32.
public enum Precision: String, Sendable, CaseIterable {
  case float32, bfloat16
  /// On a card, with loss scaling.
  case float16
}

/// The numbers that something is held in between its uses.
public enum HeldPrecision: String, Sendable, CaseIterable {
  case float32, bfloat16
}

/// When something regular happens.
public enum Interval: String, Sendable, CaseIterable {
  case no, steps, epoch
}

/// When a checkpoint is saved.
public enum SaveInterval: String, Sendable, CaseIterable {
  case no, steps, epoch
  /// After an evaluation that is better than all before it.
  case best
}

/// How a step's loss is averaged.
public enum LossReduction: String, Sendable, CaseIterable {
  /// Every target token of the step counts the same.
  case token
  /// The original's: the mean over micro-batches of each one's mean.
  case microBatchMean = "micro_batch_mean"
}

/// The names of `Schedule`'s courses: transformers' `lr_scheduler_type`.
public enum ScheduleKind: String, Sendable, CaseIterable {
  case constant
  case constantWithWarmup = "constant_with_warmup"
  case linear
  case cosine
  case cosineWithRestarts = "cosine_with_restarts"
  case cosineWithLeast = "cosine_with_min_lr"
  case cosineFromLeast = "cosine_warmup_with_min_lr"
  case polynomial
  case inverseSquareRoot = "inverse_sqrt"
  case warmupStableDecay = "warmup_stable_decay"
}

/// Where AdamW's moments, or master weights, live.
public enum OptimizerMemory: String, Sendable, CaseIterable {
  case memory
  /// In a file-backed mapping beside the checkpoints, which the system can page out.
  case paged
}

/// How AdamW's moments are kept.
public enum MomentPrecision: String, Sendable, CaseIterable {
  case float32
  /// In 8 bits, as bitsandbytes' AdamW8bit.
  case bytes = "8bit"

  /// As names of optimizers end.
  var bits: String { self == .bytes ? "8bit" : "32bit" }
}

/// A number of steps, or a part of all of them: the two shapes of save_steps and logging_steps.
public enum StepCount: Sendable, Equatable {
  case steps(Int)
  case part(Double)

  /// - Parameter total: the run's optimizer steps.
  package func resolved(total: Int) -> Int {
    switch self {
    case .steps(let count): count
    case .part(let part): max(1, Int(saturating: (part * Double(total)).rounded(.up)))
    }
  }
}

extension StepCount: CustomStringConvertible {
  public var description: String {
    switch self {
    case .steps(let count): "\(count)"
    case .part(let part): "\(part)"
    }
  }

  /// Counts with counts, and parts with parts.
  func isMultiple(of other: StepCount) -> Bool {
    switch (self, other) {
    case (.steps(let mine), .steps(let others)): return mine.isMultiple(of: others)
    case (.part(let mine), .part(let others)):
      return abs(mine / others - (mine / others).rounded()) < 1e-6
    default: return false
    }
  }
}

/// Steps over which the learning rate rises from 0.
public enum Warmup: Sendable, Equatable {
  case steps(Int)
  case ratio(Double)

  var isNone: Bool { self == .steps(0) || self == .ratio(0) }

  package func resolved(total: Int) -> Int {
    switch self {
    case .steps(let count): count
    case .ratio(let ratio): Int(saturating: (ratio * Double(total)).rounded(.up))
    }
  }
}

/// Where a run starts from.
public enum Resume: Sendable, Equatable {
  case fresh
  /// The newest complete checkpoint of output_dir.
  case latest
  /// A checkpoint folder.
  case checkpoint(String)
}

// MARK: - Evaluation and preferences

/// What makes one checkpoint better than another: transformers' `metric_for_best_model`.
public enum EvaluationMetric: String, Sendable, CaseIterable {
  case loss = "eval_loss"
  case perplexity = "eval_perplexity"
  case tokenAccuracy = "eval_token_accuracy"
  case rewardAccuracy = "eval_rewards/accuracies"
  case rewardMargin = "eval_rewards/margins"

  /// A metric by its name, with or without the prefix `eval_`, as transformers takes it.
  init?(name: String) {
    self.init(rawValue: name.hasPrefix("eval_") ? name : "eval_" + name)
  }

  /// Whether the larger value is the better one.
  var greaterIsBetter: Bool { self != .loss && self != .perplexity }

  /// Whether evaluations in runs of `task` have it.
  func exists(in task: TaskType) -> Bool {
    switch self {
    case .loss: true
    case .perplexity, .tokenAccuracy: task != .dpo
    case .rewardAccuracy, .rewardMargin: task == .dpo
    }
  }
}

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
