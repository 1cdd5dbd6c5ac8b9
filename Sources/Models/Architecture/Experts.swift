/// The feed-forward half of a layer as several small ones, of which a router gives each row a few (Shazeer et al., 2017).
public struct Experts: Equatable, Sendable {
  public var count: Int  // E
  /// How many a row goes through.
  public var perRow: Int  // k, at most E
  /// A row's experts come from a few groups only; nil: from all.
  public var groups: Groups?
  /// F of one expert.
  public var intermediateSize: Int
  /// The chosen experts' probabilities are divided by their sum.
  public var normalizesWeights = false
  /// Factor on what the chosen experts add.
  public var scale: Float = 1
  /// F of an expert that every row goes through as well; nil: none.
  public var sharedSize: Int?
  public var layers: Layers
  public var balance: Balance
  public var names: Names

  /// Experts of equal groups, one after another: those are chosen whose best expert is most probable.
  public struct Groups: Equatable, Sendable {
    public var count: Int
    public var chosen: Int
  }

  /// The layers that have experts; the others are dense.
  public struct Layers: Equatable, Sendable {
    public var first = 0
    /// Layers with experts: of those from `first` on, the ones whose number plus `phase` is a multiple of `every`,
    /// which is at least 1.
    public var every = 1
    public var phase = 0
    /// Layers without experts that `first` and `every` would give some.
    public var dense: Set<Int> = []

    package func contains(_ layer: Int) -> Bool {
      layer >= first && (layer + phase) % every == 0 && !dense.contains(layer)
    }
  }

  /// The auxiliary loss that keeps routers from sending all rows to few experts (Fedus et al., 2021, eq. 4 to 6), added to
  /// the mean loss of the targets in training.
  public struct Balance: Equatable, Sendable {
    /// The weight of the loss; 0: there is none.
    public var coefficient: Float
    public var scope: Scope

    /// The rows whose shares are compared with each other.
    public enum Scope: Equatable, Sendable {
      /// All rows of all layers together: transformers' `load_balancing_loss_func`.
      case allLayers
      /// The rows of each layer on their own, added up: DeepSeek with `seq_aux` false.
      case layer
      /// The rows of each sequence in each layer, the mean over sequences, added up over layers: DeepSeek.
      case sequence
    }
  }

  /// Modules within the layer, as PEFT calls them.
  public struct Names: Equatable, Sendable {
    public var router: String
    /// DeepSeek's router is a parameter, not a linear layer: PEFT hangs no adapter on it.
    public var routerTakesAdapter = true
    /// Completed by an expert's number and a dot.
    public var expert: String
    /// gate and up, then down, of an expert and of the shared one.
    public var input: [String]
    public var output: String
    /// The shared expert's prefix, with a dot, and the linear layer whose sigmoid its result is multiplied by.
    public var shared: String?
    public var sharedGate: String?
  }
}
