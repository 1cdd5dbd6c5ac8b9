import FireflyBase
import FireflyCards
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// What a plan needs to know of a model and its rows.
struct ModelFacts {
  let architecture: Architecture
  let compute: DType
  /// The linear layers are stored in 4 bits.
  let isStored4Bit: Bool
  /// Bytes of embedding and head that come to lie in memory where they are frozen.
  private let tableBytes: Int
  /// Bytes of all linear layers where QLoRA leaves those in a GGUF file's blocks as they are; nil where it does not.
  private let blockLinearBytes: Int?
  /// The base's tables are read with other rows than the files', so that they lie in memory beside trained ones.
  private let holdsTables: Bool
  /// The embedding, and the largest linear layer of a block, as the file has them.
  private let table: StoredTensor
  private let largestLinear: StoredTensor
  /// The rows, the longest first.
  let rows: [PassSize]
  /// What the process holds already: the program, the tokenizer and the rows.
  let residentBytes: Int
  /// What writing the tokenizer of a GGUF file as tokenizer.json takes, and reading that again to check it.
  let tokenizerBytes: Int
  /// Processes that share the optimizer's moments.
  let ranks: Int
  /// They share float32 values and gradients of all weights too.
  let dividesValues: Bool
  /// The card that the run computes on; nil: it computes on the processor.
  let card: CardKind?

  init(_ setup: RunSetup) {
    ranks = setup.rankCount
    dividesValues = setup.dividesValues
    card = (setup.device as? CardDevice)?.kind
    architecture = setup.architecture
    compute = setup.compute
    isStored4Bit = setup.pretrained.source.isQuantized
    rows = setup.rowSizes.sorted { $0.tokens > $1.tokens }
    residentBytes = ProcessMemory.residentBytes ?? 0
    tokenizerBytes = ModelFacts.tokenizerBytes(setup)
    tableBytes = ModelFacts.tableBytes(setup)
    blockLinearBytes = setup.canHoldBlocks ? ModelFacts.blockLinearBytes(setup) : nil
    holdsTables = setup.pretrained.source.weights.isReplaced(architecture.names.embedding)
    table = StoredTensor(architecture.names.embedding, setup)
    let prefix = architecture.names.prefix(0)
    let linear = architecture.linears(0).max { $0.count < $1.count }
    largestLinear = StoredTensor(prefix + (linear?.name ?? "") + ".weight", setup)
  }

  // MARK: - The model

  /// A tied table is read whole by the head. Of an own embedding that stays mapped, only the rows that the data
  /// names, each at least a page.
  private static func tableBytes(_ setup: RunSetup) -> Int {
    let a = setup.architecture
    let c = setup.compute.byteCount
    let table = a.vocabularySize * a.hiddenSize * c
    let weights = setup.pretrained.source.weights
    func held(_ name: String) -> Int {
      let tensor = StoredTensor(name, setup)
      return setup.holdsBlocks && !weights.isReplaced(name) ? tensor.held(in: setup.compute) : table
    }
    if a.tiedHead { return held(a.names.embedding) }
    let stored = weights.info(a.names.embedding)
    let isMapped = stored?.type.dtype == setup.compute || setup.holdsBlocks && stored?.type.isBlock == true
    guard isMapped && !weights.isReplaced(a.names.embedding) else { return held(a.names.head) + table }
    let whole = held(a.names.embedding)
    let named = setup.dataset.samples.distinctTokens
    return held(a.names.head) + min(whole, named * max(4096, whole / a.vocabularySize))
  }

  /// Bytes for each token and merge, measured.
  private static let tokenBytes = 120

  private static func tokenizerBytes(_ setup: RunSetup) -> Int {
    let pretrained = setup.pretrained
    guard let metadata = pretrained.source.gguf?.metadata, pretrained.tokenizerPath == pretrained.source.path,
      metadata["tokenizer.ggml.model"]?.string == "gpt2"
    else { return 0 }
    let counts = ["tokens", "merges"].map { metadata["tokenizer.ggml.\($0)"]?.count ?? 0 }
    return tokenBytes * counts.reduce(0, +)
  }

  private static func blockLinearBytes(_ setup: RunSetup) -> Int {
    let a = setup.architecture
    return (0..<a.layers).reduce(0) { sum, layer in
      sum
        + a.linears(layer).reduce(0) {
          $0 + StoredTensor(a.names.prefix(layer) + $1.name + ".weight", setup).held(in: setup.compute)
        }
    }
  }

  func isNF4(_ config: RunConfig) -> Bool { isStored4Bit || config.mode == .qlora }

  /// Elements of all linear layers.
  private var linearElements: Int { architecture.allLinears.reduce(0) { $0 + $1.count } }

  /// Elements of the whole model, adapters left out.
  var modelElements: Int { Trainable(architecture, FullOptions()).count }

  /// All linear layers in memory: 4 bits and the scales, or whole; trained float32 ones are their own master weights.
  func linearBytes(_ config: RunConfig, _ trainable: Trainable) -> Int {
    let n = linearElements
    if let blockLinearBytes, config.mode == .qlora { return blockLinearBytes }
    if isNF4(config) { return n / 2 + n / 64 + n / (64 * 256) * 4 }
    guard compute == .float32 else { return n * compute.byteCount }
    let trained = trainable.slots.reduce(0) { $0 + ($1.role == .weight ? $1.count : 0) }
    return (n - trained) * compute.byteCount
  }

