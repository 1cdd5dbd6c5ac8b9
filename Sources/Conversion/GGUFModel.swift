import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation

/// A model as llama.cpp describes it: architecture, sizes, rotary scaling, the order of q and k rows.
struct GGUFModel {
  let kind: GGUFArchitecture
  let architecture: Architecture
  private let source: ModelSource
  private let place: String
  /// The tensors of the files that the model is made of.
  private let used: Set<String>

  /// - Throws: `FireflyError` for a family that has no such file, or a feature that would be lost.
  init(_ source: ModelSource) throws {
    self.source = source
    place = source.gguf == nil ? "\(source.path)/\(ModelFiles.config)" : source.path
    architecture = try Architecture.read(source).architecture
    let family = source.config["model_type"]?.string ?? ""
    guard let kind = GGUFArchitecture.of(modelType: family) else {
      throw FireflyError(
        "models of this family cannot be exported as GGUF", at: "\(place): model_type",
        expected: GGUFArchitecture.all.flatMap(\.modelTypes).sorted().joined(separator: ", "), found: family)
    }
    self.kind = kind
    used = Set(architecture.tensorNames(in: source.weights))
    try refuse("use_sliding_window", unless: [.bool(false)])
    try checkGiven()
  }

  /// Refuses what llama.cpp takes for granted of the kind and the model has otherwise.
  private func checkGiven() throws {
    let (a, given) = (architecture, kind.given)
    func require(_ holds: Bool, _ key: String, expected: String) throws {
      guard holds else {
        throw FireflyError(
          "the exported file would lose this", at: "\(place): \(key)", expected: expected,
          found: source.config[key]?.text() ?? "none")
      }
    }
    if let period = given.windowPeriod {
      let windowed = Set((0..<a.layers).filter { ($0 + 1) % period != 0 })
      try require(
        a.window != nil && a.windowedLayers == windowed, "layer_types",
        expected: "windows in all but every layer number \(period)")
    }
    if let (name, ofLarge) = given.scoreScalar {
      let scalar = a.layers == ofLarge ? a.hiddenSize / a.heads : a.headDim
      try require(source.config[name]?.int == scalar, name, expected: "\(scalar)")
    }
    // Without the numbers llama.cpp takes its own.
    if kind.numbers.contains(where: { $0.key == .scoreCap }) {
      try require(a.scoreCap != nil, "attn_logit_softcapping", expected: "a number")
      try require(a.logitCap != nil, "final_logit_softcapping", expected: "a number")
    }
    let turning = given.unturnedPeriod.map { period in Set((0..<a.layers).filter { ($0 + 1) % period == 0 }) }
    try require(
      a.unturnedLayers == turning ?? [], "no_rope_layers",
      expected: given.unturnedPeriod.map { "0 in every layer number \($0), 1 in the others" } ?? "none")
    if let isTied = given.isTied {
      try require(a.tiedHead == isTied, "tie_word_embeddings", expected: "\(isTied)")
    }
    if given.hasFewBiases {
      try require(
        !a.outputBias && !a.feedForwardBias, "bias", expected: "biases on queries, keys and values alone")
    }
    if let experts = kind.experts {
      try require(
        (0..<a.layers).allSatisfy { a.experts?.layers.contains($0) == true }, "decoder_sparse_step",
        expected: "experts in every layer")
      try require(
        a.experts?.normalizesWeights == experts.normalizesWeights, "norm_topk_prob",
        expected: "\(experts.normalizesWeights)")
    }
    if let theta = given.windowedTheta {
      let usual = a.windowedRotary.map { $0.scaling == .none && Double($0.theta) == theta } ?? true
      try require(usual, "rope_local_base_freq", expected: "\(theta)")
    }
  }

  private func refuse(_ key: String, unless supported: [JSONValue]) throws {
    guard let value = source.config[key], !supported.contains(value) else { return }
    throw FireflyError(
      "the exported file would lose this", at: "\(place): \(key)",
      expected: supported.map { $0.text() }.joined(separator: " or "), found: value.text())
  }

