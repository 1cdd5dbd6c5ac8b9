import FireflyBase
import FireflyCards
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// Bytes that a run holds at its peak, by part, from shapes alone.
///
/// Counted is what the process has resident: mapped files as far as a step reads them. The system can take pages of
/// mapped files back when memory is short; all else it would have to swap.
struct MemoryPlan {
  let parts: [(part: String, bytes: Int)]
  var total: Int { parts.reduce(0) { $0 + $1.bytes } }
  /// Bytes of these in files of the run's own, which the system can write out between steps.
  let paged: Int
  /// Of a run on a card, what lies in the processor's memory beside it.
  let onHost: [(part: String, bytes: Int)]
  /// What must be in memory at once.
  var needed: Int { total - paged }

  /// Blocks of the pool are rounded up.
  private static let poolShare = 1.1
  /// Code that computing itself brings: compiled products, threads, tables.
  private static let computing = 20 << 20

  /// Of what computes: the card's memory, or the processor's.
  ///
  /// - Parameter config: may differ from the facts' own in what changes memory but not data.
  init(_ facts: ModelFacts, _ config: RunConfig) throws {
    if let card = facts.card {
      try self.init(facts, config, on: card)
    } else {
      self.init(onHost: facts, config)
    }
  }

  private init(onHost facts: ModelFacts, _ config: RunConfig) {
    onHost = []
    let a = facts.architecture
    let c = facts.compute.byteCount
    let trainable = facts.trainable(config)
    let trained = trainable.count
    let batch = facts.longestBatch(config)
    let low = Int((trainable.lowRankWidth / Double(a.layers)).rounded(.up))  // of a block
    let layers = a.layers - (trainable.full?.frozenLayers ?? 0)
    let kept = batch.tokens * MemoryPlan.kept(a, layers, c: c, low: low, config)
    // At the head all blocks' activations are there with the logits; after it, with the work of the last block. Their buffers
    // differ in size, so that the pool keeps those of the one while the other is under way, as far as it keeps any.
    let block = a.logitBlock(byPanels: trainable.leavesHead(isTied: a.tiedHead))
    let logits = min(batch.targets, block.rows) * block.columns * (4 + c)
    let working =
      batch.tokens * MemoryPlan.working(a, c: c, low: low, checkpointing: config.checkpointing)
      + batch.laidOut * MemoryPlan.layout(a, c: c)
    let work = min(
      logits + working,
      max(logits, working) + StoragePool.slack(ofPeak: kept + max(logits, working)))
    let moments = (trainable.momentBytes(config) + facts.ranks - 1) / facts.ranks
    paged =
      (config.optimizerMemory == .paged ? moments : 0)
      + (config.mode == .full && config.full.masterWeights == .paged ? trained * 4 : 0)
    let parameters = MemoryPlan.parameters(trainable, facts, config, c: c)
    let training =
      [
        ("program and rows", facts.residentBytes + MemoryPlan.computing),
        ("weights", facts.linearBytes(config, trainable)),
        ("embedding and head", facts.tableBytes(trainable)),
      ] + parameters + [
        ("optimizer", moments),
        ("activations", Int(Double(kept) * MemoryPlan.poolShare)),
        ("work on a block or the logits", Int(Double(work) * MemoryPlan.poolShare)),
      ]
    // An adapter comes after the weights; what is trained of them is there before they are read.
    let loading =
      facts.loadingBytes(config, trainable)
      + (config.mode == .full ? parameters.reduce(0) { $0 + $1.1 } : 0)
    let beyond = loading - training.reduce(0) { $0 + $1.1 }
    let messages = MemoryPlan.messages(trainable, ranks: facts.ranks)
    parts =
      training + (facts.ranks > 1 ? [("messages between ranks", messages)] : [])
      + (facts.tokenizerBytes > 0 ? [("writing the tokenizer", facts.tokenizerBytes)] : [])
      + (beyond > 0 ? [("reading the weights, beyond that", beyond)] : [])
  }

  /// Values and gradients, and the adapter's copies in the compute type.
  private static func parameters(
    _ trainable: Trainable, _ facts: ModelFacts, _ config: RunConfig, c: Int
  ) -> [(String, Int)] {
    let trained = trainable.count
    guard config.mode == .full else { return [("adapter with gradients", trained * (8 + c))] }
    let gradients = config.full.gradients == .bfloat16 ? 2 : 4
    let own = facts.dividesValues ? (trained + facts.ranks - 1) / facts.ranks : trained
    // Gradients go out as the last micro-batch's backward completes them; until then each rank has its sums of all.
    let block = Dictionary(grouping: trainable.slots) { $0.layer }.values.map {
      $0.reduce(0) { $0 + $1.count }
    }
    let held =
      config.accumulation == 1 ? min(trained, own + (facts.dividesValues ? block.max() ?? 0 : 0)) : trained
    return [
      ("master weights", (config.full.masterWeights == .paged ? trained : own) * 4),
      ("gradients", held * gradients),
    ]
  }

