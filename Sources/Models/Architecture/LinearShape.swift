import FireflyBase
import FireflyWeights

/// One of a block's linear layers: `[outputs, inputs]`.
public struct LinearShape: Equatable, Sendable {
  /// The module's name within the layer: `self_attn.q_proj`.
  public let name: String
  public let inputs: Int
  public let outputs: Int
  public let hasBias: Bool
  /// The share of the rows that pass through it.
  public var rowShare: Double = 1
  /// NF4 leaves it as it is.
  public var staysWhole = false
  /// Whether PEFT would hang an adapter on it.
  public var takesAdapter = true

  /// Elements of the frozen matrix.
  public var count: Int { inputs * outputs }

  /// Whether an adapter's target name means this one, as PEFT matches.
  public func matches(_ target: String) -> Bool { LoRAOptions.matches(name, target) }
}

/// Where the family keeps its tensors.
///
/// Norms and linear layers are modules, without `.weight`; of a layer's, the name within the layer: what PEFT calls it.
/// Linear layers that read the same input stand in one list; a fused one stands alone in it.
public struct TensorNames: Equatable, Sendable {
  /// The tensor.
  public var embedding: String
  /// A norm after the embedding; nil where there is none.
  public var embeddingNorm: String?
  /// The prefix of a layer's tensors, completed by its number.
  public var layer: String
  public var attentionNorm: String
  public var feedForwardNorm: String
  /// q, k and v, or the one that is all three.
  public var attentionInput: [String]
  public var attentionOutput: String
  /// gate and up, or the one that is both; without a gate, up.
  public var feedForwardInput: [String]
  public var feedForwardOutput: String
  public var finalNorm: String
  /// The tensor.
  public var head: String

  /// The name of the model without its head, with a dot. A checkpoint of that alone leaves it out everywhere.
  var base: String { String(layer.prefix { $0 != "." }) + "." }

  /// The prefix of a layer's tensors.
  func prefix(_ index: Int) -> String { "\(layer)\(index)." }
}

extension Architecture {
  /// q, k, v: `[C]` to `[H·D + 2·KV·D]`.
  var attentionInput: [LinearShape] {
    let sizes = [querySize, keyValueSize, keyValueSize]
    return shapes(names.attentionInput, inputs: hiddenSize, outputs: sizes, bias: queryKeyValueBias)
  }

  /// o: `[H·D]` to `[C]`.
  var attentionOutput: LinearShape {
    LinearShape(name: names.attentionOutput, inputs: querySize, outputs: hiddenSize, hasBias: outputBias)
  }

  /// gate, up: `[C]` to `[2F]`; up alone: `[C]` to `[F]`.
  var feedForwardInput: [LinearShape] {
    let sizes = [Int](repeating: intermediateSize, count: isGated ? 2 : 1)
    return shapes(names.feedForwardInput, inputs: hiddenSize, outputs: sizes, bias: feedForwardBias)
  }

  /// down: `[F]` to `[C]`.
  var feedForwardOutput: LinearShape {
    LinearShape(
      name: names.feedForwardOutput, inputs: intermediateSize, outputs: hiddenSize, hasBias: feedForwardBias)
  }

  private func shapes(_ names: [String], inputs: Int, outputs: [Int], bias: Bool) -> [LinearShape] {
    let sizes = names.count == 1 ? [outputs.reduce(0, +)] : outputs
    return zip(names, sizes).map { LinearShape(name: $0, inputs: inputs, outputs: $1, hasBias: bias) }
  }

  /// A block's linear layers, in the order of the computation.
  public func linears(_ layer: Int) -> [LinearShape] {
    let second = experts(layer).map { linears(of: $0) } ?? feedForwardInput + [feedForwardOutput]
    return attentionInput + [attentionOutput] + second
  }

  /// Those of all blocks.
  public var allLinears: [LinearShape] { (0..<layers).flatMap { linears($0) } }

  /// Every tensor that the model needs, except parts of packed ones.
  var tensorNames: [String] {
    var required = [names.embedding] + (tiedHead ? [] : [names.head])
    var norms = [names.finalNorm] + (names.embeddingNorm.map { [$0] } ?? [])
    for layer in 0..<layers {
      let prefix = names.prefix(layer)
      norms += [prefix + names.attentionNorm, prefix + names.feedForwardNorm]
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
}
