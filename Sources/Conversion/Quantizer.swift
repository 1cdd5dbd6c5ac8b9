import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights

/// Writes a model with its blocks' linear layers in NF4, as transformers and bitsandbytes save and load it.
///
/// Embeddings, norms and the head stay in 16 bits. Matrices are read, quantised and written one at a time.
public struct Quantizer {
  /// What the weights are rounded to before, and what the others are stored in: float16 or bfloat16.
  public let dtype: DType
  /// Whether the scales are quantised as well.
  public var double: Bool
  /// The most bytes of a safetensors file.
  public var shardLimit: Int
  /// What the user should know of the model's files.
  public let notes: [String]
  private let source: ModelSource
  private let isTied: Bool
  private let matrices: Set<String>
  /// Modules that stay as they are, by the names of transformers, where it would quantise them.
  private let skipped: [String]

  /// - Parameter source: a model in 16 or 32 bits, or a GGUF file.
  /// - Throws: `FireflyError` when its family is not supported or it is quantised already.
  public init(_ source: ModelSource, double: Bool = true, shardLimit: Int = 5_000_000_000) throws {
    guard !source.isQuantized else {
      throw FireflyError(
        "the model is in 4 bits already", at: "\(source.path)/\(ModelFiles.config): quantization_config",
        fix: "Give the model in 16 bits.")
    }
    try source.requireExpertsApart()
    let (architecture, notes) = try Architecture.read(source)
    self.notes = notes
    isTied = architecture.tiedHead
    matrices = architecture.quantizedWeights(in: source.weights)
    skipped = architecture.wholeLinears
    self.source = source
    self.double = double
    self.shardLimit = shardLimit
    dtype = source.halfType
  }

  /// - Parameter progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  public func write(to folder: ModelFolder, progress: ((Double) throws -> Void)? = nil) throws {
    let weights = source.weights
    let items = try weights.tensorNames.map { name in
      try matrices.contains(name) ? quantized(name) : plain(name)
    }
    let config = source.config(
      replacing: [
        "quantization_config": BitsAndBytes.quantizationConfig(
          double: double, compute: dtype, skipping: skipped),
        "dtype": .string(dtype.description), "torch_dtype": .string(dtype.description),
      ], isTied: isTied)
    try folder.write(
      config: config, FilesBesideWeights(source), items, shardLimit: shardLimit, progress: progress)
  }

  private func quantized(_ name: String) throws -> SafeTensorsWriter.Item {
    let shape = try source.weights.shape(of: name)
    let entries = BitsAndBytes.entries(name, shape: shape, dtype: dtype, double: double)
    return SafeTensorsWriter.Item(entries: entries) { [self] in
      defer { source.weights.release(name) }
      let weight = try source.weights.tensor(name, shape: shape, as: dtype)
      let packed = try BitsAndBytes.quantize(weight, double: double, at: "\(source.path): \(name)")
      return BitsAndBytes.tensors(name, packed).map(\.tensor)
    }
  }

  /// Weights and biases in 16 bits; buffers as they are.
  private func plain(_ name: String) throws -> SafeTensorsWriter.Item {
    let weights = source.weights
    let isFloat = try [.float32, .float16, .bfloat16].contains(weights.plainType(of: name, blocks: dtype))
    guard isFloat, name.hasSuffix(".weight") || name.hasSuffix(".bias") else {
      return try weights.copy(of: name, blocks: dtype)
    }
    let shape = try weights.shape(of: name)
    let pieces = try weights.strips(of: name).map { [dtype] rows in
      WrittenPiece(release: { weights.release(name) }) {
        try weights.tensor(name, shape: shape, rows: rows, as: dtype)
      }
    }
    return SafeTensorsWriter.Item(name: name, type: StoredType(dtype), shape: shape, pieces: pieces)
  }
}
