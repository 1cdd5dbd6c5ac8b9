import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyWeights

/// Writes a model with an adapter merged into its weights, in the types of the model's files; some rows at a time.
///
/// Tensors that the merge does not touch are copied byte for byte. The folder has no `quantization_config` but that of MXFP4.
public struct Merger {
  /// The most bytes of a safetensors file.
  public var shardLimit: Int
  private let source: ModelSource
  private let files: FilesBesideWeights
  private let weights: MergedWeights

  /// What the user should know of the files that were read.
  public var notes: [String] { weights.notes }

  /// - Parameters:
  ///   - adapter: a PEFT folder.
  ///   - base: what the adapter is added to.
  ///   - compute: what weights are rounded to before they are quantised: as in training; nil for what this machine's
  ///     processor computes with.
  ///   - trained: what the adapter was trained with (`Pretrained.trainedText`); the folder gets it in place of the model's
  ///     template, tokenizer and end of an answer.
  /// - Throws: `FireflyError` when the adapter does not belong to the model.
  public init(
    _ source: ModelSource, adapter: String, onto base: MergeBase = .original,
    compute: DType? = nil, trained: TrainedText? = nil, shardLimit: Int = 5_000_000_000
  ) throws {
    self.shardLimit = shardLimit
    weights = try MergedWeights(
      source, adapter: AdapterFile(adapter), base: base, compute: compute ?? Ops.usualCompute)
    let source = weights.source
    self.source = source
    files = FilesBesideWeights(source, trained: trained)
    for name in source.weights.tensorNames { try weights.checkShape(name) }
  }

  /// - Parameter progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  public func write(to folder: ModelFolder, progress: ((Double) throws -> Void)? = nil) throws {
    let items = try source.weights.tensorNames.map { name in
      weights.isChanged(name) ? try merged(name) : try source.weights.copy(of: name, blocks: source.halfType)
    }
    let config = source.config(
      replacing: source.isQuantized ? ["quantization_config": .null] : [:],
      isTied: weights.architecture.tiedHead)
    try folder.write(config: config, files, items, shardLimit: shardLimit, progress: progress)
  }

  /// The merged tensor in the type that the file's weights have, some rows at a time.
  private func merged(_ name: String) throws -> SafeTensorsWriter.Item {
    let type = try source.weights.plainType(of: name, blocks: source.halfType)
    guard let dtype = type.dtype, dtype.isFloat else {
      throw FireflyError(
        "an adapter cannot be merged into this tensor", at: "\(source.path): \(name)",
        expected: "F32, F16 or BF16", found: type.description)
    }
    let shape = try source.weights.shape(of: name)
    let pieces = try weights.strips(name).map { [weights] rows in
      WrittenPiece(release: { weights.release(name) }) {
        try weights.tensor(name, rows: rows).inType(dtype)
      }
    }
    return SafeTensorsWriter.Item(name: name, type: type, shape: shape, pieces: pieces)
  }
}