  /// What is under way at once, out and in.
  private static func messages(_ trainable: Trainable, ranks: Int) -> Int {
    let piece = ArenaShards.pieceSize(of: trainable.arenaCount, among: ranks)
    return min(ArenaShards.piecesUnderWay * piece, trainable.arenaCount) * 2 * 4 * (ranks - 1) / ranks
  }

  /// Bytes a token of what `layers` blocks keep for the backward: their inputs, or everything.
  private static func kept(_ a: Architecture, _ layers: Int, c: Int, low: Int, _ config: RunConfig) -> Int {
    config.checkpointing
      ? layers * config.checkpointType.byteCount * a.hiddenSize
      : layers * (4 * a.hiddenSize + block(a, c: c, low: low))
  }

  /// Bytes a token of what one block keeps beside its input.
  private static func block(_ a: Architecture, c: Int, low: Int) -> Int {
    let feedForward = (a.isGated ? 3 : 2) * a.widestFeedForward  // gate, up and their product
    let gathered = 2 * (a.experts?.perRow ?? 0) * a.hiddenSize  // experts' inputs and results
    return c
      * (2 * a.hiddenSize + heads(a) + feedForward + gathered + low)
      + 4 * (a.hiddenSize + beforeNorms(a))
  }

  /// Elements a token that norms of queries and keys, and of what a block's halves give, keep in float32.
  private static func beforeNorms(_ a: Architecture) -> Int {
    a.names.outputNorms.count * a.hiddenSize + (a.headNorm == nil ? 0 : a.querySize + a.keyValueSize)
  }

  /// Bytes a token of what attention lays out where sequences share a trunk: q, k and v, the result and the gradients of all.
  private static func layout(_ a: Architecture, c: Int) -> Int { 4 * c * (a.querySize + a.keyValueSize) }

  /// Elements a token of q, k, v and what attention gives; and of short vectors, the normed ones and those in float32
  /// before the norm, which count as two.
  private static func heads(_ a: Architecture) -> Int {
    guard let latent = a.latent else { return 2 * a.querySize + 2 * a.keyValueSize }
    return 2 * a.querySize + 2 * a.attendedSize + 3 * ((latent.queryRank ?? 0) + latent.keyValueRank)
  }

  /// Bytes a token of the backward of one block, its recomputation included.
  private static func working(_ a: Architecture, c: Int, low: Int, checkpointing: Bool) -> Int {
    let feedForward = (4 + (a.isGated ? 2 : 1) * c) * a.widestFeedForward
    // Of what a half gives, one more in float32; of queries, before the norm and after it, in buffers of their own size.
    let norms =
      (a.names.outputNorms.isEmpty ? 0 : 4 * a.hiddenSize) + (a.headNorm == nil ? 0 : 8 * a.querySize)
    return 12 * a.hiddenSize + norms + max(feedForward, a.latent.map { latentWork(a, $0, c: c) } ?? 0)
      + (checkpointing ? block(a, c: c, low: low) : 0)
  }

  /// Bytes a token of the backward of latent attention: gradients of q, k and v in both orders; in float32 the sums of k's
  /// and v's, the result's, and the short vectors' before and after the norm.
  private static func latentWork(_ a: Architecture, _ latent: LatentHeads, c: Int) -> Int {
    let up = a.heads * (latent.plainDim + latent.valueDim)
    let short = (latent.queryRank ?? 0) + latent.keyValueRank
    return c * (3 * a.querySize + 2 * a.attendedSize + up) + 4
      * (a.querySize + 2 * a.attendedSize + 2 * short)
  }
}

extension Trainable {
  /// Bytes of AdamW's moments.
  func momentBytes(_ config: RunConfig) -> Int {
    config.momentPrecision == .bytes ? MomentStore.byteCount(inBytesFor: self) : 8 * count
  }
}

extension MemoryPlan {
  /// What the library of products takes for itself, beside tensors.
  static let libraryBytes = 64 << 20

  /// On a card: counted by going through a step.
  init(_ facts: ModelFacts, _ config: RunConfig, on card: CardKind) throws {
    let rehearsal = try CardRehearsal(facts, config, card)
    let a = facts.architecture
    let layers = a.layers - (facts.trainable(config).full?.frozenLayers ?? 0)
    let inputs =
      config.checkpointing
      ? facts.longestBatch(config).tokens * layers * config.checkpointType.byteCount * a.hiddenSize : 0
    let rest = rehearsal.peak - rehearsal.kept.reduce(inputs) { $0 + $1.bytes }
    parts =
      rehearsal.kept.filter { $0.bytes > 0 } + (inputs > 0 ? [("inputs of blocks", inputs)] : []) + [
        (inputs > 0 ? "work on a block or the logits" : "activations and work", rest),
        ("library of products", MemoryPlan.libraryBytes),
      ]
    onHost =
      [("program and rows", facts.residentBytes + MemoryPlan.computing)]
      + (config.optimizerMemory == .paged
        ? [("optimizer", facts.trainable(config).momentBytes(config) / facts.ranks)] : [])
      + (facts.keepsValuesOnHost(config)
        ? [("master weights", 4 * facts.trainable(config).count)] : [])
    paged = 0
  }
}
