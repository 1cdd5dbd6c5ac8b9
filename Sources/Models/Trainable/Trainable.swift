/// What a run trains: which parameters there are, and how they lie in one arena.
///
/// Made once, from shapes alone, so that a plan knows it before there are weights. Everything that has to know what is
/// trained, or how much, reads it here.
package struct Trainable: Equatable, Sendable {
  /// Every parameter, in the order of the computation.
  package let slots: [ParameterSlot]
  /// Elements of the arena: those of all parameters, and the gaps that let each block begin on a cache line.
  package let arenaCount: Int
  /// Ranges of the arena without gaps in which all is treated alike, ascending: what an update goes through.
  package let runs: [Run]
  /// The settings of the adapter that is trained; nil where there is none.
  package let adapter: LoRAOptions?
  /// What is left as it is where the model's own weights are trained; nil where they are not.
  package let full: FullOptions?

  package struct Run: Equatable, Sendable {
    /// Elements of the arena.
    package let range: Range<Int>
    package let isDecayed: Bool
  }

  /// No parameters.
  package static let nothing = Trainable(ArenaLayout())

  /// The low-rank pairs that `options` hang on a model.
  ///
  /// - Parameter options: checked by `LoRAOptions.validate`.
  package init(_ architecture: Architecture, _ options: LoRAOptions) {
    let head = architecture.adaptableHead?.module
    self.init(architecture, options) { $0 == head ? options.names($0) : options.targets($0) }
  }

  /// - Parameter hasPair: whether a linear layer, by its full name, has a pair; asked where it can have one.
  init(_ architecture: Architecture, _ options: LoRAOptions, where hasPair: (String) -> Bool) {
    var layout = ArenaLayout()
    let table = [architecture.vocabularySize, architecture.hiddenSize]
    let saved = architecture.savedModules(options)
    for (module, role) in saved where role == .embedding { layout.addSaved(module, table, role) }
    for layer in 0..<architecture.layers {
      let prefix = architecture.names.prefix(layer)
      for group in architecture.linearGroups(layer) {
        let chosen = group.filter { $0.takesAdapter && hasPair(prefix + $0.name) }
        layout.addPairs(on: chosen.map { (prefix + $0.name, $0) }, layer: layer, options)
      }
    }
    if let head = architecture.adaptableHead, hasPair(head.module) {
      layout.addPairs(on: [head], layer: nil, options)
    }
    for (module, role) in saved where role == .head { layout.addSaved(module, table, role) }
    self.init(layout, adapter: options)
  }

  /// The model's own weights, but for those that `options` freezes.
  ///
  /// - Parameter options: checked by `FullOptions.validate`.
  package init(_ architecture: Architecture, _ options: FullOptions) {
    var layout = ArenaLayout()
    let (names, table) = (architecture.names, [architecture.vocabularySize, architecture.hiddenSize])
    if options.frozenLayers == 0 {
      layout.addTensor(names.embedding, table, .embedding)
      if let norm = names.embeddingNorm { layout.addNorm(norm, architecture) }
    }
    for layer in options.frozenLayers..<architecture.layers { layout.addBlock(layer, architecture) }
    layout.addNorm(names.finalNorm, architecture)
    if !architecture.tiedHead { layout.addTensor(names.head, table, .head) }
    self.init(layout, full: options)
  }

  private init(_ layout: ArenaLayout, adapter: LoRAOptions? = nil, full: FullOptions? = nil) {
    slots = layout.slots
    arenaCount = layout.end
    runs = Trainable.runs(layout.slots)
    self.adapter = adapter
    self.full = full
  }

  /// Whether the embedding is trained, and with all weights its norm.
  var trainsEmbedding: Bool { slots.contains { $0.role == .embedding } }

  /// Whether the head is frozen and without a pair.
  ///
  /// - Parameter isTied: the head is the embedding's matrix.
  package func leavesHead(isTied: Bool) -> Bool {
    !slots.contains { slot in
      switch slot.role {
      case .head: true
      case .embedding: isTied
      case .lowRankA, .lowRankB: slot.layer == nil
      default: false
      }
    }
  }

  /// The lowest block that a backward pass must reach; nil: none.
  var lowestLayer: Int? { trainsEmbedding ? 0 : slots.lazy.compactMap(\.layer).min() }

  /// Where what a backward reaches only below a block ends in the arena: the embedding, and the blocks before it.
  func end(below layer: Int) -> Int {
    let first = slots.firstIndex { $0.layer != nil } ?? slots.count
    return slots.enumerated().reduce(0) { end, slot in
      let isBelow = slot.element.layer.map { $0 < layer } ?? (slot.offset < first)
      return isBelow ? max(end, slot.element.range.upperBound) : end
    }
  }

  private static func runs(_ slots: [ParameterSlot]) -> [Run] {
    var runs: [Run] = []
    for slot in slots.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      if let last = runs.last, last.range.upperBound == slot.range.lowerBound,
        last.isDecayed == slot.isDecayed
      {
        runs[runs.count - 1] = Run(
          range: last.range.lowerBound..<slot.range.upperBound, isDecayed: last.isDecayed)
      } else {
        runs.append(Run(range: slot.range, isDecayed: slot.isDecayed))
      }
    }
    return runs
  }

  // MARK: - Sizes

  /// Elements of all parameters.
  package var count: Int { slots.reduce(0) { $0 + $1.count } }

  /// Elements of low-rank pairs that a row passes: of experts only its share.
  package var lowRankPassed: Double {
    slots.reduce(0) {
      $1.role == .lowRankA || $1.role == .lowRankB ? $0 + Double($1.count) * $1.rowShare : $0
    }
  }

  /// What a row has in all low-rank products, Σ r: of experts only its share.
  package var lowRankWidth: Double {
    slots.reduce(0) { $1.role == .lowRankA ? $0 + Double($1.shape[0]) * $1.rowShare : $0 }
  }
}
