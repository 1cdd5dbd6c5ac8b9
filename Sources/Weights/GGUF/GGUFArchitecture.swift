import FireflyBase

/// A kind of model in GGUF files: what llama.cpp calls it, and how its files differ from transformers' checkpoints.
///
/// The reader and the writer know of a kind what its value says; `all` (GGUFArchitecture+Table.swift) lists them.
package struct GGUFArchitecture: Sendable {
  /// `general.architecture`; the metadata's keys begin with it.
  package let name: String
  /// transformers' model_types that are written so; a file that is read becomes the first.
  package let modelTypes: [String]
  /// transformers' class of the first.
  let modelClass: String
  package let tensors: GGUFNames
  /// Whether q and k have llama.cpp's order of rows (`RotaryRows`); otherwise they have transformers'.
  package let reordersRows: Bool
  /// Whether the weights of norms have 1 added, as the model's own code does.
  package var addsOneToNorms = false
  /// The key of the norms' ε.
  package var normKey = GGUFKey.normEpsilon
  /// Whether config.json can tell of rotary scaling.
  var scalesRotary = true
  /// What config.json calls members that have other names in LLaMA's, by these.
  var memberNames: [String: String] = [:]
  /// Whether files of this kind are read; otherwise they are written only.
  var isRead = true
  /// Whether a file of this name is of this kind: some names stand for several.
  var isMeant: @Sendable (GGUFFile) -> Bool = { _ in true }
  /// Members of config.json that are numbers of the metadata, where either has them.
  package var numbers: [(key: GGUFKey, name: String)] = []
  /// Members of config.json that scale what the model computes.
  package var factors: [Factor] = []
  /// Whether only a part of a head may turn: `partial_rotary_factor`.
  package var turnsPartly = false
  /// Whether keys and values come from one short vector.
  package var hasLatentHeads = false
  /// Whether the MLP's size counts gate and up together.
  package var countsGateAndUp = false
  /// Experts in every layer's MLP; nil: there are none.
  package var experts: GGUFExperts?
  /// What llama.cpp knows of the model without being told.
  package var given = Given()
  /// Whether config.json's sliding_window is the longest text that llama.cpp gets right: it knows no window here.
  package let endsAtWindow: Bool
  /// Members of config.json that only models of this kind have.
  let options: @Sendable (GGUFFile) -> [String: JSONValue]

  /// Properties of a kind that its files do not hold.
  package struct Given: Sendable {
    /// Of so many layers one after another, all but the last have the window; nil: files of this kind have none.
    package var windowPeriod: Int?
    /// The rotary base of layers with a window; nil: that of the others.
    package var windowedTheta: Double?
    /// Whether config.json describes apart how layers with a window turn.
    var describesWindows = false
    /// The key of config.json under which the number lies whose root scores are divided by in place of a head's size, and
    /// how many layers a model has in which it is the hidden size over the heads: in others it is the head's size.
    package var scoreScalar: (name: String, layers: Int)?
    /// Every how many layers heads do not turn; nil: in all they do.
    package var unturnedPeriod: Int?
    /// Whether the embedding is the head too; nil: either may be.
    package var isTied: Bool?
    /// Whether positions are ALiBi's, and in models of how many layers; none: of any.
    package var hasALiBi = false
    package var layersWithALiBi: Int?
    /// Whether a layer's heads together are as wide as its input.
    package var headsFillHidden = false
    /// Whether the ends of YaRN's ramp are no whole dimensions, of which llama.cpp knows nothing.
    package var hasExactYarn = false
    /// Whether llama.cpp reads where YaRN's ramp is; otherwise it is between 32 turns and one, whatever the file says.
    package var takesYarnRamp = false
    /// Whether no linear layer but those of queries, keys and values has a bias.
    package var hasFewBiases = false
    /// Whether all of attention's linear layers have biases.
    package var needsBiases = false
    /// Whether queries may grow with their positions, where YaRN scales them.
    package var growsQueries = false
    /// Whether frequencies may have LongRoPE's factors.
    package var hasLongFactors = false
    /// Members of config.json that are the same number in every model.
    package var constants: [String: Double] = [:]
    /// GGUF's names of modules whose matrices llama.cpp multiplies by without looking for an adapter.
    package var withoutAdapters: Set<String> = []
  }

  /// A number that scales something, as the metadata and as config.json have it.
  package struct Factor: Sendable {
    package let key: GGUFKey
    package let name: String
    package var form = Form.plain
    /// What files without it mean, as config.json would have it; nil: such a file is refused.
    package var absent: Double? = 1

    package enum Form: Sendable {
      case plain
      /// The metadata has it over the root of the number of layers.
      case overRootOfLayers
      /// The metadata has the hidden size over it.
      case hiddenOver
    }

    /// The metadata's number for config.json's.
    package func inFile(_ number: Double, hiddenSize: Int, layers: Int) -> Double {
      switch form {
      case .plain: number
      case .overRootOfLayers: number / Double(layers).squareRoot()
      case .hiddenOver: Double(hiddenSize) / number
      }
    }

    /// config.json's number for the metadata's.
    func inConfig(_ number: Double, hiddenSize: Int, layers: Int) -> Double {
      switch form {
      case .plain: number
      case .overRootOfLayers: number * Double(layers).squareRoot()
      case .hiddenOver: Double(hiddenSize) / number
      }
    }
  }

  /// Whether files of this kind may have the key.
  func knows(_ key: GGUFKey) -> Bool {
    switch key {
    case .slidingWindow, .scoreCap, .logitCap, .expertWeightScale: numbers.contains { $0.key == key }
    case .slidingWindowPattern: given.windowPeriod != nil
    case .windowedRotaryBase: given.windowedTheta != nil
    case .expertCount, .expertUsedCount: experts != nil
    case .expertSize: experts?.size != nil
    case .sharedExpertSize: experts?.sharedSize != nil
    case .sharedExpertCount: experts?.sharedCount != nil
    case .leadingDenseCount: experts?.firstLayer != nil
    case .queryRank, .keyValueRank: hasLatentHeads
    case .yarnLogFactor, .temperatureScale: given.growsQueries
    case .embeddingScale, .residualScale, .scoreScale, .logitScale: factors.contains { $0.key == key }
    default: true
    }
  }

  /// Whether llama.cpp reads Llama 3's divisors of frequencies from a file of this kind: of others they are a tensor too many.
  package var takesLlama3Factors: Bool { ["granite", "llama", "minicpm", "mistral3"].contains(name) }

  /// A key of the metadata: `llama.block_count`.
  package func key(_ key: GGUFKey) -> String { "\(name).\(key.rawValue)" }

  /// The architecture of a file; nil when it is not known. Some have one name with experts and without.
  static func of(_ file: GGUFFile) -> GGUFArchitecture? {
    guard let name = file.metadata["general.architecture"]?.string else { return nil }
    let hasExperts = file.metadata["\(name).\(GGUFKey.expertCount.rawValue)"].map { $0.int != 0 } ?? false
    let named = all.filter { $0.name == name && $0.isRead && $0.isMeant(file) }
    return named.first { ($0.experts != nil) == hasExperts } ?? named.first
  }

  /// The architecture that a model of transformers is written as; nil when it has none.
  package static func of(modelType: String, hasALiBi: Bool = false) -> GGUFArchitecture? {
    let kinds = all.filter { $0.modelTypes.contains(modelType) }
    return kinds.first { $0.given.hasALiBi == hasALiBi } ?? kinds.first
  }
}
