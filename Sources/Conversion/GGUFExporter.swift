import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// Writes a model as a GGUF file for llama.cpp, with its tokenizer and chat template.
///
/// Tensors are read, merged with an adapter when there is one, encoded and written some rows at a time, in the type that
/// `GGUFMixture` gives each.
public struct GGUFExporter {
  public let type: GGUFType
  /// A token beside which llama.cpp encodes a text otherwise than the model's tokenizer; nil when there is none.
  ///
  /// SentencePiece vocabularies: llama.cpp puts a space before what follows a special token (transformers' `legacy`).
  public let unlikeToken: String?
  /// What errors of quantising are weighed with; nil: by the weights alone.
  public var importance: ImportanceMatrix?
  /// What the user should know of the files that were read.
  public var notes: [String] { weights.notes }
  private let weights: MergedWeights
  private let model: GGUFModel
  private var vocabulary: GGUFVocabulary

  /// - Parameters:
  ///   - adapter: a PEFT folder to merge on the way, the one that `pretrained` was opened with; nil for none. The file gets
  ///     the template and the end of an answer that it was trained with.
  ///   - base: what it is added to.
  ///   - compute: what weights are rounded to before NF4, with such a base; nil for what this machine's processor computes with.
  ///   - importance: what errors of quantising are weighed with; nil: by the weights alone.
  /// - Throws: `FireflyError` when the family or the tokenizer has no such form, or the adapter does not fit.
  public init(
    _ pretrained: Pretrained, type: GGUFType, adapter: String? = nil, onto base: MergeBase = .original,
    compute: DType? = nil, importance: ImportanceMatrix? = nil
  ) throws {
    self.type = type
    self.importance = importance
    weights = try MergedWeights(
      pretrained.source, adapter: try adapter.map(AdapterFile.init), base: base,
      compute: compute ?? Ops.usualCompute)
    model = try GGUFModel(weights.source)
    for name in weights.source.weights.tensorNames { try weights.checkShape(name) }
    let folderVocabulary = try FolderVocabulary(pretrained)
    unlikeToken = folderVocabulary.unlikeToken
    vocabulary = try folderVocabulary.padded(to: model.architecture.vocabularySize)
    if let adapter, let trained = try pretrained.trainedText(adapter: adapter) { vocabulary.take(trained) }
  }

  /// - Parameters:
  ///   - path: replaced only when the new file is whole.
  ///   - partLimit: writes the model in parts of so many bytes of tensors at most, NAME-00001-of-00003.gguf and so on; nil:
  ///     one file.
  ///   - progress: called with the share done, 0…1; what it throws ends the writing, and nothing is left.
  /// - Returns: the files that were written.
  @discardableResult
  public func write(
    to path: String, overwrite: Bool = false, partLimit: Int? = nil,
    progress: ((Double) throws -> Void)? = nil
  ) throws -> [String] {
    func checked(_ path: String) throws -> String {
      let inputs = weights.source.gguf.map { $0.paths } ?? [weights.source.path]
      return try ConversionOutput.file.checked(path, overwrite: overwrite, inputs: inputs)
    }
    let tensors = model.frequencyFactors() + (try items())
    let metadata = try model.metadata(type: type) + vocabularyMetadata + calibration
    guard let partLimit else {
      let path = try checked(path)
      try GGUFWriter.write(metadata: metadata, tensors, to: path, progress: progress)
      return [path]
    }
    return try GGUFWriter.write(
      metadata: metadata, tensors, to: path, partLimit: partLimit,
      check: { for path in $0 { _ = try checked(path) } }, progress: progress)
  }

  /// The tokenizer, with what a file that the model is made of says beside what Firefly reads.
  private var vocabularyMetadata: [(key: String, value: GGUFWriter.Value)] {
    let pairs = vocabulary.metadata + turnEnd
    let known = Set(pairs.map(\.key))
    let others = weights.source.gguf?.pairs { $0.hasPrefix("tokenizer.") && !known.contains($0) }
    return pairs + (others ?? [])
  }

  /// What the file was quantised by, as llama.cpp notes it.
  private var calibration: [(key: String, value: GGUFWriter.Value)] {
    guard let importance, type.isQuantized else { return [] }
    let key = "quantize.imatrix."
    let file = importance.file.map { [(key: key + "file", value: GGUFWriter.Value.string($0))] } ?? []
    return file + [
      (key + "dataset", .string(importance.dataset)), (key + "entries_count", .int32(importance.count)),
      (key + "chunks_count", .int32(importance.chunks)),
    ]
  }

  /// A chat's turn may end with another token than a text does.
  private var turnEnd: [(key: String, value: GGUFWriter.Value)] {
    let stored = weights.source.generationConfig?["eos_token_id"]
    let ids = stored?.array?.compactMap(\.int) ?? stored?.int.map { [$0] } ?? []
    let other = ids.first { $0 != vocabulary.eos.map(Int.init) && vocabulary.tokens.indices.contains($0) }
    return other.map { [("tokenizer.ggml.eot_token_id", .uint32($0))] } ?? []
  }

  /// The file's tensors, in the order of the model's.
  private func items() throws -> [GGUFWriter.Item] {
    let mixture = model.mixture(type, hasImportance: importance != nil)
    let tensors = GGUFTensors(weights: weights, model: model)
    return try tensors.groups().map { group in
      try tensors.item(group, as: mixture.stored(group.name, shape: group.shape), importance: importance)
    }
  }
}

extension GGUFVocabulary {
  /// The template that an adapter was trained with, and its end of an answer, in place of the model's.
  mutating func take(_ trained: TrainedText) {
    if let template = trained.template {
      chatTemplate = template.chat
      toolTemplate = template.tools
    }
    if let end = trained.endID, tokens.indices.contains(Int(end)) { eos = end }
  }

  /// `tokenizer.ggml.*` and the chat template.
  var metadata: [(key: String, value: GGUFWriter.Value)] {
    let key = "tokenizer.ggml."
    var pairs: [(key: String, value: GGUFWriter.Value)] = [
      (key + "model", .string(model)), (key + "pre", .string(pre)), (key + "tokens", .strings(tokens)),
    ]
    if !scores.isEmpty { pairs.append((key + "scores", .float32s(scores))) }
    if !types.isEmpty { pairs.append((key + "token_type", .int32s(types.map(Int.init)))) }
    if !merges.isEmpty { pairs.append((key + "merges", .strings(merges))) }
    for (name, id) in [("bos", bos), ("eos", eos), ("unknown", unk), ("padding", pad)] {
      if let id { pairs.append((key + name + "_token_id", .uint32(Int(id)))) }
    }
    pairs += [(key + "add_bos_token", .bool(addBOS)), (key + "add_eos_token", .bool(addEOS))]
    if model == "llama" { pairs.append((key + "add_space_prefix", .bool(addSpacePrefix))) }
    if let chatTemplate { pairs.append(("tokenizer.chat_template", .string(chatTemplate))) }
    if let toolTemplate {
      pairs.append(("tokenizer.chat_templates", .strings(["tool_use"])))
      pairs.append(("tokenizer.chat_template.tool_use", .string(toolTemplate)))
    }
    return pairs
  }
}
