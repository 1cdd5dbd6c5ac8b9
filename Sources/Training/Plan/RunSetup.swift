import FireflyBase
import FireflyEvaluation
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// A run set up as far as it can be without its weights: model, rows and their order, all checked.
struct RunSetup {
  let config: RunConfig
  let pretrained: Pretrained
  let architecture: Architecture
  /// What is trained.
  let trainable: Trainable
  let dataset: Dataset
  /// The rows of eval_file, or those held out of train_file; nil without evaluation.
  let evaluationData: Dataset?
  /// nil without sample_prompts.
  let sampler: RunSampler?
  /// The dtype of products.
  let compute: DType
  let order: DataOrder
  let totalSteps: Int
  /// One line for each thing that the user should know.
  let notices: [String]

  /// - Parameter progress: is told what is being read and the share done, 0…1.
  /// - Throws: `FireflyError` for the first thing that would stop the run.
  init(_ config: RunConfig, progress: @escaping (String, Double) -> Void) throws {
    try RunSetup.requireSupported(config)
    var notices = config.notices
    compute = RunSetup.compute(config, &notices)
    pretrained = try Pretrained.open(config.modelPath)
    architecture = try Architecture(config: pretrained.source.config, source: config.modelPath)
    try architecture.requireTensors(in: pretrained.source.weights)
    try config.loraOptions.validate(for: architecture)
    trainable = Trainable(architecture, config.loraOptions)
    let template = try config.template(pretrained.tokenizer)
    dataset = try Dataset.load(
      config.selection(.training), template: template, learnt: config.learnt, tokenizer: pretrained.tokenizer,
      maxLength: config.maxSequenceLength, cache: config.dataCache
    ) { progress("reading rows", $0) }
    sampler = try config.samples.map { [template, pretrained] in try RunSampler($0, pretrained, template) }
    evaluationData = try config.evaluation.map { [template, pretrained] evaluation in
      try Dataset.load(
        evaluation.file.map { DataSelection([DataFile($0)]) } ?? config.selection(.heldOut),
        template: template, learnt: config.learnt, tokenizer: pretrained.tokenizer,
        maxLength: config.maxSequenceLength
      ) { progress("reading rows to evaluate", $0) }
    }
    for data in [dataset] + (evaluationData.map { [$0] } ?? []) {
      try checkVocabulary(data, vocabularySize: architecture.vocabularySize, model: config.modelPath)
    }
    notices += RunSetup.remarks(dataset.report, architecture)
    order = DataOrder(
      rows: dataset.samples.count, microBatchSize: config.microBatchSize, accumulation: config.accumulation,
      dropsLastBatch: config.dropsLastBatch, shuffle: config.shuffle, seed: UInt64(config.dataSeed))
    totalSteps = order.totalSteps(epochs: config.epochs, maxSteps: config.maxSteps)
    if order.batchesPerEpoch < config.accumulation {
      notices.append(
        "an epoch has \(order.batchesPerEpoch) micro-batches, fewer than gradient_accumulation_steps "
          + "\(config.accumulation): each step takes them all")
    }
    self.config = config
    self.notices = notices
  }

  /// The frozen linear layers are held in 4 bits.
  var isNF4: Bool { config.mode == .qlora || pretrained.source.isQuantized }

  var quantization: Quantization { config.mode == .qlora ? .nf4(double: true) : .none }

  func fingerprint() throws -> Fingerprint {
    Fingerprint(
      config, compute: compute.description, model: try ModelHash.of(pretrained.source),
      rows: dataset.samples.digest, order: order)
  }

  // MARK: - Checks

  private static func requireSupported(_ config: RunConfig) throws {
    guard config.task != .dpo else {
      throw FireflyError(
        "\"task_type\": \"\(config.task.rawValue)\" is not supported yet", at: "task_type",
        expected: "\"sft\" or \"pretrain\"")
    }
    guard config.mode != .full else {
      throw FireflyError(
        "\"train_mode\": \"full\" is not supported yet", at: "train_mode", expected: "\"qlora\" or \"lora\"")
    }
  }

  private static func compute(_ config: RunConfig, _ notices: inout [String]) -> DType {
    if config.precision == .float32 { return .float32 }
    if config.precisionIsExplicit || Ops.supportsBFloat16 { return .bfloat16 }
    notices.append("this processor has no bfloat16 products: computing in float32")
    return .float32
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