  /// Embedding and head in memory: of trained ones the copies, which float32 does not need.
  func tableBytes(_ trainable: Trainable) -> Int {
    let table = architecture.vocabularySize * architecture.hiddenSize * compute.byteCount
    let copy = compute == .float32 ? 0 : table
    let trained = trainable.slots.count { $0.role == .embedding || $0.role == .head }
    let frozen = (architecture.tiedHead ? 1 : 2) - trained
    let unit = architecture.normalizedHead && copy == 0 && trained > 0 ? table : 0
    let kept = holdsTables && trainable.adapter != nil ? trained * table : 0
    return trained * copy + unit + (trained == 0 ? tableBytes : frozen * table + kept)
  }

  /// Bytes held at the peak of reading the weights: one layer after another, then embedding and head. What is converted
  /// stands beside its result for as long as that takes.
  func loadingBytes(_ config: RunConfig, _ trainable: Trainable) -> Int {
    let (linear, table): (Int, Int) =
      switch config.mode {
      case .full: (largestLinear.readInFloat32, table.readInFloat32)
      case .lora: (largestLinear.converted(to: compute), table.converted(to: compute))
      case .qlora where blockLinearBytes != nil: (0, table.beside(compute))
      case .qlora:
        // Whole in the compute type, before it becomes NF4.
        (
          largestLinear.converted(to: compute) + largestLinear.elements * compute.byteCount,
          table.converted(to: compute)
        )
      }
    return residentBytes + linearBytes(config, trainable)
      + max(isStored4Bit ? 0 : linear, tableBytes(trainable) + table)
  }

  /// Whether the processor keeps the float32 values of a run on a card.
  func keepsValuesOnHost(_ config: RunConfig) -> Bool {
    config.mode == .full && config.full.masterWeights == .paged && architecture.readsCopies(compute)
  }

  /// What the run would train with other settings.
  func trainable(_ config: RunConfig) -> Trainable { config.trainable(architecture) }

  // MARK: - The rows

  /// A micro-batch of the longest rows, cut as the run cuts them.
  func longestRows(_ config: RunConfig) -> [PassSize] {
    rows.prefix(config.microBatchSize).map { row in
      let lengths = row.lengths.map { min($0, config.maxSequenceLength) }
      let cut = row.lengths.reduce(0, +) - lengths.reduce(0, +)
      let tokens = max(row.tokens - cut, lengths.max() ?? 0)
      return PassSize(lengths: lengths, tokens: tokens, targets: min(row.targets, tokens))
    }
  }

  /// A rank's part of a micro-batch of the longest rows; `laidOut` counts the tokens of sequences that share some, each with
  /// all of its own.
  func longestBatch(_ config: RunConfig) -> (tokens: Int, targets: Int, laidOut: Int) {
    let whole = longest(config.microBatchSize, config)
    guard ranks > config.accumulation, architecture.experts == nil else { return whole }
    // A step is cut between rows, so that a part may be a row longer than the others.
    let row = longest(1, config)
    func part(_ all: Int, _ one: Int) -> Int { min(all, all * config.accumulation / ranks + one) }
    return (
      part(whole.tokens, row.tokens), part(whole.targets, row.targets), part(whole.laidOut, row.laidOut)
    )
  }

  private func longest(_ count: Int, _ config: RunConfig) -> (tokens: Int, targets: Int, laidOut: Int) {
    rows.prefix(count).reduce((0, 0, 0)) { sum, row in
      let tokens = min(row.tokens, config.maxSequenceLength * row.lengths.count)
      let whole = row.lengths.reduce(0) { $0 + min($1, config.maxSequenceLength) }
      return (sum.0 + tokens, sum.1 + min(row.targets, tokens), sum.2 + (whole > tokens ? whole : 0))
    }
  }
}

/// A tensor as the model's file has it.
private struct StoredTensor {
  let elements: Int
  private let bytes: Int
  private let dtype: DType?
  private let isBlock: Bool

  /// - Parameter name: in the names of the architecture.
  init(_ name: String, _ setup: RunSetup) {
    let weights = setup.pretrained.source.weights
    let info = weights.info(setup.architecture.storedName(name, in: weights))
    elements = info?.shape.reduce(1, *) ?? 0
    bytes = info.flatMap { $0.type.byteCount(of: $0.shape) } ?? 0
    dtype = info?.type.dtype
    isBlock = info?.type.isBlock == true
  }

  /// Bytes of the file beside the result while it is converted; 0 where it stays mapped.
  func converted(to type: DType) -> Int { dtype == type ? 0 : bytes }

  /// Bytes in memory where blocks stay as they are.
  func held(in type: DType) -> Int { isBlock ? bytes : elements * type.byteCount }

  /// As `converted(to:)`, where blocks stay as they are.
  func beside(_ type: DType) -> Int { isBlock ? 0 : converted(to: type) }

  /// Bytes beside the result while it is read in float32 and copied.
  var readInFloat32: Int { bytes + (dtype == .float32 ? 0 : elements * 4) }
}
