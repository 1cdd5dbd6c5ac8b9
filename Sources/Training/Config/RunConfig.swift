import FireflyBase
import FireflyCards
import FireflyModels
import FireflyText

/// A training run's settings: the original's flat JSON with its keys, meanings and defaults
/// (Firefly's own keys and those of transformers' TrainingArguments; spec §1.2).
public struct RunConfig: Sendable {
  // MARK: What is trained, and on what
  /// As it was written: a path, or a model's name on a hub.
  public var modelPath: String  // model_name_or_path
  public var trainFiles: [DataFile]  // train_file
  /// Rows that are trained on, of all files; nil for all.
  public var maxSamples: Int?
  /// Rows kept out of training, for the evaluations; nil for none.
  public var heldOut: HeldOut?  // val_size
  /// What is learnt of a conversation.
  public var learnt: LearntParts  // train_on_prompt, only_last_turn
  public var outputFolder: String  // output_dir
  public var templateName: String
  /// Variables of the model's own template.
  public var templateVariables: JSONMembers  // chat_template_kwargs, enable_thinking
  /// Where tokenised rows are kept between runs; nil for nowhere ("off").
  public var dataCacheFolder: String?  // data_cache
  /// Tokens of a row; what is longer is cut on the right.
  public var maxSequenceLength: Int  // max_seq_length
  public var task: TaskType
  public var mode: TrainMode
  /// nil where the task is not preference training.
  public var preference: PreferenceSettings?
  /// A PEFT folder whose adapter is trained further; nil for a fresh one.
  public var startAdapter: String?  // adapter_name_or_path

  // MARK: The adapter
  public var loraRank: Int
  public var loraAlpha: Double
  public var loraDropout: Double
  /// Leaf names such as `q_proj`; nil for every linear layer but the head.
  public var loraTargetModules: [String]?
  public var usesRankStabilisedLoRA: Bool  // use_rslora
  /// Ranks and alphas of modules that differ; of an adapter that is trained further alone.
  public internal(set) var loraRankPattern = ModulePatterns<Int>()
  public internal(set) var loraAlphaPattern = ModulePatterns<Double>()
  /// Modules that are trained whole and saved with the adapter, by their leaf names: embedding, head.
  public var modulesToSave: [String]  // modules_to_save
  /// Whether a head that is the embedding stays so where one of them is trained whole.
  public var tiesSavedModules: Bool  // ensure_weight_tying
  /// Whether embedding and head get a row for each token that the tokenizer has beyond theirs.
  public var resizesVocabulary: Bool  // resize_vocab

  // MARK: All weights
  public var full: FullSettings

  // MARK: The steps
  public var epochs: Double  // num_train_epochs
  /// Above any sensible number, and times any number of steps still a number of steps.
  static let mostEpochs = 1e6
  /// Optimizer steps in all; overrides `epochs` when set (max_steps above 0).
  public var maxSteps: Int?
  /// Rows of a micro-batch.
  public var microBatchSize: Int  // per_device_train_batch_size
  /// Micro-batches of a step.
  public var accumulation: Int  // gradient_accumulation_steps
  public var dropsLastBatch: Bool  // dataloader_drop_last
  /// Rows in a new seeded order each epoch (true), or in the file's.
  public var shuffle: Bool
  public var seed: Int
  /// The seed of the order of rows; `seed` when not given.
  public var dataSeed: Int
  public var lossReduction: LossReduction
  public var checkpointing: Bool  // gradient_checkpointing, activation_checkpointing
  public var precision: Precision
  /// Where the run computes; nil: a card where there is one, otherwise the processor.
  public var device: DeviceChoice?
  /// Whether `precision` was asked for by its own key, so that it holds on any device.
  public var precisionIsExplicit: Bool

  // MARK: The optimizer
  public var learningRate: Double
  public var schedule: ScheduleKind  // lr_scheduler_type
  public var warmup: Warmup
  public var optimizerMemory: OptimizerMemory  // optim
  public var weightDecay: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  /// Global norm that gradients are clipped to; nil for none (max_grad_norm 0).
  public var maxGradientNorm: Double?

  // MARK: Logs and checkpoints
  public var loggingInterval: Interval
  public var loggingEvery: StepCount
  public var logsFirstStep: Bool
  public var logsTensorBoard: Bool  // report_to
  public var tensorBoardFolder: String?  // logging_dir
  public var disablesBar: Bool  // disable_tqdm
  public var saveInterval: Interval
  public var saveEvery: StepCount
  /// Checkpoints kept; nil for all.
  public var saveLimit: Int?
  public var overwritesOutput: Bool
  /// nil: no evaluation during training.
  public var evaluation: EvaluationSettings?
  /// nil: no answers during training.
  public var samples: SampleSettings?
  /// Where the run starts from: the key resume_from_checkpoint.
  public var resume: Resume
  /// A run that needs more does not start.
  public var memoryLimit: MemoryLimit

  /// One line for each setting that is accepted and not followed to the letter.
  public var notices: [String]
  /// The settings as given, overrides applied: what train_args.json gets.
  public let source: JSONValue

  /// Reads a configuration file: JSON, or YAML where its name ends in .yaml or .yml.
  ///
  /// - Parameter overrides: `key=value` pairs that replace keys; a value is JSON, or else a bare string.
  /// - Throws: `FireflyError` naming every unknown key with its nearest name, and every value of a wrong
  ///   type or range.
  public init(file: String, overrides: [String] = []) throws {
    try self.init(ConfigFile.read(file), source: file, overrides: overrides)
  }