  // MARK: - Metadata

  func metadata(type: GGUFType) throws -> [(key: String, value: GGUFWriter.Value)] {
    let general: [(key: String, value: GGUFWriter.Value)] = [
      ("general.architecture", .string(kind.name)), ("general.type", .string("model")),
      ("general.file_type", .uint32(type.fileType)), ("general.quantization_version", .uint32(2)),
    ]
    let description = try GGUFDescription(source).pairs
    return general + description + sizes + expertSizes + numbers + factors + (try scaling())
  }

  private var sizes: [(key: String, value: GGUFWriter.Value)] {
    let a = architecture
    return [
      (kind.key(.vocabularySize), .uint32(a.vocabularySize)),
      (kind.key(.contextLength), .uint32(contextLength)),
      (kind.key(.embeddingLength), .uint32(a.hiddenSize)), (kind.key(.blockCount), .uint32(a.layers)),
      (kind.key(.feedForwardLength), .uint32(a.intermediateSize)),
      (kind.key(.headCount), .uint32(a.heads)), (kind.key(.keyValueHeadCount), .uint32(a.keyValueHeads)),
      (kind.key(.keyLength), .uint32(a.headDim)), (kind.key(.valueLength), .uint32(a.headDim)),
      (kind.key(.normEpsilon), .float32(a.normEpsilon)),
      (kind.key(.rotaryDimensions), .uint32(a.rotary?.dimensions ?? a.headDim)),
      (kind.key(.rotaryBase), .float32(Float(theta))),
    ]
  }

  private var expertSizes: [(key: String, value: GGUFWriter.Value)] {
    guard let experts = architecture.experts else { return [] }
    return (kind.experts?.sizes ?? []).compactMap { key, _ in
      let size: Int? =
        switch key {
        case .expertCount: experts.count
        case .expertUsedCount: experts.perRow
        case .sharedExpertSize: experts.sharedSize
        default: experts.intermediateSize
        }
      return size.map { (kind.key(key), .uint32($0)) }
    }
  }

  private var factors: [(key: String, value: GGUFWriter.Value)] {
    kind.factors.map { factor in
      let number = factor.inFile(
        source.config[factor.name]?.double ?? 1, hiddenSize: architecture.hiddenSize,
        layers: architecture.layers)
      return (kind.key(factor.key), .float32(Float(number)))
    }
  }

  private var numbers: [(key: String, value: GGUFWriter.Value)] {
    let a = architecture
    return kind.numbers.compactMap { key, _ in
      switch key {
      case .slidingWindow: a.window.map { (kind.key(key), .uint32($0)) }
      case .scoreCap: a.scoreCap.map { (kind.key(key), .float32($0)) }
      case .logitCap: a.logitCap.map { (kind.key(key), .float32($0)) }
      default: nil
      }
    }
  }

  private var contextLength: Int {
    let window = source.config["sliding_window"]?.int ?? architecture.maxPositions
    return kind.endsAtWindow ? min(window, architecture.maxPositions) : architecture.maxPositions
  }

  /// What the model itself is read from, so that the file says the same.
  private var rope: JSONValue? { Architecture.rotaryParameters(of: source.config) }

  private var theta: Double { Double(architecture.rotary?.theta ?? 10_000) }

  private var scalingType: String { rope?["rope_type"]?.string ?? rope?["type"]?.string ?? "default" }

