import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation

/// Writes a PEFT adapter as a GGUF file that llama.cpp puts on a model of the same architecture (`--lora`).
///
/// llama.cpp's scale is `adapter.lora.alpha` / rank. Where the adapter's is another (rsLoRA, patterns of alpha), B is
/// multiplied by their ratio. Source: llama.cpp's convert_lora_to_gguf.py.
public struct GGUFAdapter {
  private let model: GGUFModel
  private let source: ModelSource
  private let file: AdapterFile
  private let type: GGUFType
  /// What the user should know of the files that were read.
  public let notes: [String]

  /// - Parameters:
  ///   - adapter: a PEFT folder.
  ///   - source: the base model, which tells the heads and the names.
  ///   - type: f32, f16 or bf16.
  public init(_ adapter: String, base source: ModelSource, type: GGUFType) throws {
    precondition(type.stored.blockElements == 1, "an adapter in \(type)")
    model = try GGUFModel(source)
    file = try AdapterFile(adapter)
    guard try file.saved.isEmpty && !file.needsOwnBase(model.architecture) else {
      throw FireflyError(
        "an adapter's GGUF file cannot hold whole modules", at: adapter,
        found: file.saved.isEmpty
          ? "tables of the base" : "modules_to_save: \(file.saved.joined(separator: ", "))",
        fix: "Export the model with the adapter merged into it.")
    }
    self.source = source
    self.type = type
    let weights = try MergedWeights(source, adapter: file, base: .original, compute: .float32)
    notes = weights.notes
    for name in source.weights.tensorNames { try weights.checkShape(name) }
  }

  /// - Parameter path: replaced only when the new file is whole.
  public func write(to path: String, overwrite: Bool = false) throws {
    let path = try ConversionOutput.file.checked(path, overwrite: overwrite, inputs: [source.path])
    let metadata: [(key: String, value: GGUFWriter.Value)] = [
      ("general.architecture", .string(model.kind.name)), ("general.type", .string("adapter")),
      ("general.name", .string((file.folder as NSString).lastPathComponent)),
      ("general.file_type", .uint32(type.fileType)), ("adapter.type", .string("lora")),
      ("adapter.lora.alpha", .float32(Float(file.options.alpha))),
    ]
    try GGUFWriter.write(metadata: metadata, try file.modules.flatMap(items), to: path)
  }

  private func items(_ module: String) throws -> [GGUFWriter.Item] {
    let weight = model.architecture.storedName(module + ".weight", in: source.weights)
    let places = try model.places(of: weight)
    guard !places.isEmpty, places.allSatisfy({ $0.expert == nil }) else {
      throw FireflyError("the adapter is for a tensor that GGUF files lack", at: "\(file.folder): \(module)")
    }
    let shape = try source.weights.shape(of: weight)
    let pair = try file.pair(module, inputs: shape[1], outputs: shape[0])
    let rank = pair.a.rows
    return places.flatMap { place in
      [
        GGUFWriter.Item(name: place.name + ".lora_a", shape: [rank, shape[1]], type: type.stored) {
          try encoded(pair.a, module)
        },
        GGUFWriter.Item(
          name: place.name + ".lora_b", shape: [place.rows?.count ?? shape[0], rank], type: type.stored
        ) {
          var b = pair.b.converted(to: .float32)
          Ops.scale(b.matrix, by: pair.scale * Float(rank) / Float(file.options.alpha))
          if let rows = place.rows { b = GGUFModel.gathered(b, rows) }
          if let heads = place.heads { b = GGUFModel.reordered(b, heads: heads) }
          return try encoded(b, module)
        },
      ]
    }
  }

  private func encoded(_ tensor: Tensor, _ module: String) throws -> Tensor {
    let encoded = type.stored.encoded(tensor)
    try encoded.checkFinite("the adapter", at: "\(file.folder): \(module)")
    return encoded
  }
}