  public init(_ json: JSONValue, source: String, overrides: [String] = []) throws {
    try FormerKeys.refuseDeepSpeed(json, source: source)
    notices = []
    let (given, overridden) = try RunConfig.apply(overrides, to: json, source: source)
    let settings = FormerKeys.renaming(given, &notices)
    var keys = try ConfigReader(settings, source: source, overridden: overridden)

    modelPath = keys.string("model_name_or_path")
    trainFiles = keys.trainFiles()
    maxSamples = keys.optionalInt("max_samples", in: 1...ConfigReader.most)
    heldOut = keys.heldOut()
    outputFolder = keys.string("output_dir")
    dataCacheFolder = keys.dataCacheFolder()
    maxSequenceLength = keys.int("max_seq_length", in: 2...ConfigReader.most)
    task = keys.choice("task_type", default: .sft)
    templateName = keys.template(task, modelPath: modelPath, &notices)
    templateVariables = keys.templateVariables()
    learnt = keys.learntParts(task)
    self.source = settings.replacing("template_name", with: templateName)
    mode = keys.choice("train_mode", default: .qlora)
    preference = keys.preference(task, &notices)
    keys.checkTruncation(task, &notices)
    startAdapter = keys.startAdapter(mode)

    loraRank = keys.int("lora_rank", default: 64, in: 1...ConfigReader.most)
    loraAlpha = keys.double("lora_alpha", default: 16, in: 0...(.infinity), above: true)
    loraDropout = keys.double("lora_dropout", default: 0.05, in: 0...0.99)
    loraTargetModules = keys.targetModules()
    usesRankStabilisedLoRA = keys.bool("use_rslora", default: false)
    modulesToSave = keys.modulesToSave()
    tiesSavedModules = keys.bool("ensure_weight_tying", default: false)
    resizesVocabulary = keys.bool("resize_vocab", default: false)

    full = keys.full(mode)

    epochs = keys.double("num_train_epochs", default: 3, in: 0...RunConfig.mostEpochs, above: true)
    let steps = keys.int("max_steps", default: -1, in: -1...ConfigReader.most)
    maxSteps = steps > 0 ? steps : nil
    microBatchSize = keys.int("per_device_train_batch_size", default: 8, in: 1...ConfigReader.most)
    accumulation = keys.int("gradient_accumulation_steps", default: 1, in: 1...ConfigReader.most)
    dropsLastBatch = keys.bool("dataloader_drop_last", default: false)
    shuffle = keys.shuffles(&notices)
    seed = keys.int("seed", default: 42, in: 0...Int.max)
    dataSeed = keys.optionalInt("data_seed", in: 0...Int.max) ?? seed
    lossReduction = keys.choice("loss_reduction", default: .token)
    checkpointing = keys.recomputesActivations()
    device = keys.device()
    (precision, precisionIsExplicit) = keys.precision(&notices)

    learningRate = keys.double("learning_rate", default: 5e-5, in: 0...(.infinity))
    schedule = keys.choice("lr_scheduler_type", default: .linear)
    warmup = keys.warmup(for: schedule, &notices)
    optimizerMemory = keys.optimizer(&notices)
    weightDecay = keys.double("weight_decay", default: 0, in: 0...(.infinity))
    beta1 = keys.double("adam_beta1", default: 0.9, in: 0...0.999_999)
    beta2 = keys.double("adam_beta2", default: 0.999, in: 0...0.999_999_999)
    epsilon = keys.double("adam_epsilon", default: 1e-8, in: 0...1)
    let norm = keys.double("max_grad_norm", default: 1, in: 0...(.infinity))
    maxGradientNorm = norm > 0 ? norm : nil

    loggingInterval = keys.choice("logging_strategy", default: .steps)
    loggingEvery = keys.stepCount("logging_steps", default: 500)
    logsFirstStep = keys.bool("logging_first_step", default: false)
    logsTensorBoard = keys.reportsToTensorBoard(&notices)
    tensorBoardFolder = keys.optionalString("logging_dir")
    disablesBar = keys.bool("disable_tqdm", default: false)
    saveInterval = keys.choice("save_strategy", default: .steps)
    saveEvery = keys.stepCount("save_steps", default: 500)
    saveLimit = keys.optionalInt("save_total_limit", in: 0...ConfigReader.most).flatMap { $0 > 0 ? $0 : nil }
    overwritesOutput = keys.bool("overwrite_output_dir", default: false)
    samples = keys.samples(saveEvery: saveEvery)
    evaluation = keys.evaluation(
      task, heldOut: heldOut, loggingEvery: loggingEvery, saveInterval: saveInterval, saveEvery: saveEvery,
      &notices)
    resume = keys.resume()
    memoryLimit = keys.memoryLimit()

    notices += ForeignKeys.read(from: &keys)
    try keys.finish()
  }

  private static func apply(
    _ overrides: [String], to json: JSONValue, source: String
  ) throws -> (JSONValue, Set<String>) {
    guard case .object(var settings) = json else { return (json, []) }
    var names: Set<String> = []
    for override in overrides {
      let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw FireflyError("not a setting", at: "--set", expected: "key=value", found: "\"\(override)\"")
      }
      let text = String(parts[1])
      settings[String(parts[0])] = (try? JSONValue.parse(text, source: "--set")) ?? .string(text)
      names.insert(String(parts[0]))
    }
    return (.object(settings), names)
  }
}

extension JSONValue {
  /// The object with another value of `key`, where that is not empty.
  fileprivate func replacing(_ key: String, with text: String) -> JSONValue {
    guard case .object(var members) = self, !text.isEmpty else { return self }
    members[key] = .string(text)
    return .object(members)
  }
}
