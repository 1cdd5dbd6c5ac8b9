import FireflyTensors

// Heads: how they turn and what they see, which may differ from layer to layer, and their norms.

extension Architecture {
  /// The rotation of queries and keys in most layers; nil where positions enter another way.
  package var rotary: Rotary? {
    if case .rotary(let rotary) = positions { rotary } else { nil }
  }

  /// That of a layer; nil where its heads do not turn.
  package func rotary(_ layer: Int) -> Rotary? {
    if unturnedLayers.contains(layer) { return nil }
    return window(layer) == nil ? rotary : windowedRotary ?? rotary
  }

  /// Each way in which some layers turn, once.
  var rotaries: [Rotary] {
    (0..<layers).reduce(into: []) { found, layer in
      if let rotary = rotary(layer), !found.contains(rotary) { found.append(rotary) }
    }
  }

  /// How many keys a row sees at most in a layer; nil: all before it.
  package func window(_ layer: Int) -> Int? { windowedLayers.contains(layer) ? window : nil }

  /// Pairs of query and key in a sequence of `length`, the mean over layers.
  package func pairs(_ length: Int) -> Double {
    let windowed = window == nil ? 0 : windowedLayers.count
    let pairs =
      Double(windowed) * AttentionShape.pairs(length, window: window)
      + Double(layers - windowed) * AttentionShape.pairs(length, window: nil)
    return pairs / Double(layers)
  }

  /// The norms of queries and keys within a layer, and the sizes of their weights.
  package var headNorms: [(name: String, size: Int)] {
    guard let headNorm else { return [] }
    let sizes = headNorm.span == .head ? [headDim, headDim] : [querySize, keyValueSize]
    return [(headNorm.query, sizes[0]), (headNorm.key, sizes[1])]
  }

  /// Lets elements 2i and 2i + 1 of a head turn together.
  mutating func turnNeighbours() {
    guard case .rotary(var rotary) = positions else { return }
    rotary.interleaved = true
    positions = .rotary(rotary)
  }
}
