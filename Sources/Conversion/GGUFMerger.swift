import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// Merges an adapter into a GGUF file and writes the result as that file is: the same tensors in the same types, the same
/// metadata.
///
/// What the adapter leaves alone is copied byte for byte. What it changes is added in float32 to the decoded weights and
/// encoded again.
public struct GGUFMerger {
  /// What the user should know of the files that were read.
  public var notes: [String] { tensors.weights.notes }
  private let tensors: GGUFTensors
  private let file: GGUFFile
  private let vocabulary: GGUFVocabulary

  /// - Parameters:
  ///   - pretrained: a GGUF file, opened with the adapter.
  ///   - adapter: a PEFT folder. The file gets the template and the end of an answer that it was trained with.
  /// - Throws: `FireflyError` when the model is no GGUF file, or the adapter does not belong to it or needs another number of
  ///   tokens.
  public init(_ pretrained: Pretrained, adapter: String) throws {
    guard let file = pretrained.source.gguf else {
      throw FireflyError(
        "an adapter is merged into a GGUF file only where the model is one", at: pretrained.source.path,
        fix: "Merge into a folder and export that, or export with --adapter.")
    }
    self.file = file
    let weights = try MergedWeights(
      pretrained.source, adapter: AdapterFile(adapter), base: .original, compute: .float32)
    tensors = GGUFTensors(weights: weights, model: try GGUFModel(weights.source))
    for name in weights.source.weights.tensorNames { try weights.checkShape(name) }
    var vocabulary = try GGUFVocabulary(file)
    if let trained = try pretrained.trainedText(adapter: adapter) { vocabulary.take(trained) }
    self.vocabulary = vocabulary
    guard vocabulary.tokens.count == weights.architecture.vocabularySize else {
      throw FireflyError(
        "the adapter's model has another number of tokens than the file", at: file.path,
        expected: "\(vocabulary.tokens.count)", found: "\(weights.architecture.vocabularySize)",
        fix: "Export with --adapter and a --type.")
    }
  }

  /// - Parameters:
  ///   - path: replaced only when the new file is whole.
  ///   - progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  public func write(to path: String, overwrite: Bool = false, progress: ((Double) throws -> Void)? = nil)
    throws
  {
    let path = try ConversionOutput.file.checked(path, overwrite: overwrite, inputs: file.paths)
    let groups = Dictionary(uniqueKeysWithValues: try tensors.groups().map { ($0.name, $0) })
    let items = try file.tensors.map { info in
      guard let group = groups[info.name], group.parts.contains(where: { tensors.weights.isChanged($0.name) })
      else { return copied(info) }
      return try tensors.item(group, as: info.type, importance: nil)
    }
    try GGUFWriter.write(metadata: metadata, items, to: path, progress: progress)
  }

  private func copied(_ info: TensorInfo) -> GGUFWriter.Item {
    let pieces = file.bytes(of: info).pieces { [file] in file.release(info) }
    return GGUFWriter.Item(name: info.name, shape: info.shape, type: info.type, pieces: pieces)
  }

  /// The file's own, but for the tokenizer's template and ends, and for what says where its tensors lie.
  private var metadata: [(key: String, value: GGUFWriter.Value)] {
    let tokenizer = vocabulary.metadata
    let known = Set(tokenizer.map(\.key) + ["general.alignment"])
    return file.pairs { !known.contains($0) && !$0.hasPrefix("split.") } + tokenizer
  }
}
