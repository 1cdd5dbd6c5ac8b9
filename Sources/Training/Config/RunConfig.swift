import FireflyBase
import FireflyCards
import FireflyModels
import FireflyText

/// A training run's settings: the original's flat JSON with its keys, meanings and defaults
/// (Firefly's own keys and those of transformers' TrainingArguments; spec §1.2).
public struct RunConfig: Sendable {
  // MARK: What is trained, and on what
  /// As it was written: a path, or a model's name on a hub.
  public package(set) var modelPath: String  // model_name_or_path
  public package(set) var trainFiles: [DataFile]  // train_file
  /// Rows that are trained on, of all files; nil for all.
  public package(set) var maxSamples: Int?
  /// Rows kept out of training, for the evaluations; nil for none.
  public package(set) var heldOut: HeldOut?  // val_size
  /// What is learnt of a conversation.
  public package(set) var learnt: LearntParts  // train_on_prompt, only_last_turn
  public package(set) var outputFolder: String  // output_dir
  public package(set) var templateName: String
  /// Variables of the model's own template.
  public package(set) var templateVariables: JSONMembers  // chat_template_kwargs, enable_thinking
  /// Where tokenised rows are kept between runs; nil for nowhere ("off").
  public package(set) var dataCacheFolder: String?  // data_cache
  /// Tokens of a row; what is longer is cut on the right.
  public package(set) var maxSequenceLength: Int  // max_seq_length
  public package(set) var task: TaskType
  public package(set) var mode: TrainMode
  /// nil where the task is not preference training.
  public package(set) var preference: PreferenceSettings?
  /// A PEFT folder whose adapter is trained further; nil for a fresh one.
  public package(set) var startAdapter: String?  // adapter_name_or_path

  // MARK: The adapter
  public package(set) var loraRank: Int
  public package(set) var loraAlpha: Double
  public package(set) var loraDropout: Double
  /// Leaf names such as `q_proj`; nil for every linear layer but the head.
  public package(set) var loraTargetModules: [String]?
  /// What chooses layers, ranks and alphas beside these.
  package internal(set) var adapterChoice: AdapterChoice
  public package(set) var usesRankStabilisedLoRA: Bool  // use_rslora
  /// Ranks and alphas of modules that differ: those of `adapterChoice`, or of the adapter that is trained further.
  public internal(set) var loraRankPattern = ModulePatterns<Int>()
  public internal(set) var loraAlphaPattern = ModulePatterns<Double>()
  /// Modules that are trained whole and saved with the adapter, by their leaf names: embedding, head.
  public package(set) var modulesToSave: [String]  // modules_to_save
  /// Whether a head that is the embedding stays so where one of them is trained whole.
  public package(set) var tiesSavedModules: Bool  // ensure_weight_tying
  /// Whether embedding and head get a row for each token that the tokenizer has beyond theirs.
  public package(set) var resizesVocabulary: Bool  // resize_vocab

  // MARK: All weights
  public package(set) var full: FullSettings

  // MARK: The steps
  public package(set) var epochs: Double  // num_train_epochs
  /// Optimizer steps in all; overrides `epochs` when set (max_steps above 0).
  public package(set) var maxSteps: Int?
  /// Rows of a micro-batch.
  public package(set) var microBatchSize: Int  // per_device_train_batch_size
  /// Micro-batches of a step.
  public package(set) var accumulation: Int  // gradient_accumulation_steps
  public package(set) var dropsLastBatch: Bool  // dataloader_drop_last
  /// Rows in a new seeded order each epoch (true), or in the file's.
  public package(set) var shuffle: Bool
  public package(set) var seed: Int
  /// The seed of the order of rows; `seed` when not given.
  public package(set) var dataSeed: Int
  public package(set) var lossReduction: LossReduction
  /// NEFTune's α; 0 for no noise.
  public package(set) var embeddingNoise: Double  // neftune_noise_alpha
  /// Seconds that another process of the run is waited for.
  public package(set) var rankPatience: Double  // ddp_timeout
  public package(set) var checkpointing: Bool  // gradient_checkpointing, activation_checkpointing
  /// What checkpointing keeps blocks' inputs in.
  public package(set) var checkpointPrecision: HeldPrecision  // checkpoint_dtype
  public package(set) var precision: Precision
  /// Where the run computes; nil: a card where there is one, otherwise the processor.
  public package(set) var device: DeviceChoice?
  /// Whether `precision` was asked for by its own key, so that it holds on any device.
  public package(set) var precisionIsExplicit: Bool

  // MARK: The optimizer
  public package(set) var learningRate: Double
  public package(set) var schedule: Schedule  // lr_scheduler_type, lr_scheduler_kwargs
  public package(set) var warmup: Warmup
  public package(set) var optimizerMemory: OptimizerMemory  // optim
  public package(set) var momentPrecision: MomentPrecision  // optim
  public package(set) var weightDecay: Double
  public package(set) var beta1: Double
  public package(set) var beta2: Double
  public package(set) var epsilon: Double
  /// Global norm that gradients are clipped to; nil for none (max_grad_norm 0).
  public package(set) var maxGradientNorm: Double?

