import FireflyBase
import FireflyCards
import FireflyEvaluation
import FireflyModels
import FireflyPretrained
import FireflyRanks
import FireflyTensors
import FireflyText
import FireflyWeights

/// A run set up as far as it can be without its weights: model, rows and their order, all checked.
struct RunSetup {
  private(set) var config: RunConfig
  let pretrained: Pretrained
  let architecture: Architecture
  /// What is trained.
  let trainable: Trainable
  let dataset: Dataset
  /// The rows of eval_file, or those held out of train_file; nil without evaluation.
  let evaluationData: Dataset?
  /// nil without sample_prompts.
  let sampler: RunSampler?
  /// Where the run computes.
  let device: any Device
  /// The dtype of products.
  let compute: DType
  let order: DataOrder
  let totalSteps: Int
  /// What the run continues from; nil for a fresh one.
  let resumed: CheckpointFolder?
  /// One line for each thing that the user should know.
  private(set) var notices: [String]
  /// The processes of the run.
  let ranks: Ranks
  /// How many there will be; in a plan more than there are.
  let rankCount: Int

  /// - Parameters:
  ///   - opened: where the run will compute.
  ///   - planned: how many ranks the run will have.
  ///   - progress: is told what is being read and the share done, 0…1.
  /// - Throws: `FireflyError` for the first thing that would stop the run.
  init(
    _ config: RunConfig, on opened: OpenedDevice, _ ranks: Ranks = .alone(), planned: Int = 1,
    progress: @escaping (String, Double) -> Void
  ) throws {
    var notices = config.notices
    self.ranks = ranks
    rankCount = planned
    ranks.summary(threads: Parallel.threads).map { notices.append($0) }
    if !opened.isUsual || config.device == .auto { notices.append(opened.note) }
    device = opened.device
    compute = try RunSetup.compute(config, device, &notices)
    pretrained = try config.openModel()
    // Before the rows, which may take minutes.
    let output = OutputFolder(config: config)
    try output.check(model: pretrained.source.path)
    resumed = try output.resumePoint(&notices)
    architecture = try Architecture.read(pretrained.source).architecture
    let config = try config.takingStartAdapter(architecture).choosingLayers(architecture).held(
      on: device, architecture, compute: compute, &notices)
    try config.validateTrained(for: architecture)
    if config.mode == .full { try RunSetup.requireWhole(pretrained.source) }
    trainable = config.trainable(architecture)
    let template = try config.template(pretrained.tokenizer)
    let tokenizer = pretrained.tokenizer
    config.templateNote(template, tokenizer).map { notices.append($0) }
    dataset = try config.rows(
      config.selection(.training), template: template, tokenizer: tokenizer,
      cache: config.dataCache(model: pretrained.source.path)
    ) { progress("reading rows", $0) }
    sampler = try config.samples.map { [template, pretrained] in try RunSampler($0, pretrained, template) }
    evaluationData = try config.evaluation.map { evaluation in
      try config.rows(
        evaluation.file.map { DataSelection([DataFile($0)]) } ?? config.selection(.heldOut),
        template: template, tokenizer: tokenizer
      ) { progress("reading rows to evaluate", $0) }
    }
    for data in [dataset] + (evaluationData.map { [$0] } ?? []) {
      try checkVocabulary(data, vocabularySize: architecture.vocabularySize, model: config.modelPath)
    }
    if config.mode == .qlora { pretrained.blocksNote(.stored, on: device).map { notices.append($0) } }
    notices += RunSetup.remarks(dataset.report, architecture)
    notices += RunSetup.preferenceRemarks(config, architecture)
    order = DataOrder(
      rows: dataset.samples.count / (config.task == .dpo ? 2 : 1), microBatchSize: config.microBatchSize,
      accumulation: config.accumulation,
      dropsLastBatch: config.dropsLastBatch, shuffle: config.shuffle, seed: UInt64(config.dataSeed))
    totalSteps = order.totalSteps(epochs: config.epochs, maxSteps: config.maxSteps)
    if order.batchesPerEpoch < config.accumulation {
      notices.append(
        "an epoch has \(order.batchesPerEpoch) micro-batches, fewer than gradient_accumulation_steps "
          + "\(config.accumulation): each step takes them all")
    }
    notices += RunRemarks(config, order, totalSteps: totalSteps).lines
    self.config = config
    self.notices = notices
  }

