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
    try GGUFWriter.write(metadata: metadata, try items(), to: path)
  }

  /// A pair for each matrix of the file; those of a layer's experts lie in one.
  private func items() throws -> [GGUFWriter.Item] {
    var items: [GGUFWriter.Item] = []
    var experts: [String: [Int: String]] = [:]
    for module in file.modules {
      let places = try model.places(of: weight(module))
      guard !places.isEmpty else {
        throw FireflyError(
          "the adapter is for a tensor that GGUF files lack", at: "\(file.folder): \(module)")
      }
      for place in places {
        try requireUse(place, of: module)
        if let expert = place.expert {
          experts[place.name, default: [:]][expert] = module
        } else {
          items += try pair(place, module)
        }
      }
    }
    return try experts.keys.sorted().reduce(into: items) { $0 += try pairs($1, experts[$1] ?? [:]) }
  }

  /// Refuses what llama.cpp would load and never use.
  private func requireUse(_ place: GGUFModel.Place, of module: String) throws {
    let name = place.name.split(separator: ".").dropLast().last.map(String.init) ?? ""
    guard model.kind.given.withoutAdapters.contains(name) else { return }
    throw FireflyError(
      "llama.cpp uses no adapter on this matrix of \(model.kind.name)", at: "\(file.folder): \(module)",
      fix: "Export the model with the adapter merged into it.")
  }

  private func weight(_ module: String) -> String {
    model.architecture.storedName(module + ".weight", in: source.weights)
  }

  private func pair(_ place: GGUFModel.Place, _ module: String) throws -> [GGUFWriter.Item] {
    let shape = try source.weights.shape(of: weight(module))
    let rank = file.options.rank(of: module)
    return [
      GGUFWriter.Item(name: place.name + ".lora_a", shape: [rank, shape[1]], type: type.stored) {
        try a(module, shape)
      },
      GGUFWriter.Item(
        name: place.name + ".lora_b", shape: [place.rows?.count ?? shape[0], rank], type: type.stored
      ) { try b(module, shape, place) },
    ]
  }

  /// The pairs of a layer's experts, one behind the other; an expert without one gets zeros.
  ///
  /// - Parameter modules: the adapter's, by the expert's number.
  private func pairs(_ name: String, _ modules: [Int: String]) throws -> [GGUFWriter.Item] {
    guard let count = model.architecture.experts?.count, let module = modules.values.min() else { return [] }
    let (shape, rank) = (try source.weights.shape(of: weight(module)), file.options.rank(of: module))
    if let other = modules.values.sorted().first(where: { file.options.rank(of: $0) != rank }) {
      throw FireflyError(
        "an adapter's GGUF file has one rank for all experts of a layer", at: "\(file.folder): \(other)",
        expected: "\(rank)", found: "\(file.options.rank(of: other))",
        fix: "Export the model with the adapter merged into it.")
    }
    func item(_ part: String, _ size: [Int], _ make: @escaping (String) throws -> Tensor) -> GGUFWriter.Item {
      let pieces = (0..<count).map { expert in
        WrittenPiece {
          try modules[expert].map(make) ?? type.stored.encoded(Tensor.zeros(size, .float32))
        }
      }
      return GGUFWriter.Item(name: name + part, shape: [count] + size, type: type.stored, pieces: pieces)
    }
    let place = GGUFModel.Place(name: name)
    return [
      item(".lora_a", [rank, shape[1]]) { try a($0, shape) },
      item(".lora_b", [shape[0], rank]) { try b($0, shape, place) },
    ]
  }

  private func a(_ module: String, _ shape: [Int]) throws -> Tensor {
    try encoded(file.pair(module, inputs: shape[1], outputs: shape[0]).a, module)
  }

  /// In the order of the file's rows, and scaled for llama.cpp.
  private func b(_ module: String, _ shape: [Int], _ place: GGUFModel.Place) throws -> Tensor {
    let pair = try file.pair(module, inputs: shape[1], outputs: shape[0])
    var b = pair.b.converted(to: .float32)
    Ops.scale(b.matrix, by: pair.scale * Float(pair.a.rows) / Float(file.options.alpha))
    if let rows = place.rows { b = GGUFModel.gathered(b, rows) }
    if let heads = place.heads { b = GGUFModel.reordered(b, heads: heads) }
    return try encoded(b, module)
  }

  private func encoded(_ tensor: Tensor, _ module: String) throws -> Tensor {
    let encoded = type.stored.encoded(tensor)
    try encoded.checkFinite("the adapter", at: "\(file.folder): \(module)")
    return encoded
  }
}
