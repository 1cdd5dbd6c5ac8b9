import FireflyBase
import FireflyModels
import FireflyPretrained
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
  /// Elements of the adapter, or of the weights that are trained.
  public let trainableParameters: Int
  /// Elements of the frozen model.
  public let frozenParameters: Int
  /// Bytes resident at the peak, by part; an estimate.
  public let memory: [(part: String, bytes: Int)]
  /// Bytes that this process may use: the machine's, or its group's limit; nil where the system does not say.
  public let memoryLimit: Int?
  /// Of a run on a card: bytes that it takes of the processor's memory, and how many there are; nil where the system does
  /// not say, and without a limit.
  private let host: (bytes: Int, limit: Int?)
  /// What to change when the run does not fit, the total after each change; empty when it does.
  public let advice: [String]
  /// What all steps compute.
  package let work: StepWork
  /// What asking the reference of preference training computes before the first step; nil where there is none.
  package let referenceWork: StepWork?
  /// What a step is like, for measuring one.
  package let step: PlannedStep
  /// What the run would take on a card, as it is and with what spares memory; empty where that was not asked for.
  public let cards: [CardFit]
  /// Bytes of one checkpoint.
  public let checkpointBytes: Int
  /// Processes that share the work.
  public let ranks: Int
  /// Bytes that each of them sends in a step, and as many come; 0 where there is one.
  public var wireBytes: Int { wire.gradients + wire.values }
  /// Of them gradients, which go out while a step's last backward goes on, and new values.
  package let wire: (gradients: Int, values: Int)
  /// Of a rank's computing in a step the share of its last micro-batch.
  package let lastShare: Double
  /// Bytes of the paged optimizer's file, and of that of paged master weights; 0 when they are in memory.
  public let pagedBytes: Int
  /// The plan in plain lines.
  public let summary: [String]
  public let notices: [String]

  /// - Parameter comparesCards: says too what the run would take of a card's memory, and which cards have it.
  init(_ setup: RunSetup, memoryLimit: Int?, comparesCards: Bool = false) throws {
    let facts = ModelFacts(setup)
    let report = setup.dataset.report
    let config = setup.config
    steps = setup.totalSteps
    stepsPerEpoch = setup.order.stepsPerEpoch
    rows = report.kept
    tokens = report.tokens
    targets = report.targets
    trainableParameters = setup.trainable.count
    frozenParameters = facts.modelElements - (setup.trainable.full == nil ? 0 : setup.trainable.count)
    let memory = try MemoryPlan(facts, config)
    self.memory = memory.parts
    self.memoryLimit = memoryLimit
    host = (memory.onHost.reduce(0) { $0 + $1.bytes }, setup.hostLimit)
    advice = try RunPlan.advice(facts, config, needed: memory.needed, limit: memoryLimit)
    work = StepWork(setup)
    ranks = setup.rankCount
    // Of each element, but for the own share.
    let sent = setup.trainable.arenaCount / ranks * (ranks - 1)
    wire = (4 * sent, (setup.dividesValues ? setup.compute.byteCount : 4) * sent)
    lastShare = min(1, Double(ranks) / Double(setup.order.accumulation))
    referenceWork = setup.referenceWork
    step = PlannedStep(setup, facts)
    checkpointBytes =
      4 * (trainableParameters + setup.totalSteps) + setup.trainable.momentBytes(config)
      + (setup.trainable.full == nil ? 0 : setup.pretrained.source.weights.byteCount)
    pagedBytes = memory.paged
    let node = NodeAdvice(
      nodes: setup.device.isHost ? Processors.memoryNodes : 1, ranks: ranks, units: setup.units,
      needed: memory.needed, limit: memoryLimit)
    notices = setup.notices + (node.line.map { [$0] } ?? [])
    cards = comparesCards ? try CardFit.all(facts, config) : []
    summary =
      RunPlan.lines(setup, facts, memory) + RunPlan.reference(setup, referenceWork, work)
      + ["checkpoint: about \(Readable.bytes(checkpointBytes))"]
      + RunPlan.wire(setup, wire.gradients + wire.values) + CardFit.lines(cards) + advice
  }

  private static func advice(_ facts: ModelFacts, _ config: RunConfig, needed: Int, limit: Int?) throws
    -> [String]
  {
    guard let limit, needed > limit else { return [] }
    let advice = try RunAdvice(facts, config, limit: limit)
    let what = "does not fit the \(Readable.bytes(limit)) of memory here"
    guard !advice.lines.isEmpty else { return ["\(what): this needs a smaller model or a larger machine"] }
    return ["\(what); with"] + advice.lines.map { "  " + $0 }
      + (advice.fits ? [] : ["  and still not: this needs a smaller model or a larger machine"])
  }

  /// Bytes resident at the peak.
  public var memoryBytes: Int { memory.reduce(0) { $0 + $1.bytes } }

  /// - Throws: `FireflyError` saying what to change, when the run does not fit into memory.
  public func requireFit() throws { try requireFit(hostLimit: host.limit) }

  /// - Parameter hostLimit: bytes of the processor's memory that a run on a card may use.
  package func requireFit(hostLimit: Int?) throws {
    if let hostLimit, host.bytes > hostLimit {
      throw FireflyError(
        "what the card has no room for does not fit into the processor's memory",
        expected: "at most \(Readable.bytes(hostLimit))", found: "about \(Readable.bytes(host.bytes))",
        fix:
          "Shorter rows, or fewer at a time, leave more of the card's memory to the optimizer; moments in 8 bits "
          + "(\"optim\": \"paged_adamw_8bit\") or a smaller model take less.")
    }
    // What lies in files of the run's own can be written out.
    let needed = memoryBytes - pagedBytes
    guard let memoryLimit, needed > memoryLimit else { return }
    throw FireflyError(
      "the run does not fit into memory", expected: "at most \(Readable.bytes(memoryLimit))",
      found: "about \(Readable.bytes(needed))",
      fix: (advice.count > 1
        ? "With\n" + advice.dropFirst().joined(separator: "\n") + "\n"
        : "This needs a smaller model or a larger machine. ")
        + "\"memory_limit\": \"none\" starts it all the same.")
  }

  /// What the reference is, and what is saved by asking it once.
  private static func reference(_ setup: RunSetup, _ once: StepWork?, _ steps: StepWork) -> [String] {
    guard let once else { return [] }
    let pairs = setup.pairsSeen.count
    // Asked in every step, it would be asked about each pair as often as the run sees it.
    let seen = setup.order.epoch(after: setup.totalSteps) * Double(setup.order.rows)
    let saved = once.flop * (seen / Double(max(1, pairs)) - 1)
    let share = Int((100 * max(0, saved) / (steps.flop + once.flop)).rounded())
    let what =
      setup.usesAdapterAsReference
      ? "the model with the adapter it starts from"
      : setup.trainable.full == nil ? "the base" : "the model as it starts"
    return [
      "reference: \(what), asked once about \(Readable.grouped(pairs)) pairs before training"
        + (setup.config.dataCacheFolder == nil ? "" : " and kept in the data cache")
        + (share > 0 ? ", which saves \(share) % of the run's work" : "")
    ]
  }

  /// What ranks send each other, and on how many rows each can work.
  private static func wire(_ setup: RunSetup, _ bytes: Int) -> [String] {
    guard setup.rankCount > 1 else { return [] }
    let units = setup.units
    let unit = setup.architecture.experts == nil ? "rows" : "micro-batches"
    let line =
      "ranks: \(setup.rankCount), which share the \(units) \(unit) of a step; each sends \(Readable.bytes(bytes)) a step"
    guard units < setup.rankCount else { return [line] }
    return [
      line, "\(setup.rankCount - units) of the ranks have nothing to compute: a step has too few \(unit)",
    ]
  }

  private static func evaluation(_ setup: RunSetup) -> [String] {
    guard let settings = setup.config.evaluation, let data = setup.evaluationData else {
      return []
    }
    let every =
      settings.interval == .epoch
      ? "after each epoch" : "every \(settings.every.resolved(total: setup.totalSteps)) steps"
    return data.report.summary.map { "evaluation data: \($0)" } + ["evaluation: \(every)"]
  }

  private static func shortStep(_ order: DataOrder) -> String {
    guard order.stepsPerEpoch > 1, let batches = order.batchesOfShortStep else { return "" }
    return ", the last of an epoch of \(batches)"
  }

  private static func lines(_ setup: RunSetup, _ facts: ModelFacts, _ memory: MemoryPlan) -> [String] {
    let config = setup.config
    let order = setup.order
    let whole = facts.modelElements
    let warmup = config.schedule == .constant ? 0 : config.warmup.resolved(total: setup.totalSteps)
    return [
      "model: \(config.modelPath), \(setup.architecture.family), "
        + "\(Readable.grouped(whole)) parameters, \(config.mode.rawValue), products in \(setup.compute)",
      trained(setup, of: whole),
    ]
      + setup.dataset.report.summary.map { "data: \($0)" } + evaluation(setup) + [
        "steps: \(setup.totalSteps), \(order.stepsPerEpoch) an epoch, each of "
          + "\(min(config.accumulation, order.batchesPerEpoch)) × \(min(config.microBatchSize, order.rows)) rows"
          + shortStep(order),
        "learning rate: \(Readable.scientific(config.learningRate)), \(config.schedule.kind.rawValue), "
          + "\(warmup) steps of warm-up",
      ] + table(memory)
  }

  /// What memory is for, a line for each part, and the sum.
  private static func table(_ memory: MemoryPlan) -> [String] {
    let rows = memory.parts.map { ["  " + $0.part, Readable.bytes($0.bytes)] }
    return [memory.onHost.isEmpty ? "memory, about:" : "memory of the card, about:"]
      + Columns.table(rows + [["  together", Readable.bytes(memory.total)]], right: [1])
      + (memory.paged > 0
        ? ["  \(Readable.bytes(memory.paged)) of it in files that the system can write out"] : [])
      + memory.onHost.map {
        "  beside it, in the processor's memory: \($0.part), \(Readable.bytes($0.bytes))"
      }
  }

  private static func trained(_ setup: RunSetup, of whole: Int) -> String {
    let count = setup.trainable.count
    let share = Readable.fixed(100 * Double(count) / Double(max(1, whole)), 2)
    let parameters = "\(Readable.grouped(count)) trainable parameters (\(share) %)"
    guard let full = setup.trainable.full else {
      return "adapter: rank \(setup.config.loraRank), \(parameters)"
        + (setup.config.startAdapter.map { ", from \($0)" } ?? "")
    }
    return "trained: \(parameters)"
      + (full.frozenLayers > 0
        ? ", not the embedding and the first \(full.frozenLayers) of \(setup.architecture.layers) blocks"
        : "")
  }
}

extension RunSetup {
  /// What ranks can share in a step: rows; in mixtures of experts micro-batches, which stay whole.
  fileprivate var units: Int {
    min(order.accumulation, order.batchesPerEpoch)
      * (architecture.experts == nil ? min(order.microBatchSize, order.rows) : 1)
  }
}