  private func scaling() throws -> [(key: String, value: GGUFWriter.Value)] {
    switch architecture.rotary?.scaling ?? .none {
    case .none, .llama3: return []
    case .linear, .yarn:
      var pairs: [(key: String, value: GGUFWriter.Value)] = [
        (kind.key(.scalingType), .string(scalingType)),
        (kind.key(.scalingFactor), .float32(Float(try number("factor")))),
      ]
      guard scalingType == "yarn" else { return pairs }
      let length = rope?["original_max_position_embeddings"]?.int ?? architecture.maxPositions
      pairs.append((kind.key(.originalContextLength), .uint32(length)))
      for (key, name) in GGUFKey.yarnOptions where rope?[name] != nil {
        pairs.append((kind.key(key), .float32(Float(try number(name)))))
      }
      return pairs
    case .dynamic, .long:
      throw FireflyError(
        "the exported file would lose this rotary scaling", at: "\(place): rope_type",
        expected: "default, linear, yarn or llama3", found: scalingType)
    }
  }

  private func number(_ key: String) throws -> Double {
    guard let number = rope?[key]?.double, number.isFinite, number > 0 else {
      throw FireflyError("wrong value", at: "\(place): rope scaling's \(key)", expected: "a number above 0")
    }
    return number
  }

  // MARK: - Tensors

  /// Where a tensor goes.
  struct Place {
    /// The name in the file.
    let name: String
    /// The heads whose rows are reordered; nil: rows stay.
    var heads: Int?
    /// The expert whose matrix is one of those that lie in one tensor; nil: the tensor is the file's own.
    var expert: Int?
  }

  /// nil for a tensor that the model does not use.
  func place(of tensor: String) throws -> Place? {
    guard used.contains(tensor) else { return nil }
    if let place = kind.experts?.place(of: tensor) {
      return Place(name: place.ggufName, expert: place.expert)
    }
    guard let ggufName = kind.tensors.ggufName(of: tensor) else {
      throw FireflyError(
        "the exported file has no place for this tensor", at: "\(source.path): \(tensor)",
        expected: "a tensor of a LLaMA-like model")
    }
    return Place(name: ggufName, heads: heads(ggufName))
  }

  /// How the file's matrices are stored.
  func mixture(_ type: GGUFType, hasImportance: Bool) -> GGUFMixture {
    let a = architecture
    let shares = ["llama": a.heads != a.keyValueHeads, "qwen2": true][kind.name] ?? false
    return GGUFMixture(
      type: type, layers: a.layers, grouping: a.heads / a.keyValueHeads, experts: a.experts?.count ?? 0, isTied: a.tiedHead,
      sharesValues: shares && a.layers == 80, hasImportance: hasImportance)
  }

  private func heads(_ ggufName: String) -> Int? {
    guard kind.reordersRows else { return nil }
    return GGUFNames.turningHeads(
      ggufName, heads: architecture.heads, keyValueHeads: architecture.keyValueHeads)
  }

  /// Whether the file's tensor is the checkpoint's and 1.
  func addsOne(_ ggufName: String) -> Bool { kind.addsOneToNorms && GGUFNames.isNorm(ggufName) }

  /// The rows of q or k in llama.cpp's order.
  static func reordered(_ tensor: Tensor, heads: Int) -> Tensor {  // [H·D, …] float32
    let rows = tensor.shape[0]
    let order = (0..<rows).map { Int32(RotaryRows.inCheckpoint($0, headDim: rows / heads)) }
    let matrix = tensor.reshaped([rows, tensor.count / rows])
    let out = Tensor(matrix.shape, tensor.dtype)
    Ops.gatherRows(out.matrix, matrix.matrix, rows: order)
    return out.reshaped(tensor.shape)
  }

  /// Llama 3's scaling is kept as a divisor for each frequency.
  func frequencyFactors() throws -> GGUFWriter.Item? {
    guard case .llama3(let factor, let low, let high, let original) = architecture.rotary?.scaling else {
      return nil
    }
    let size = architecture.headDim
    let rule = Llama3Rope(
      factor: Double(factor), low: Double(low), high: Double(high), originalLength: Double(original),
      theta: theta, headDim: size)
    let divisors = rule.divisors.map { Float($0) }
    return GGUFWriter.Item(name: Llama3Rope.tensorName, shape: [size / 2], type: .float32) {
      Tensor(divisors, [size / 2])
    }
  }
}