  /// Bytes that this rank may use, of the processor's memory or the card's; nil: it starts whatever its plan says.
  var memoryLimit: Int? {
    guard config.memoryLimit == .system else { return config.memoryLimit.bytes }
    return device.ownMemory ?? config.memoryLimit.bytes.map { $0 / ranks.ranksOnHost }
  }

  /// Bytes of the processor's memory that this rank may use beside a card's.
  var hostLimit: Int? {
    if device.isHost || config.memoryLimit == .none { return nil }
    return MemoryLimit.system.bytes.map { $0 / ranks.ranksOnHost }
  }

  /// Whether each of several ranks keeps a part of the float32 values and gradients alone.
  var dividesValues: Bool {
    config.mode == .full && device.isHost && rankCount > 1 && architecture.readsCopies(compute)
  }

  /// The same with other settings, of which `notice` tells.
  func changed(to config: RunConfig, notice: String? = nil) -> RunSetup {
    var setup = self
    setup.config = config
    notice.map { setup.notices.append($0) }
    return setup
  }

  /// The frozen linear layers are held in 4 bits, or in a GGUF file's blocks: they are decoded as they are used.
  var isNF4: Bool { config.mode == .qlora || pretrained.source.isQuantized }

  /// In QLoRA the frozen layers of a GGUF file stay its own blocks: quantising them once more would train another base than
  /// the one that is served.
  var holdsBlocks: Bool { config.mode == .qlora && canHoldBlocks }

  var canHoldBlocks: Bool { pretrained.source.hasBlocks && device.multipliesBlocks }

  var quantization: Quantization {
    guard config.mode == .qlora else { return .none }
    return holdsBlocks ? .stored : .nf4(double: true)
  }

  func fingerprint() throws -> Fingerprint {
    Fingerprint(
      config, compute: compute.description, model: try ModelHash.of(pretrained.source),
      rows: dataset.samples.digest, order: order, adapter: try startAdapterHash(),
      holdsBlocks: holdsBlocks)
  }

  /// Of the adapter that the run starts from; nil for a fresh one.
  func startAdapterHash() throws -> String? { try config.startAdapter.map(ModelHash.of(adapter:)) }

  // MARK: - Checks

  /// What is trained must be all there: of weights in 4 bits only an adapter can be.
  private static func requireWhole(_ source: ModelSource) throws {
    let blocks = source.weights.blockFormats.first
    guard source.isQuantized || blocks != nil else { return }
    throw FireflyError(
      "\"train_mode\": \"full\" needs the weights whole, and the model's are quantised", at: source.path,
      expected: "F32, F16 or BF16", found: blocks ?? "bitsandbytes' 4 bits",
      fix: "Use the model's 16-bit weights, or train an adapter with \"train_mode\": \"qlora\".")
  }

  /// A precision by its own key holds on any device that has it; bf16 and fp16 are followed as near as the device can.
  private static func compute(
    _ config: RunConfig, _ device: any Device, _ notices: inout [String]
  ) throws -> DType {
    switch config.precision {
    case .float32: return .float32
    case .float16 where config.precisionIsExplicit || device.multipliesFloat16:
      try device.requireCompute(.float16)
      return .float16
    case .bfloat16 where config.precisionIsExplicit: return .bfloat16
    case .float16, .bfloat16: break
    }
    let compute = device.usualCompute
    if compute != .bfloat16 {
      notices.append(
        "\(device.isHost ? "this processor" : device.name) has no bfloat16 products: computing in \(compute)"
          + (compute == .float16 ? ", with loss scaling" : ""))
    }
    return compute
  }

  private static func preferenceRemarks(_ config: RunConfig, _ architecture: Architecture) -> [String] {
    guard let preference = config.preference else { return [] }
    var remarks: [String] = []
    if config.mode != .full && preference.disablesDropout && config.loraDropout > 0 {
      remarks.append(
        "\"lora_dropout\" is off in preference training, as in TRL; \"disable_dropout\": false leaves it on")
    }
    if !architecture.sharesTrunks {
      remarks.append(
        "a pair's prompt is read once for each answer: "
          + (architecture.latent == nil
            ? "this model's numbers depend on what follows it" : "this model's attention shares none"))
    }
    return remarks
  }

  private static func remarks(_ report: DatasetReport, _ architecture: Architecture) -> [String] {
    var remarks = report.warnings
    let longest = report.lengthPercentiles[100] ?? 0
    if longest > architecture.maxPositions {
      remarks.append(
        "the longest row has \(longest) tokens, more than the \(architecture.maxPositions) the model was made for"
      )
    }
    return remarks
  }
}
