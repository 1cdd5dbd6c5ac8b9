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
    try load(source, compute: compute, quantization: quantization, device: .cpu, progress: progress)
  }

  /// - Parameter device: where the model's tensors lie and its operations run.
  package static func load(
    _ source: ModelSource, compute: DType, quantization: Quantization, device: any Device,
    progress: ((Double) -> Void)? = nil
  ) throws -> Transformer {
    precondition(compute == .bfloat16 || compute == .float32, "compute dtype \(compute)")
    let architecture = try Architecture(config: source.config, source: source.path)
    let loader = ModelLoader(
      architecture: architecture, store: source.weights, compute: compute, quantization: quantization,
      device: device)
    var blocks: [Block] = []
    for layer in 0..<architecture.layers {
      blocks.append(try loader.block(layer))
      progress?(Double(layer + 1) / Double(architecture.layers))
    }
    let table = try loader.embeddingTable()
    let head = try loader.head(table: table)
    Storage.releaseFreeMemory()
    return Transformer(
      architecture: architecture, compute: compute, embedding: try loader.embedding(table), blocks: blocks,
      head: head, unusedTensors: architecture.unusedTensors(of: source.weights))
  }
}

/// Asks the store for one model's tensors.
struct ModelLoader {
  let architecture: Architecture
  let store: any TensorSource
  let compute: DType
  let quantization: Quantization
  let device: any Device
  /// Whether the first block has a gradient of its input, which nothing in training needs.
  var firstTakesInputGradient = false

  // MARK: - Around the blocks

  func embeddingTable() throws -> Tensor {  // [V, C] c
    let shape = [architecture.vocabularySize, architecture.hiddenSize]
    return try tensor(architecture.names.embedding, shape: shape, as: compute)
  }

  func embedding(_ table: Tensor) throws -> Embedding {
    let scale = Tensor([architecture.embeddingScale], [1])
    let rounded = Tensor([1], compute)
    Ops.convert(rounded.matrix, scale.matrix)
    Ops.convert(scale.matrix, rounded.matrix)
    return Embedding(
      table: table, scale: scale.floats[0], norm: try architecture.names.embeddingNorm.map(norm))
  }

  func head(table: Tensor) throws -> Head {
    var norm = try norm(architecture.names.finalNorm)
    // The logits are linear in the norm's weight.
    if architecture.logitScale != 1 { norm = norm.scaled(by: architecture.logitScale) }
    if architecture.tiedHead { return Head(norm: norm, weight: table) }
    let weight = try tensor(architecture.names.head, shape: table.shape, as: compute)
    return Head(norm: norm, weight: architecture.normalizedHead ? normalized(weight) : weight)
  }

  /// The matrix with each row divided by its length.
  private func normalized(_ weight: Tensor) -> Tensor {  // [V, C] c
    let result = Tensor(weight.shape, compute, on: device)
    // x / √(mean x² + ε) · 1/√C, with the smallest of ε: rows of zeros stay zero.
    let columns = Float(weight.columns)
    let norm = Norm(
      weight: Tensor(
        [Float](repeating: 1 / columns.squareRoot(), count: weight.columns), [weight.columns], on: device),
      bias: nil, epsilon: 1e-24 / columns)
    for start in stride(from: 0, to: weight.rows, by: 1024) {
      let rows = start..<min(start + 1024, weight.rows)
      let wide = Tensor([rows.count, weight.columns], .float32, on: device)
      Ops.convert(wide.matrix, weight.matrix.rows(rows))
      _ = norm.forward(into: result.matrix.rows(rows), wide.matrix)
    }
    return result
  }

  // MARK: - Blocks

  func block(_ layer: Int) throws -> Block {
    let names = architecture.names
    let prefix = names.prefix(layer)
    return Block(
      attentionNorm: try norm(prefix + names.attentionNorm),
      attention: try attention(layer, prefix),
      feedForwardNorm: try norm(prefix + names.feedForwardNorm),
      feedForward: try feedForward(layer, prefix),
      residualScale: architecture.residualScale,
      wantsInputGradient: layer > 0 || firstTakesInputGradient)
  }

  private func attention(_ layer: Int, _ prefix: String) throws -> Attention {
    let a = architecture
    let shape = AttentionShape(
      heads: a.heads, keyValueHeads: a.keyValueHeads, headDim: a.headDim,
      scale: 1 / Float(a.headDim).squareRoot(), window: layer >= a.firstWindowedLayer ? a.window : nil,
      slopes: a.positions == .alibi ? Tensor(ALiBi.slopes(heads: a.heads), [a.heads], on: device) : nil)
    return Attention(
      input: try group(layer, 0, prefix, a.attentionInput),
      output: try group(layer, 1, prefix, [a.attentionOutput]),
      shape: shape, order: a.headOrder, rotary: a.rotary)
  }

