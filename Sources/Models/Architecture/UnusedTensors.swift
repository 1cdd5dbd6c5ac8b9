import FireflyWeights

extension Architecture {
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

extension Transformer {
  /// One line about `unusedTensors` for the user; nil when there are none.
  public var unusedTensorsNote: String? {
    guard !unusedTensors.isEmpty else { return nil }
    let shown = unusedTensors.prefix(3).joined(separator: ", ") + (unusedTensors.count > 3 ? ", …" : "")
    return "tensors in the files that the model does not use: \(unusedTensors.count) (\(shown))"
  }
}
