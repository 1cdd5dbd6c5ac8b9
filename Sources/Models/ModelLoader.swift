import FireflyBase
import FireflyTensors
import FireflyWeights

extension Transformer {
  /// Builds the model by asking the source for each tensor by name and shape; building is loading.
  ///
  /// Dense weights that are stored in the compute dtype stay mapped; others are converted. With NF4 each
  /// linear is converted to the compute dtype, quantised and let go, so the peak is the quantised model and
  /// one tensor.
  ///
  /// - Parameter progress: called with the share of layers done, 0…1.
  /// - Throws: `FireflyError` naming the key or tensor that is missing, of a wrong shape or unsupported.
  public static func load(
    _ source: ModelSource, compute: DType, quantization: Quantization, progress: ((Double) -> Void)? = nil
  ) throws -> Transformer {
    precondition(compute == .bfloat16 || compute == .float32, "compute dtype \(compute)")
    let architecture = try Architecture(config: source.config, source: source.path)
    let loader = ModelLoader(
      architecture: architecture, store: source.weights, compute: compute, quantization: quantization)
    var blocks: [Block] = []
    for layer in 0..<architecture.layers {
      blocks.append(try loader.block(layer))
      progress?(Double(layer + 1) / Double(architecture.layers))
    }
    let embedding = try loader.embedding()
    let head = try loader.head(embedding: embedding)
    Storage.releaseFreeMemory()
    return Transformer(
      architecture: architecture, compute: compute, embedding: embedding, blocks: blocks, head: head)
  }
}

/// Asks the store for one model's tensors.
private struct ModelLoader {
  let architecture: Architecture
  let store: WeightStore
  let compute: DType
  let quantization: Quantization

  func embedding() throws -> Tensor {  // [V, C]
    try store.tensor(
      architecture.names.embedding, shape: [architecture.vocabularySize, architecture.hiddenSize], as: compute
    )
  }

  func head(embedding: Tensor) throws -> Head {
    let norm = try norm(architecture.names.finalNorm)
    if architecture.tiedHead { return Head(norm: norm, weight: embedding) }
    let weight = try store.tensor(
      architecture.names.head, shape: [architecture.vocabularySize, architecture.hiddenSize], as: compute)
    return Head(norm: norm, weight: weight)
  }

  func block(_ layer: Int) throws -> Block {
    let names = architecture.names
    let prefix = "\(names.layer)\(layer)."
    return Block(
      attentionNorm: try norm(prefix + names.attentionNorm),
      attention: try attention(layer, prefix),
      feedForwardNorm: try norm(prefix + names.feedForwardNorm),
      feedForward: try feedForward(layer, prefix),
      wantsInputGradient: layer > 0)
  }

  private func attention(_ layer: Int, _ prefix: String) throws -> Attention {
    let a = architecture
    let bias = a.queryKeyValueBias
    let input = try group(
      layer, 0, prefix, inputs: a.hiddenSize,
      [
        (a.names.query, a.querySize, bias), (a.names.key, a.keyValueSize, bias),
        (a.names.value, a.keyValueSize, bias),
      ])
    let output = try group(
      layer, 1, prefix, inputs: a.querySize, [(a.names.attentionOutput, a.hiddenSize, a.outputBias)])
    let shape = AttentionShape(
      heads: a.heads, keyValueHeads: a.keyValueHeads, headDim: a.headDim,
      scale: 1 / Float(a.headDim).squareRoot())
    return Attention(input: input, output: output, shape: shape, rotaryDimensions: a.rotary.dimensions)
  }

  private func feedForward(_ layer: Int, _ prefix: String) throws -> FeedForward {
    let a = architecture
    let bias = a.feedForwardBias
    let input = try group(
      layer, 2, prefix, inputs: a.hiddenSize,
      [(a.names.gate, a.intermediateSize, bias), (a.names.up, a.intermediateSize, bias)])
    let output = try group(layer, 3, prefix, inputs: a.intermediateSize, [(a.names.down, a.hiddenSize, bias)])
    return FeedForward(input: input, output: output)
  }

  private func group(
    _ layer: Int, _ index: Int, _ prefix: String, inputs: Int,
    _ linears: [(name: String, outputs: Int, bias: Bool)]
  ) throws -> LinearGroup {
    let parts = try linears.map { linear in
      LinearGroup.Part(
        name: linear.name,
        weight: try weight(prefix + linear.name + ".weight", [linear.outputs, inputs]),
        bias: linear.bias
          ? try store.tensor(prefix + linear.name + ".bias", shape: [linear.outputs], as: .float32) : nil,
        outputs: linear.outputs)
    }
    return LinearGroup(inputs: inputs, parts: parts, compute: compute, stream: UInt64(layer * 4 + index))
  }

  private func weight(_ name: String, _ shape: [Int]) throws -> FrozenWeight {
    if let stored = try store.nf4(name, shape: shape) { return .nf4(stored) }
    let dense = try store.tensor(name, shape: shape, as: compute)
    switch quantization {
    case .none: return .dense(dense)
    case .nf4(let double): return .nf4(NF4Tensor.quantize(dense, double: double))
    }
  }

  private func norm(_ name: String) throws -> Norm {
    Norm(
      weight: try store.tensor(name, shape: [architecture.hiddenSize], as: .float32),
      epsilon: architecture.normEpsilon)
  }
}
