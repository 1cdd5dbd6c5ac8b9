import FireflyBase
import FireflyWeights

extension Architecture {
  // MARK: - Names and shapes

  /// Every tensor that the model needs, and its shape; what the files call it is `storedName`.
  private var tensorShapes: [(name: String, shape: [Int])] {
    let table = [vocabularySize, hiddenSize]
    var shapes = [(names.embedding, table)] + (tiedHead ? [] : [(names.head, table)])
    let ends = [names.finalNorm] + (names.embeddingNorm.map { [$0] } ?? [])
    shapes += ends.flatMap(normShapes)
    for layer in 0..<layers {
      let prefix = names.prefix(layer)
      shapes += names.blockNorms.flatMap { normShapes(prefix + $0) }
      shapes += (headNorms + (latent?.norms ?? [])).map { (prefix + $0.name + ".weight", [$0.size]) }
      if let sinks { shapes.append((prefix + sinks, [heads])) }
      for linear in linears(layer) {
        shapes.append((prefix + linear.name + ".weight", [linear.outputs, linear.inputs]))
        if linear.hasBias { shapes.append((prefix + linear.name + ".bias", [linear.outputs])) }
      }
    }
    return shapes
  }

  private func normShapes(_ module: String) -> [(name: String, shape: [Int])] {
    [(module + ".weight", [hiddenSize])] + (norm == .layer ? [(module + ".bias", [hiddenSize])] : [])
  }

  /// The tensors that the model is made of, as the files call them.
  package func tensorNames(in weights: WeightStore) -> [String] {
    tensorShapes.map { storedName($0.name, in: weights) }
  }

  /// Checks that every tensor of the model is in its files in the right shape, without reading them.
  ///
  /// - Throws: `FireflyError` naming those that are missing, or the first of another shape.
  func requireTensors(in weights: WeightStore) throws {
    let tensors = tensorShapes.map { (name: storedName($0.name, in: weights), shape: $0.shape) }
    try weights.require(tensors.map(\.name))
    for (name, shape) in tensors { try weights.require(name, shape: shape) }
  }

  /// What the files call a tensor: checkpoints of the model without its head, like BLOOM's, leave out the base's name.
  package func storedName(_ name: String, in weights: WeightStore) -> String {
    guard !weights.contains(name), name.hasPrefix(names.base) else { return name }
    let bare = String(name.dropFirst(names.base.count))
    return weights.contains(bare) ? bare : name
  }

  /// Modules that NF4 leaves as they are, the head among them; empty where that is the head alone.
  package var wholeLinears: [String] {
    let routers = (0..<layers).flatMap { layer in
      linears(layer).filter(\.staysWhole).map { names.prefix(layer) + $0.name }
    }
    return routers.isEmpty ? [] : [names.module(names.head)] + routers
  }

  /// The weights of the blocks' linear layers that NF4 takes, as the files call them.
  package func quantizedWeights(in weights: WeightStore) -> Set<String> {
    let names = (0..<layers).flatMap { layer in
      linears(layer).filter { !$0.staysWhole }.map {
        storedName(self.names.prefix(layer) + $0.name + ".weight", in: weights)
      }
    }
    return Set(names)
  }

  // MARK: - What is left over

  /// A line about tensors in the files that the model does not use, but for those that a model never needs; nil where there
  /// are none.
  ///
  /// A tensor left over can mean that the files hold more than their config.json says: another family's layers.
  func unusedTensorsNote(of weights: WeightStore) -> String? {
    let used = Set(tensorNames(in: weights).flatMap { weights.names(holding: $0) })
    let unused = weights.tensorNames.filter { name in
      !used.contains(name) && !Architecture.needless.contains { name.hasSuffix($0) }
        && !(tiedHead && name == names.head)
    }
    guard !unused.isEmpty else { return nil }
    let shown = unused.prefix(3).joined(separator: ", ") + (unused.count > 3 ? ", …" : "")
    return "tensors in the files that the model does not use: \(unused.count) (\(shown))"
  }

  /// Ends of names that old checkpoints hold though they follow from config.json: angles, causal masks.
  private static let needless = [
    "rotary_emb.inv_freq", "rotary_pos_emb.inv_freq", "rope.inv_freq", "rotary_emb.cos_cached",
    "rotary_emb.sin_cached", ".attn.masked_bias", ".attn.bias", ".attention.masked_bias",
  ]
}