  private func feedForward(_ layer: Int, _ prefix: String) throws -> FeedForwardHalf {
    if let experts = architecture.experts(layer) { return .experts(try mixture(layer, prefix, experts)) }
    return .dense(
      FeedForward(
        input: try group(layer, 2, prefix, architecture.feedForwardInput),
        output: try group(layer, 3, prefix, [architecture.feedForwardOutput]),
        activation: architecture.activation, isGated: architecture.isGated))
  }

  /// The router stays whole and in float32: it is small, and near ties hang on it.
  private func mixture(_ layer: Int, _ prefix: String, _ options: Experts) throws -> MixtureOfExperts {
    // Streams beyond those of all layers' attention and MLPs: two to each expert, the shared one, and the router.
    let first = 4 * architecture.layers + 2 * (options.count + 2) * layer
    func expert(_ linears: (input: [LinearShape], output: LinearShape), _ place: Int) throws -> FeedForward {
      FeedForward(
        input: try group(prefix, linears.input, stream: first + 2 * place),
        output: try group(prefix, [linears.output], stream: first + 2 * place + 1),
        activation: architecture.activation, isGated: true)
    }
    let precise = ModelLoader(
      architecture: architecture, store: store, compute: .float32, quantization: quantization,
      device: device)
    return MixtureOfExperts(
      options: options,
      router: try precise.group(
        prefix, architecture.routerLinears(options), stream: first + 2 * (options.count + 1)),
      experts: try (0..<options.count).map { try expert(architecture.expertLinears(options, $0), $0) },
      shared: try architecture.sharedLinears(options).map { try expert($0, options.count) })
  }

  private func group(_ layer: Int, _ index: Int, _ prefix: String, _ linears: [LinearShape]) throws
    -> LinearGroup
  {
    try group(prefix, linears, stream: layer * 4 + index)
  }

  private func group(_ prefix: String, _ linears: [LinearShape], stream: Int) throws -> LinearGroup {
    let parts = try linears.map { linear in
      LinearGroup.Part(
        shape: linear,
        weight: try weight(
          prefix + linear.name + ".weight", [linear.outputs, linear.inputs],
          linear.staysWhole ? .none : quantization),
        bias: linear.hasBias
          ? try tensor(prefix + linear.name + ".bias", shape: [linear.outputs], as: .float32) : nil)
    }
    return LinearGroup(parts: parts, compute: compute, stream: UInt64(stream))
  }

  // MARK: - Tensors

  private func weight(
    _ name: String, _ shape: [Int], _ quantization: Quantization
  ) throws -> LinearWeight {
    let stored = store.storedName(name, architecture)
    if let packed = try store.nf4(stored, shape: shape) { return .nf4(packed.on(device)) }
    let dense = try store.tensor(stored, shape: shape, as: compute)
    switch quantization {
    case .none:
      releaseConverted(stored, to: compute)
      return .dense(dense.on(device))
    case .nf4(let double):
      defer { store.release(stored) }
      let packed = try BitsAndBytes.quantize(dense, double: double, at: "\(store.path): \(stored)")
      return .nf4(packed.on(device))
    }
  }

  private func norm(_ module: String) throws -> Norm {
    let shape = [architecture.hiddenSize]
    var weight = try tensor(module + ".weight", shape: shape, as: .float32)
    if architecture.norm == .rmsOnePlus { weight = Tensor(weight.floats.map { 1 + $0 }, shape, on: device) }
    let bias = architecture.norm == .layer ? try tensor(module + ".bias", shape: shape, as: .float32) : nil
    return Norm(weight: weight, bias: bias, epsilon: architecture.normEpsilon)
  }

  private func tensor(_ name: String, shape: [Int], as dtype: DType) throws -> Tensor {
    let stored = store.storedName(name, architecture)
    defer { releaseConverted(stored, to: dtype) }
    return try store.tensor(stored, shape: shape, as: dtype).on(device)
  }

  /// Of a tensor that was converted, the file is not needed again.
  private func releaseConverted(_ stored: String, to dtype: DType) {
    if !store.isMapped(stored, as: dtype) { store.release(stored) }
  }
}
