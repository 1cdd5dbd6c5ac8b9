import FireflyBase
import FireflyModels
import FireflyWeights

/// One of a block's linear layers: `[outputs, inputs]`.
struct LinearShape {
  /// Within the layer: `self_attn.q_proj`.
  let name: String
  let inputs: Int
  let outputs: Int

  /// Elements of the frozen matrix.
  var count: Int { inputs * outputs }

  /// Whether an adapter's target name means this one, as PEFT matches.
  func matches(_ target: String) -> Bool { name == target || name.hasSuffix("." + target) }
}

extension Architecture {
  /// A block's linear layers, in the order of the computation.
  var linears: [LinearShape] {
    let C = hiddenSize
    let F = intermediateSize
    return [
      LinearShape(name: names.query, inputs: C, outputs: querySize),
      LinearShape(name: names.key, inputs: C, outputs: keyValueSize),
      LinearShape(name: names.value, inputs: C, outputs: keyValueSize),
      LinearShape(name: names.attentionOutput, inputs: querySize, outputs: C),
      LinearShape(name: names.gate, inputs: C, outputs: F),
      LinearShape(name: names.up, inputs: C, outputs: F),
      LinearShape(name: names.down, inputs: F, outputs: C),
    ]
  }

  /// The linear layers of a block that an adapter is hung on.
  ///
  /// - Parameter targets: nil for all.
  func adapted(_ targets: [String]?) -> [LinearShape] {
    linears.filter { linear in targets.map { $0.contains(where: linear.matches) } ?? true }
  }

  /// - Throws: `FireflyError` for a target that no linear layer answers to.
  func checkTargets(_ targets: [String]?) throws {
    for target in targets ?? [] where !linears.contains(where: { $0.matches(target) }) {
      let leaves = linears.compactMap { $0.name.split(separator: ".").last.map(String.init) }
      let nearest = nearestName(to: target, among: leaves)
      throw FireflyError(
        "no linear layer of the model has this name", at: "lora_target_modules",
        expected: leaves.joined(separator: ", "), found: "\"\(target)\"",
        fix: nearest.map { "Did you mean \"\($0)\"?" })
    }
  }

  /// Checks that every tensor of the model is in its files, without reading them.
  func checkTensors(_ weights: WeightStore) throws {
    var required = [names.embedding, names.finalNorm] + (tiedHead ? [] : [names.head])
    for layer in 0..<layers {
      let prefix = "\(names.layer)\(layer)."
      required += [prefix + names.attentionNorm, prefix + names.feedForwardNorm]
      required += linears.map { prefix + $0.name + ".weight" }
    }
    try weights.require(required)
  }
}
