import FireflyBase
import FireflyTensors
import FireflyWeights

extension Transformer {
  /// Builds the model by asking the source for each tensor by name and shape; building is loading.
  ///
  /// Dense weights that are stored in the compute dtype stay mapped, and so do a GGUF file's blocks where
  /// `quantization` is `.stored`; others are converted. With NF4 each
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
    let loader = ModelLoader(
      try Architecture.read(source), source.weights, compute: compute, quantization: quantization,
      arena: ParameterArena(.nothing, on: device))
    return try loader.model(progress)
  }

  /// Builds the model with its own weights to be trained: their float32 values are the arena's, and what computes are copies
  /// in the compute type. Those that `options` freezes are as in `load`.
  ///
  /// - Parameters:
  ///   - options: checked by `FullOptions.validate`.
  ///   - progress: called with the share of layers done, 0…1.
  /// - Throws: `FireflyError` as `load`; also when the disk has no room for paged values.
  public static func load(
    _ source: ModelSource, compute: DType, training options: FullOptions, memory: ArenaMemory = ArenaMemory(),
    progress: ((Double) -> Void)? = nil
  ) throws -> Transformer {
    try load(
      source, compute: compute, training: options, memory: memory, device: .cpu, progress: progress)
  }

  /// - Parameter device: where the model's tensors lie and its operations run.
  package static func load(
    _ source: ModelSource, compute: DType, training options: FullOptions, memory: ArenaMemory = ArenaMemory(),
    device: any Device, progress: ((Double) -> Void)? = nil
  ) throws -> Transformer {
    let read = try Architecture.read(source)
    let arena = try ParameterArena(
      Trainable(read.architecture, options), memory, compute: compute, on: device)
    let loader = ModelLoader(read, source.weights, compute: compute, quantization: .none, arena: arena)
    let model = try loader.model(progress)
    model.parametersChanged()
    return model
  }
}

/// Asks the store for one model's tensors.
struct ModelLoader {
  let architecture: Architecture
  let notes: [String]
  let store: any TensorSource
  private(set) var compute: DType
  let quantization: Quantization
  /// What is trained.
  let arena: ParameterArena
  private let parameters: [String: Parameter]
  private var device: any Device { arena.gradients.device }
  /// Whether the first block has a gradient of its input even where nothing trained needs it.
  private let firstTakesInputGradient: Bool

  init(
    _ read: (architecture: Architecture, notes: [String]), _ store: any TensorSource, compute: DType,
    quantization: Quantization, arena: ParameterArena, firstTakesInputGradient: Bool = false
  ) {
    (architecture, notes) = read
    self.store = store
    self.compute = compute
    self.quantization = quantization
    self.arena = arena
    self.firstTakesInputGradient = firstTakesInputGradient
    parameters = arena.byName
  }

  private init(_ loader: ModelLoader, compute: DType) {
    self = loader
    self.compute = compute
  }

  func model(_ progress: ((Double) -> Void)? = nil) throws -> Transformer {
    try device.requireCompute(compute)
    var blocks: [Block] = []
    for layer in 0..<architecture.layers {
      blocks.append(try block(layer))
      progress?(Double(layer + 1) / Double(architecture.layers))
    }
    let embedding = try embedding()
    let head = try head(embedding)
    Storage.releaseFreeMemory()
    return Transformer(
      architecture: architecture, compute: compute, embedding: embedding, blocks: blocks, head: head,
      notes: notes, arena: arena)
  }

  // MARK: - Around the blocks

  private func embedding() throws -> Embedding {
    let shape = [architecture.vocabularySize, architecture.hiddenSize]
    let trained = try trainedMatrix(architecture.names.embedding)
    let table = try trained.map { .dense($0.copy) } ?? table(architecture.names.embedding, shape: shape)
    let scale = Tensor([architecture.embeddingScale], [1])
    let rounded = Tensor([1], compute)
    Ops.convert(rounded.matrix, scale.matrix)
    Ops.convert(scale.matrix, rounded.matrix)
    return Embedding(
      table: table, scale: scale.floats[0], scalesFirst: architecture.scalesInEmbedding,
      norm: try architecture.names.embeddingNorm.map { try norm($0) },
      trained: trained, paddingToken: architecture.paddingToken.flatMap(Int32.init(exactly:)))
  }

