/// The feed-forward half of a layer as several small ones, of which a router gives each row a few (Shazeer et al., 2017).
package struct Experts: Equatable, Sendable {
  package var count: Int  // E
  /// How many a row goes through.
  package var perRow: Int  // k, at most E
  /// A row's experts come from a few groups only; nil: from all.
  package var groups: Groups?
  /// F of one expert.
  package var intermediateSize: Int
  /// Biases on the router and on the experts' layers.
  package var bias = false
  /// The chosen experts' probabilities are divided by their sum.
  package var normalizesWeights = false
  /// Factor on what the chosen experts add.
  package var scale: Float = 1
  /// F of an expert that every row goes through as well; nil: none.
  package var sharedSize: Int?
  package var layers: Layers
  package var balance: Balance
  package var names: Names

  /// Experts of equal groups, one after another: those are chosen whose best expert is most probable.
  package struct Groups: Equatable, Sendable {
    package var count: Int
    package var chosen: Int
  }

  /// The layers that have experts; the others are dense.
  package struct Layers: Equatable, Sendable {
    package var first = 0
    /// Layers with experts: of those from `first` on, the ones whose number plus `phase` is a multiple of `every`,
    /// which is at least 1.
    package var every = 1
    package var phase = 0
    /// Layers without experts that `first` and `every` would give some.
    package var dense: Set<Int> = []

    package func contains(_ layer: Int) -> Bool {
      layer >= first && (layer + phase) % every == 0 && !dense.contains(layer)
    }
  }

  /// The auxiliary loss that keeps routers from sending all rows to few experts (Fedus et al., 2021, eq. 4 to 6), added to
  /// the mean loss of the targets in training.
  package struct Balance: Equatable, Sendable {
    /// The weight of the loss; 0: there is none.
    package var coefficient: Float
    package var scope: Scope

    /// The rows whose shares are compared with each other.
    package enum Scope: Equatable, Sendable {
      /// All rows of all layers together: transformers' `load_balancing_loss_func`.
      case allLayers
      /// The rows of each layer on their own, added up: DeepSeek with `seq_aux` false.
      case layer
      /// The rows of each sequence in each layer, the mean over sequences, added up over layers: DeepSeek.
      case sequence
    }
  }

  /// Modules within the layer, as PEFT calls them.
  package struct Names: Equatable, Sendable {
    package var router: String
    /// DeepSeek's router is a parameter, not a linear layer: PEFT hangs no adapter on it.
    package var routerTakesAdapter = true
    /// Nor on experts whose matrices lie in one tensor a layer.
    package var expertsTakeAdapters = true
    /// Completed by an expert's number and a dot.
    package var expert: String
    /// gate and up, then down, of an expert and of the shared one.
    package var input: [String]
    package var output: String
    /// The shared expert's prefix, with a dot, and the linear layer whose sigmoid its result is multiplied by.
    package var shared: String?
    package var sharedGate: String?
  }
}