  // MARK: Logs and checkpoints
  public package(set) var loggingInterval: Interval
  public package(set) var loggingEvery: StepCount
  public package(set) var logsFirstStep: Bool
  public package(set) var logsTensorBoard: Bool  // report_to
  public package(set) var tensorBoardFolder: String?  // logging_dir
  public package(set) var disablesBar: Bool  // disable_tqdm
  public package(set) var saveInterval: SaveInterval
  public package(set) var saveEvery: StepCount
  /// Checkpoints kept; nil for all.
  public package(set) var saveLimit: Int?
  public package(set) var overwritesOutput: Bool
  /// nil: no evaluation during training.
  public package(set) var evaluation: EvaluationSettings?
  /// nil: no answers during training.
  public package(set) var samples: SampleSettings?
  /// Where the run starts from: the key resume_from_checkpoint.
  public package(set) var resume: Resume
  /// A run that needs more does not start.
  public package(set) var memoryLimit: MemoryLimit

  /// One line for each setting that is accepted and not followed to the letter.
  public package(set) var notices: [String]
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

    modelPath = keys.value(ModelKeys.model)
    trainFiles = keys.value(DataKeys.trainFiles)
    maxSamples = keys.value(DataKeys.maxSamples)
    heldOut = keys.value(DataKeys.heldOut)
    outputFolder = keys.value(RecordKeys.output)
    dataCacheFolder = keys.value(DataKeys.cache).path
    maxSequenceLength = keys.value(DataKeys.maxLength)
    task = keys.value(ModelKeys.task)
    templateName = keys.template(task, modelPath: modelPath, &notices)
    templateVariables = keys.templateVariables()
    learnt = keys.learntParts(task)
    self.source = settings.replacing("template_name", with: templateName)
    mode = keys.value(ModelKeys.mode)
    preference = keys.preference(task, &notices)
    keys.checkTruncation(task, &notices)
    startAdapter = keys.startAdapter(mode)

    loraRank = keys.value(AdapterKeys.rank)
    loraAlpha = keys.value(AdapterKeys.alpha)
    loraDropout = keys.value(AdapterKeys.dropout)
    loraTargetModules = keys.value(AdapterKeys.targets)
    adapterChoice = keys.adapterChoice(startAdapter: startAdapter, source: source)
    usesRankStabilisedLoRA = keys.value(AdapterKeys.rankStabilised)
    modulesToSave = keys.value(AdapterKeys.saved)
    tiesSavedModules = keys.value(AdapterKeys.tied)
    resizesVocabulary = keys.value(ModelKeys.resizesVocabulary)

    full = keys.full(mode)

    epochs = keys.value(StepKeys.epochs)
    let steps = keys.value(StepKeys.maxSteps)
    maxSteps = steps > 0 ? steps : nil
    microBatchSize = keys.value(StepKeys.microBatch)
    accumulation = keys.value(StepKeys.accumulation)
    dropsLastBatch = keys.value(DataKeys.dropsLast)
    shuffle = keys.shuffles(&notices)
    seed = keys.value(DataKeys.seed)
    dataSeed = keys.value(DataKeys.dataSeed) ?? seed
    lossReduction = keys.value(StepKeys.reduction)
    embeddingNoise = keys.value(StepKeys.embeddingNoise)
    rankPatience = keys.value(StepKeys.rankPatience)
    checkpointing = keys.recomputesActivations()
    checkpointPrecision = keys.value(ModelKeys.checkpointType)
    device = keys.device()
    (precision, precisionIsExplicit) = keys.precision(&notices)

    learningRate = keys.value(OptimizerKeys.learningRate)
    schedule = keys.schedule(peak: learningRate)
    warmup = keys.warmup(for: schedule, &notices)
    (optimizerMemory, momentPrecision) = keys.optimizer(&notices)
    weightDecay = keys.value(OptimizerKeys.weightDecay)
    beta1 = keys.value(OptimizerKeys.beta1)
    beta2 = keys.value(OptimizerKeys.beta2)
    epsilon = keys.value(OptimizerKeys.epsilon)
    let norm = keys.value(OptimizerKeys.maxNorm)
    maxGradientNorm = norm > 0 ? norm : nil

    loggingInterval = keys.value(RecordKeys.loggingStrategy)
    loggingEvery = keys.value(RecordKeys.loggingEvery)
    logsFirstStep = keys.value(RecordKeys.logsFirst)
    logsTensorBoard = keys.reportsToTensorBoard(&notices)
    tensorBoardFolder = keys.value(RecordKeys.tensorBoardFolder)
    disablesBar = keys.value(RecordKeys.disablesBar)
    saveInterval = keys.value(RecordKeys.saveStrategy)
    saveEvery = keys.value(RecordKeys.saveEvery)
    saveLimit = keys.value(RecordKeys.saveLimit).flatMap { $0 > 0 ? $0 : nil }
    overwritesOutput = keys.value(RecordKeys.overwrites)
    samples = keys.samples(saveEvery: saveEvery)
    evaluation = keys.evaluation(
      task, heldOut: heldOut, loggingEvery: loggingEvery, saveInterval: saveInterval, saveEvery: saveEvery,
      &notices)
    resume = keys.value(RecordKeys.resume)
    memoryLimit = keys.value(ModelKeys.memoryLimit)

    notices += keys.keysOfOtherTrainings(task, mode) + keys.foreignKeys()
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