  private func head(_ embedding: Embedding) throws -> Head {
    var norm = try norm(architecture.names.finalNorm)
    // The logits are linear in the norm's weight.
    if architecture.logitScale != 1 { norm = norm.scaled(by: architecture.logitScale) }
    let cap = architecture.logitCap
    if architecture.tiedHead {
      let trained = embedding.trained.map { TrainedHead(parameter: $0.parameter, form: .tied) }
      return Head(norm: norm, weight: embedding.table, compute: compute, cap: cap, trained: trained)
    }
    let (name, shape) = (architecture.names.head, embedding.table.shape)
    guard architecture.normalizedHead else {
      let trained = try trainedMatrix(name)
      let weight = try trained.map { .dense($0.copy) } ?? table(name, shape: shape)
      return Head(
        norm: norm, weight: weight, compute: compute, cap: cap,
        trained: trained.map { TrainedHead(parameter: $0.parameter, form: .own) })
    }
    let unit = Tensor(shape, compute, on: device)
    if let parameter = try parameter(name) {
      return Head(
        norm: norm, weight: .dense(unit), compute: compute, cap: cap,
        trained: TrainedHead(parameter: parameter, form: .normalized))
    }
    UnitRows.normalize(try tensor(name, shape: shape, as: compute), into: unit)
    return Head(norm: norm, weight: .dense(unit), compute: compute, cap: cap)
  }

  // MARK: - Blocks

  func block(_ layer: Int) throws -> Block {
    let names = architecture.names
    let prefix = names.prefix(layer)
    func frame(_ before: String?, _ after: String?) throws -> HalfFrame {
      HalfFrame(
        before: try before.map { try norm(prefix + $0) }, after: try after.map { try norm(prefix + $0) },
        scale: architecture.residualScale)
    }
    return Block(
      attentionFrame: try frame(names.attentionNorm, names.attentionOutputNorm),
      attention: try attention(layer, prefix),
      feedForwardFrame: try frame(names.feedForwardNorm, names.feedForwardOutputNorm),
      feedForward: try feedForward(layer, prefix),
      wantsInputGradient: layer > 0 || firstTakesInputGradient)
  }

  private func attention(_ layer: Int, _ prefix: String) throws -> AttentionHalf {
    let a = architecture
    let shape = AttentionShape(
      heads: a.heads, keyValueHeads: a.keyValueHeads, headDim: a.headDim, valueDim: a.valueDim,
      scale: a.scoreScale / Float(a.headDim).squareRoot(),
      window: a.window(layer), cap: a.scoreCap,
      slopes: a.positions == .alibi ? Tensor(ALiBi.slopes(heads: a.heads), [a.heads], on: device) : nil,
      sinks: try a.sinks.map { try sinks(prefix + $0) })
    let input = try group(layer, 0, prefix, a.attentionInput)
    let output = try group(layer, 1, prefix, [a.attentionOutput])
    guard let latent = a.latent else {
      return .grouped(
        Attention(
          input: input, output: output, shape: shape, order: a.headOrder, rotary: a.rotary(layer),
          norms: try headNorms(prefix), trainedSinks: a.sinks.flatMap { parameters[prefix + $0] }))
    }
    // Streams beyond those of all layers' other groups.
    let first = 4 * a.layers + (a.experts.map { 2 * ($0.count + 2) * a.layers } ?? 0) + 2 * layer
    let names = latent.names
    return .latent(
      LatentAttention(
        input: input,
        query: try a.queryUp.map { try projection(prefix, names.queryNorm, $0, stream: first) },
        keyValue: try projection(prefix, names.keyValueNorm, a.keyValueUp(latent), stream: first + 1),
        output: output, shape: shape, latent: latent, rotary: a.rotary(layer)))
  }

  /// The parameter's own value where they are trained.
  private func sinks(_ name: String) throws -> Tensor {
    try parameter(name)?.near ?? tensor(name, shape: [architecture.heads], as: .float32)
  }

  private func headNorms(_ prefix: String) throws -> HeadNorms? {
    guard let headNorm = architecture.headNorm else { return nil }
    let norms = try architecture.headNorms.map { try norm(prefix + $0.name, size: $0.size) }
    return HeadNorms(query: norms[0], key: norms[1], followsRotation: headNorm.followsRotation)
  }

  private func projection(
    _ prefix: String, _ norm: String, _ up: LinearShape, stream: Int
  ) throws -> LatentProjection {
    LatentProjection(
      norm: try self.norm(prefix + norm, size: up.inputs, epsilon: architecture.latent?.normEpsilon),
      up: try group(prefix, [up], stream: stream))
  }

  private func feedForward(_ layer: Int, _ prefix: String) throws -> FeedForwardHalf {
    if let experts = architecture.experts(layer) { return .experts(try mixture(layer, prefix, experts)) }
    return .dense(
      FeedForward(
        input: try group(layer, 2, prefix, architecture.feedForwardInput),
        output: try group(layer, 3, prefix, [architecture.feedForwardOutput]),
        activation: architecture.activation))
  }

