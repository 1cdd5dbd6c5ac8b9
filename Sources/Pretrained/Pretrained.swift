import FireflyBase
import FireflyCards
import FireflyHub
import FireflyModels
import FireflyTensors
import FireflyText
import FireflyWeights
import Foundation

/// A pretrained model opened for use: its files and tokenizer; the weights are read by `load`.
public struct Pretrained: Sendable {
  public let source: ModelSource
  /// The adapter's, where it was opened with one that brings a tokenizer; else the model's.
  public let tokenizer: any Tokenizer
  /// The folder or `.gguf` file that the tokenizer was read from.
  public let tokenizerPath: String
  /// The chat template that the model brings.
  let modelTemplate: OwnTemplate?

  /// How the weights are held and computed with.
  public struct Options: Sendable {
    /// nil: bfloat16 where the device multiplies it fast, otherwise float16 on a card and float32 on the processor.
    public var compute: DType?
    /// `.stored` keeps a 4-bit folder 4-bit, a GGUF file in its own blocks, and anything else in the compute dtype.
    public var quantization: Quantization
    /// A PEFT folder to put on top, or an adapter's name on a hub.
    public var adapter: String?
    public var device: DeviceChoice

    public init(
      compute: DType? = nil, quantization: Quantization = .stored, adapter: String? = nil,
      device: DeviceChoice = .cpu
    ) {
      self.compute = compute
      self.quantization = quantization
      self.adapter = adapter
      self.device = device
    }
  }

  /// Opens a Hugging Face folder or a `.gguf` file.
  ///
  /// - Parameters:
  ///   - name: a path, or a model's name, such as `Org/Name`, that `LocalModels` finds.
  ///   - adapter: the adapter that will be used with it; its tokenizer goes before the model's, and so do the embedding and the
  ///     head that it was trained on.
  /// - Throws: `FireflyError` when the model or its tokenizer is missing, damaged or not supported.
  public static func open(_ name: String, adapter: String? = nil) throws -> Pretrained {
    let folder = try adapter.map { try LocalModels().path(of: $0, for: .adapter) }
    let source = try ModelSource.open(name).adapted(toAdapterIn: folder)
    guard let folder, Tokenizers.isThere(in: folder) else {
      let tokenizer =
        try source.gguf.map { try Tokenizers.make(GGUFVocabulary($0)) } ?? Tokenizers.load(source.path)
      return Pretrained(
        source: source, tokenizer: tokenizer, tokenizerPath: source.path, modelTemplate: tokenizer.ownTemplate
      )
    }
    return Pretrained(
      source: source, tokenizer: try Tokenizers.load(folder), tokenizerPath: folder,
      modelTemplate: try source.ownTemplate)
  }

  /// Opens only the tokenizer: of a model folder, a `.gguf` file, a model by its name, a tokenizer.json or a
  /// tokenizer.model.
  public static func tokenizer(at name: String) throws -> any Tokenizer {
    let path = try LocalModels().path(of: name, for: .tokenizer)
    return path.lowercased().hasSuffix(".gguf")
      ? try Tokenizers.make(GGUFVocabulary(GGUFFile(path))) : try Tokenizers.load(path)
  }

  /// Reads the weights, and the adapter when there is one.
  ///
  /// - Parameter progress: the share done, 0…1.
  public func load(_ options: Options = Options(), progress: ((Double) -> Void)? = nil) throws -> Transformer
  {
    try load(options, on: options.device.open().device, progress: progress)
  }

  /// - Parameter device: in the place of the options' own.
  package func load(_ options: Options, on device: any Device, progress: ((Double) -> Void)? = nil) throws
    -> Transformer
  {
    let model = try Transformer.load(
      source, compute: options.compute ?? device.usualCompute, quantization: options.quantization,
      device: device, progress: progress)
    if let adapter = options.adapter { try loadAdapter(adapter, into: model) }
    return model
  }

  /// Says which of a GGUF file's blocks the weights are where they stay so; nil where they do not.
  package func blocksNote(_ quantization: Quantization, on device: any Device) -> String? {
    guard quantization == .stored && source.hasBlocks && device.multipliesBlocks else { return nil }
    let formats = source.weights.blockFormats.joined(separator: ", ")
    return "\(source.path): the weights stay the file's own blocks: \(formats)"
  }

  /// Hangs an adapter on the model that was loaded of this.
  package func loadAdapter(_ name: String, into model: Transformer) throws {
    let file = try AdapterFile(name)
    try model.loadAdapter(file, onOwnBase: file.folder == source.adaptedTo)
  }

  /// Whether an adapter can be put on the model as it is opened here; otherwise it has to be opened with that adapter.
  package func takes(adapter name: String) throws -> Bool {
    let file = try AdapterFile(name)
    guard file.folder != source.adaptedTo else { return true }
    return try !file.needsOwnBase(Architecture.read(source).architecture)
  }

  /// The same model with its tables read otherwise.
  package func replacing(source: ModelSource) -> Pretrained {
    Pretrained(
      source: source, tokenizer: tokenizer, tokenizerPath: tokenizerPath, modelTemplate: modelTemplate)
  }
}

extension ModelSource {
  /// The same where there is no adapter, or none with weights.
  fileprivate func adapted(toAdapterIn folder: String?) throws -> ModelSource {
    guard let folder, FileManager.default.fileExists(atPath: "\(folder)/\(ModelFiles.adapterConfig)") else {
      return self
    }
    return try adapted(to: AdapterFile(folder))
  }

  /// The chat template in the model's files.
  fileprivate var ownTemplate: OwnTemplate? {
    get throws {
      if let gguf { return try GGUFVocabulary(gguf).ownTemplate }
      return try Tokenizers.chatFiles(in: path).own
    }
  }
}

extension GGUFVocabulary {
  fileprivate var ownTemplate: OwnTemplate? {
    chatTemplate.map { OwnTemplate(chat: $0, tools: toolTemplate) }
  }
}

extension Tokenizers.ChatFiles {
  package var own: OwnTemplate? { template.map { OwnTemplate(chat: $0, tools: toolTemplate) } }
}
