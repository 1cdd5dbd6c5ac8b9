import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// What a plan needs to know of a model and its rows.
struct ModelFacts {
  let architecture: Architecture
  let compute: DType
  /// What the run trains.
  let trainable: Trainable
  /// The linear layers are stored in 4 bits.
  let isStored4Bit: Bool
  /// Bytes of embedding and head that come to lie in memory.
  let tableBytes: Int
  /// Tokens and targets of the rows, the longest first.
  let rows: [(tokens: Int, targets: Int)]
  /// Bytes of the file that are read while the embedding is converted; 0 where it stays mapped.
  let tableReading: Int
  /// Of the largest linear layer, elements, and bytes of the file where it is not stored in the compute dtype.
  private let largestLinear: (elements: Int, converted: Int)
  /// What the process holds already: the program, the tokenizer and the rows.
  let residentBytes: Int

  init(_ setup: RunSetup) {
    architecture = setup.architecture
    compute = setup.compute
    trainable = setup.trainable
    isStored4Bit = setup.pretrained.source.isQuantized
    rows = setup.dataset.samples.sizes.sorted { $0.tokens > $1.tokens }
    residentBytes = ProcessMemory.residentBytes ?? 0
    tableBytes = ModelFacts.tableBytes(setup)
    tableReading = ModelFacts.convertedBytes(architecture.names.embedding, setup)
    let prefix = architecture.names.prefix(0)
    let largest = architecture.linears(0).max { $0.count < $1.count }
    largestLinear = (
      largest?.count ?? 0, largest.map { ModelFacts.convertedBytes(prefix + $0.name + ".weight", setup) } ?? 0
    )
  }

  /// Bytes of the file that a tensor is read from, where that is not in the compute dtype.
  private static func convertedBytes(_ name: String, _ setup: RunSetup) -> Int {
    let weights = setup.pretrained.source.weights
    guard let info = weights.info(setup.architecture.storedName(name, in: weights)) else { return 0 }
    return info.type.dtype == setup.compute ? 0 : info.range.count
  }

  /// Bytes beside the result while the largest linear layer is read: whole, where it becomes NF4.
  func largestLinearReading(_ config: RunConfig) -> Int {
    guard !isStored4Bit else { return 0 }
    return largestLinear.converted
      + (config.mode == .qlora ? largestLinear.elements * compute.byteCount : 0)
  }

  /// A tied table is read whole by the head. Of an own embedding that stays mapped, only the rows that the data
  /// names, each at least a page.
  private static func tableBytes(_ setup: RunSetup) -> Int {
    let a = setup.architecture
    let c = setup.compute.byteCount
    let table = a.vocabularySize * a.hiddenSize * c
    if a.tiedHead { return table }
    let stored = setup.pretrained.source.weights.info(a.names.embedding)
    guard stored?.type.dtype == setup.compute else { return 2 * table }
    let named = setup.dataset.samples.distinctTokens
    return table + min(table, named * max(4096, a.hiddenSize * c))
  }

  func isNF4(_ config: RunConfig) -> Bool { isStored4Bit || config.mode == .qlora }

  /// Elements of all frozen linear layers.
  var linearElements: Int { architecture.allLinears.reduce(0) { $0 + $1.count } }

  /// Elements of the frozen model.
  var frozenElements: Int {
    let a = architecture
    return linearElements + a.vocabularySize * a.hiddenSize * (a.tiedHead ? 1 : 2)
      + (2 * a.layers + 1) * a.hiddenSize
  }

  /// All linear layers in memory: 4 bits and the scales, or whole.
  func linearBytes(_ config: RunConfig) -> Int {
    let n = linearElements
    return isNF4(config) ? n / 2 + n / 64 + n / (64 * 256) * 4 : n * compute.byteCount
  }

  /// What the run would train with other settings.
  func trainable(_ config: RunConfig) -> Trainable {
    config.loraOptions == trainable.adapter ? trainable : Trainable(architecture, config.loraOptions)
  }

  /// A micro-batch of the longest rows.
  func longestBatch(_ config: RunConfig) -> (tokens: Int, targets: Int) {
    rows.prefix(config.microBatchSize).reduce((0, 0)) { sum, row in
      let tokens = min(row.tokens, config.maxSequenceLength)
      return (sum.0 + tokens, sum.1 + min(row.targets, tokens))
    }
  }
}