  /// The router stays whole and in float32: it is small, and near ties hang on it.
  private func mixture(_ layer: Int, _ prefix: String, _ options: Experts) throws -> MixtureOfExperts {
    // Streams beyond those of all layers' attention and MLPs: two to each expert, the shared one, and the router.
    let first = 4 * architecture.layers + 2 * (options.count + 2) * layer
    func expert(_ linears: (input: [LinearShape], output: LinearShape), _ place: Int) throws -> FeedForward {
      FeedForward(
        input: try group(prefix, linears.input, stream: first + 2 * place),
        output: try group(prefix, [linears.output], stream: first + 2 * place + 1),
        activation: architecture.activation)
    }
    let precise = ModelLoader(self, compute: .float32)
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
    LinearGroup(parts: try linears.map { try part(prefix, $0) }, compute: compute, stream: UInt64(stream))
  }

  private func part(_ prefix: String, _ linear: LinearShape) throws -> LinearGroup.Part {
    let (weightName, biasName) = (prefix + linear.name + ".weight", prefix + linear.name + ".bias")
    if let matrix = try trainedMatrix(weightName) {
      let bias = try parameter(biasName)
      return LinearGroup.Part(
        shape: linear, weight: .dense(matrix.copy), bias: bias?.near,
        trained: LinearGroup.TrainedLinear(weight: matrix, bias: bias))
    }
    return LinearGroup.Part(
      shape: linear,
      weight: try weight(
        weightName, [linear.outputs, linear.inputs], linear.staysWhole ? .none : quantization),
      bias: linear.hasBias ? try tensor(biasName, shape: [linear.outputs], as: .float32) : nil)
  }

  // MARK: - Tensors

  private func weight(
    _ name: String, _ shape: [Int], _ quantization: Quantization
  ) throws -> LinearWeight {
    let stored = store.storedName(name, architecture)
    if let packed = try store.nf4(stored, shape: shape) { return .nf4(packed.on(device)) }
    switch quantization {
    case .stored: return try table(name, shape: shape)
    case .none: return .dense(try tensor(name, shape: shape, as: compute))
    case .nf4(let double):
      let dense = try store.tensor(stored, shape: shape, as: compute)
      defer { store.release(stored) }
      let packed = try BitsAndBytes.quantize(dense, double: double, at: "\(store.path): \(stored)")
      return .nf4(packed.on(device))
    }
  }

  /// A matrix in the file's own blocks or in the compute type.
  private func table(_ name: String, shape: [Int]) throws -> LinearWeight {
    if quantization == .stored, device.multipliesBlocks,
      let blocks = try store.blocks(store.storedName(name, architecture), shape: shape)
    {
      return .blocks(blocks)
    }
    return .dense(try tensor(name, shape: shape, as: compute))
  }

  /// - Parameters:
  ///   - size: nil: the hidden size.
  ///   - epsilon: nil: the model's.
  private func norm(_ module: String, size: Int? = nil, epsilon: Float? = nil) throws -> Norm {
    let shape = [size ?? architecture.hiddenSize]
    let epsilon = epsilon ?? architecture.normEpsilon
    if let weight = try parameter(module + ".weight") {
      let bias = try parameter(module + ".bias")
      return Norm(
        weight: Tensor(shape, .float32, on: device),
        bias: bias.map { _ in Tensor(shape, .float32, on: device) },
        epsilon: epsilon,
        trained: TrainedNorm(weight: weight, bias: bias, offset: architecture.norm == .rmsOnePlus ? 1 : 0))
    }
    var weight = try tensor(module + ".weight", shape: shape, as: .float32)
    if architecture.norm == .rmsOnePlus { weight = Tensor(weight.floats.map { 1 + $0 }, shape, on: device) }
    let bias = architecture.norm == .layer ? try tensor(module + ".bias", shape: shape, as: .float32) : nil
    return Norm(weight: weight, bias: bias, epsilon: epsilon)
  }

  /// The parameter of this name with the checkpoint's values; nil: the tensor is frozen, or there is none.
  private func parameter(_ name: String) throws -> Parameter? {
    guard let parameter = parameters[name] else { return nil }
    let stored = store.storedName(name, architecture)
    defer { store.release(stored) }
    let values = try store.tensor(stored, shape: parameter.slot.shape, as: .float32)
    Ops.convert(parameter.value.matrix, values.on(parameter.value.device).matrix)
    arena.shard?.keep(parameter.slot)
    return parameter
  }

  private func trainedMatrix(_ name: String) throws -> TrainedMatrix? {
    try parameter(name).map { TrainedMatrix($0, compute: compute) }
  }

  private func tensor(_ name: String, shape: [Int], as dtype: DType) throws -> Tensor {
    let stored = store.storedName(name, architecture)
    let tensor = try store.tensor(stored, shape: shape, as: dtype).on(device)
    // Of what was converted, the file is of no more use.
    if !store.isMapped(stored, as: dtype) { store.release(stored) }
    return tensor
  }
}
