import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyTensors
import FireflyText
import FireflyWeights

/// What a run will do and take, known before it begins.
public struct RunPlan: Sendable {
  /// Optimizer steps in all.
  public let steps: Int
  public let stepsPerEpoch: Int
  /// Rows and tokens of one epoch; what counts in the loss of them.
  public let rows: Int
  public let tokens: Int
  public let targets: Int
  /// Elements of the adapter.
  public let trainableParameters: Int
  /// Elements of the frozen model.
  public let frozenParameters: Int
  /// Bytes held at once in a step, by part; an estimate.
  public let memory: [(part: String, bytes: Int)]
  /// Bytes of one checkpoint.
  public let checkpointBytes: Int
  /// Bytes of the paged optimizer's file; 0 when it is in memory.
  public let pagedBytes: Int
  /// Plain lines.
  public let summary: [String]
  public let notices: [String]

  init(_ preparation: Preparation) {
    let sizes = RunSizes(preparation)
    let report = preparation.dataset.report
    let config = preparation.config
    steps = preparation.totalSteps
    stepsPerEpoch = preparation.order.stepsPerEpoch
    rows = report.kept
    tokens = report.tokens
    targets = report.targets
    trainableParameters = sizes.adapter
    frozenParameters = sizes.frozen
    memory = sizes.memory
    checkpointBytes = 12 * sizes.adapter + 4 * preparation.totalSteps
    pagedBytes = config.optimizerMemory == .paged ? 8 * sizes.adapter : 0
    notices = preparation.notices
    summary = RunPlan.lines(preparation, sizes) + ["checkpoint: about \(Numbers.bytes(checkpointBytes))"]
  }

  private static func lines(_ preparation: Preparation, _ sizes: RunSizes) -> [String] {
    let config = preparation.config
    let order = preparation.order
    let share = Numbers.fixed(100 * Double(sizes.adapter) / Double(max(1, sizes.frozen)), 2)
    let warmup = config.schedule == .constant ? 0 : config.warmup.resolved(total: preparation.totalSteps)
    return [
      "model: \(config.modelPath), \(preparation.architecture.family), "
        + "\(Numbers.grouped(sizes.frozen)) parameters, \(config.mode.rawValue), products in \(preparation.compute)",
      "adapter: rank \(config.loraRank), \(Numbers.grouped(sizes.adapter)) trainable parameters (\(share) %)",
    ]
      + preparation.dataset.report.summary.map { "data: \($0)" } + [
        "steps: \(preparation.totalSteps), \(order.stepsPerEpoch) an epoch, each of "
          + "\(min(config.accumulation, order.batchesPerEpoch)) × \(min(config.microBatchSize, order.rows)) rows",
        "learning rate: \(Numbers.scientific(config.learningRate)), \(config.schedule.rawValue), "
          + "\(warmup) steps of warm-up",
        "memory, about: \(Numbers.bytes(sizes.memory.reduce(0) { $0 + $1.bytes })) ("
          + sizes.memory.map { "\($0.part) \(Numbers.bytes($0.bytes))" }.joined(separator: ", ") + ")",
      ]
  }
}

/// Counts of elements and bytes, from the configuration alone.
struct RunSizes {
  /// Elements of the adapter.
  let adapter: Int
  /// Elements of the frozen model.
  let frozen: Int
  let memory: [(part: String, bytes: Int)]

  init(_ preparation: Preparation) {
    let a = preparation.architecture
    let config = preparation.config
    let c = preparation.compute.byteCount
    let targets = a.adapted(config.loraTargetModules)
    adapter = a.layers * targets.reduce(0) { $0 + config.loraRank * ($1.inputs + $1.outputs) }
    let linear = a.layers * a.linears.reduce(0) { $0 + $1.count }
    let table = a.vocabularySize * a.hiddenSize
    frozen = linear + table * (a.tiedHead ? 1 : 2) + (2 * a.layers + 1) * a.hiddenSize

    let isNF4 = config.mode == .qlora || preparation.pretrained.source.config["quantization_config"] != nil
    let weights = isNF4 ? linear / 2 + linear / 64 + linear / (64 * 256) * 4 : linear * c
    let tokens = RunSizes.longestBatch(preparation)
    memory = [
      ("weights", weights), ("embedding and head", table * (a.tiedHead ? 1 : 2) * c),
      ("adapter with gradients", adapter * (8 + c)), ("optimizer", adapter * 8),
      ("activations", RunSizes.activations(a, tokens: tokens, c: c, checkpointing: config.checkpointing)),
      ("logits", min(tokens * a.vocabularySize, RunSizes.logitsAtOnce) * (4 + c)),
      ("mapped files, which the system can take back", RunSizes.fileBytes(preparation.pretrained.source)),
    ]
  }

  /// The loss looks at about this many logits at a time.
  private static let logitsAtOnce = 8 << 20

  private static func fileBytes(_ source: ModelSource) -> Int {
    source.weights.names.reduce(0) { $0 + (source.weights.info($1)?.range.count ?? 0) }
  }

  /// Tokens of a micro-batch of the longest rows.
  private static func longestBatch(_ preparation: Preparation) -> Int {
    let lengths = preparation.dataset.samples.map(\.tokens.count).sorted(by: >)
    return lengths.prefix(preparation.config.microBatchSize).reduce(0, +)
  }

  /// The blocks' inputs, float32, and what one block (all blocks, without checkpointing) keeps for its backward.
  private static func activations(_ a: Architecture, tokens: Int, c: Int, checkpointing: Bool) -> Int {
    let block = c * (2 * a.hiddenSize + 2 * a.querySize + 2 * a.keyValueSize + 3 * a.intermediateSize)
    let residual = 4 * a.hiddenSize
    let working = 2 * block + 2 * residual
    let kept = checkpointing ? residual * a.layers : (residual + block) * a.layers
    return tokens * (kept + working)
  }
}
