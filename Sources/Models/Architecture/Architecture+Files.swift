import FireflyWeights

extension Architecture {
  /// Every tensor that the model needs, except parts of packed ones.
  var tensorNames: [String] {
    var required = [names.embedding] + (tiedHead ? [] : [names.head])
    var norms = [names.finalNorm] + (names.embeddingNorm.map { [$0] } ?? [])
    for layer in 0..<layers {
      let prefix = names.prefix(layer)
      norms += [prefix + names.attentionNorm, prefix + names.feedForwardNorm]
      norms += (latent?.norms ?? []).map { prefix + $0.name }
      for linear in linears(layer) {
        required.append(prefix + linear.name + ".weight")
        if linear.hasBias { required.append(prefix + linear.name + ".bias") }
      }
    }
    required += norms.map { $0 + ".weight" }
    return norm == .layer ? required + norms.map { $0 + ".bias" } : required
  }

  /// Checks that every tensor of the model is in its files, without reading them.
  ///
  /// - Throws: `FireflyError` naming those that are missing.
  public func requireTensors(in weights: WeightStore) throws {
    try weights.require(tensorNames.map { storedName($0, in: weights) })
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
    return routers.isEmpty ? [] : [String(names.head.dropLast(".weight".count))] + routers
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

  /// Names in the files that loading did not ask for, sorted, but for those that a model never needs.
  ///
  /// A name left over can mean that the file holds more than its config.json says: a trained head beside a tied one, or
  /// another family's layers.
  func unusedTensors(of weights: WeightStore) -> [String] {
    weights.unusedNames().filter { name in
      !Architecture.needless.contains { name.hasSuffix($0) } && !(tiedHead && name == names.head)
    }
  }

  /// Ends of names that old checkpoints hold though they follow from config.json: angles, causal masks.
  private static let needless = [
    "rotary_emb.inv_freq", "rotary_pos_emb.inv_freq", "rope.inv_freq", "rotary_emb.cos_cached",
    "rotary_emb.sin_cached", ".attn.masked_bias", ".attn.bias", ".attention.masked_bias",
  ]
}
