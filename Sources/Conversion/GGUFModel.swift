import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation

/// A model as llama.cpp describes it: architecture, sizes, rotary scaling, the order of q and k rows.
struct GGUFModel {
  let kind: GGUFArchitecture
  let architecture: Architecture
  let source: ModelSource
  let place: String
  /// The tensors of the files that the model is made of.
  let used: Set<String>

  /// - Throws: `FireflyError` for a family that has no such file, or a feature that would be lost.
  init(_ source: ModelSource) throws {
    self.source = source
    place = source.gguf == nil ? "\(source.path)/\(ModelFiles.config)" : source.path
    architecture = try Architecture.read(source).architecture
    let family = source.config["model_type"]?.string ?? ""
    guard let kind = GGUFArchitecture.of(modelType: family, hasALiBi: architecture.rotary == nil) else {
      throw FireflyError(
        "models of this family cannot be exported as GGUF", at: "\(place): model_type",
        expected: Set(GGUFArchitecture.all.flatMap(\.modelTypes)).sorted().joined(separator: ", "),
        found: family)
    }
    self.kind = kind
    used = Set(architecture.tensorNames(in: source.weights))
    try refuse("use_sliding_window", unless: [.bool(false)])
    try checkGiven()
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
    return general + description + sizes + latentSizes + expertSizes + numbers + factors + (try scaling())
  }

  private var sizes: [(key: String, value: GGUFWriter.Value)] {
    let a = architecture
    return [
      (kind.key(.vocabularySize), .uint32(a.vocabularySize)),
      (kind.key(.contextLength), .uint32(contextLength)),
      (kind.key(.embeddingLength), .uint32(a.hiddenSize)), (kind.key(.blockCount), .uint32(a.layers)),
      (kind.key(.feedForwardLength), .uint32(a.intermediateSize * (kind.countsGateAndUp ? 2 : 1))),
      (kind.key(.headCount), .uint32(a.heads)), (kind.key(.keyValueHeadCount), .uint32(a.keyValueHeads)),
      (kind.key(.keyLength), .uint32(a.headDim)),
      (kind.key(.valueLength), .uint32(a.latent?.valueDim ?? a.headDim)),
      (kind.key(kind.normKey), .float32(a.normEpsilon)),
    ] + rotarySizes
  }

  private var rotarySizes: [(key: String, value: GGUFWriter.Value)] {
    guard let rotary = architecture.rotary else { return [] }
    return [
      (kind.key(.rotaryDimensions), .uint32(rotary.dimensions)),
      (kind.key(.rotaryBase), .float32(rotary.theta)),
    ]
  }

  private var latentSizes: [(key: String, value: GGUFWriter.Value)] {
    guard let latent = architecture.latent else { return [] }
    return [
      (kind.key(.queryRank), .uint32(latent.queryRank ?? 0)),
      (kind.key(.keyValueRank), .uint32(latent.keyValueRank)),
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
        case .sharedExpertCount: experts.sharedSize.map { $0 / experts.intermediateSize }
        default: experts.intermediateSize
        }
      return size.map { (kind.key(key), .uint32($0)) }
    }
      + (kind.experts?.firstLayer == nil
        ? [] : [(kind.key(.leadingDenseCount), .uint32(experts.layers.first))])
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
      case .expertWeightScale: a.experts.map { (kind.key(key), .float32($0.scale)) }
      default: nil
      }
    }
  }

  private var contextLength: Int {
    let window = architecture.window ?? architecture.maxPositions
    return kind.endsAtWindow ? min(window, architecture.maxPositions) : architecture.maxPositions
  }

  // MARK: - Types

  /// How the file's matrices are stored.
  func mixture(_ type: GGUFType, hasImportance: Bool) -> GGUFMixture {
    let a = architecture
    let shares = ["llama": a.heads != a.keyValueHeads, "qwen2": true][kind.name] ?? false
    return GGUFMixture(
      type: type, layers: a.layers, grouping: a.heads / a.keyValueHeads, experts: a.experts?.count ?? 0,
      isTied: a.tiedHead,
      sharesValues: shares && a.layers == 80, hasImportance: hasImportance)
  }
}
