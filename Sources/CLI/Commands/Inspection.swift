import FireflyBase
import FireflyHub
import FireflyWeights
import Foundation

/// What is in a model, adapter, checkpoint or weights file.
struct Inspection {
  let path: String
  /// "model", "adapter", "checkpoint", "GGUF", "safetensors" or "PyTorch state dict".
  let kind: String
  /// The facts worth a line each, in the order shown.
  var facts: [(name: String, value: JSONValue)] = []
  var tensors: [TensorInfo] = []

  /// - Throws: `FireflyError` when nothing that Firefly knows is there, or it is damaged.
  init(_ name: String) throws {
    let path = try LocalModels().path(of: name, for: .anything)
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    self = isFolder.boolValue ? try Inspection.folder(path) : try Inspection.file(path)
  }

  private init(_ path: String, kind: String) {
    self.path = path
    self.kind = kind
  }

  private static func file(_ path: String) throws -> Inspection {
    if path.lowercased().hasSuffix(".gguf") { return try gguf(path) }
    let kinds = [".safetensors": "safetensors", ".bin": "PyTorch state dict"]
    guard let kind = kinds.first(where: { path.hasSuffix($0.key) })?.value else {
      throw FireflyError(
        "not a kind of file that can be inspected", at: path,
        expected: "a folder, .gguf, .safetensors or .bin")
    }
    var inspection = Inspection(path, kind: kind)
    inspection.addTensors(of: try WeightStore.open(path))
    return inspection
  }

  private static func gguf(_ path: String) throws -> Inspection {
    let file = try GGUFFile(path)
    var inspection = Inspection(path, kind: "GGUF")
    inspection.tensors = file.tensors
    for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) {
      inspection.facts.append((key, brief(value)))
    }
    return inspection
  }

  private static func folder(_ path: String) throws -> Inspection {
    let has = { (name: String) in FileManager.default.fileExists(atPath: "\(path)/\(name)") }
    if has("trainer_state.json") || has(ModelFiles.adapterConfig) {
      var inspection = Inspection(path, kind: has("trainer_state.json") ? "checkpoint" : "adapter")
      try inspection.addState()
      try inspection.addAdapter()
      return inspection
    }
    guard has(ModelFiles.config) else {
      throw FireflyError(
        "nothing that Firefly knows is in this folder", at: path,
        expected: "\(ModelFiles.config), \(ModelFiles.adapterConfig) or trainer_state.json")
    }
    let source = try ModelSource.open(path)
    var inspection = Inspection(path, kind: "model")
    inspection.addAll(source.config, prefix: "")
    if let generation = source.generationConfig { inspection.addAll(generation, prefix: "generation.") }
    inspection.addTensors(of: source.weights)
    return inspection
  }

  private mutating func addTensors(of store: WeightStore) {
    tensors += store.names.compactMap(store.info)
  }

  private mutating func addAdapter() throws {
    let config = "\(path)/\(ModelFiles.adapterConfig)"
    guard FileManager.default.fileExists(atPath: config) else { return }
    addAll(try JSONValue.read(config), prefix: "")
    let weights = ModelFiles.adapterWeights.map { "\(path)/\($0)" }
    if let file = weights.first(where: FileManager.default.fileExists) {
      addTensors(of: try WeightStore.open(file))
    }
  }

  /// How far a training run came, from transformers' trainer_state.json.
  private mutating func addState() throws {
    let file = "\(path)/trainer_state.json"
    guard FileManager.default.fileExists(atPath: file) else { return }
    let state = try JSONValue.read(file)
    for key in ["global_step", "max_steps", "epoch", "num_train_epochs"] {
      if let value = state[key] { facts.append((key, value)) }
    }
    if let last = state["log_history"]?.array?.last(where: { $0["loss"] != nil }) {
      facts.append(("last logged loss", last["loss"] ?? .null))
    }
  }

  private mutating func addAll(_ object: JSONValue, prefix: String) {
    for (key, value) in (object.object ?? [:]).sorted(by: { $0.key < $1.key }) where value != .null {
      facts.append((prefix + key, value))
    }
  }

  /// The value as JSON, a long list as its length.
  private static func brief(_ value: GGUFValue) -> JSONValue {
    if let count = value.count, count > 8 { return .string("\(count) elements") }
    if let list = value.array { return .array(list.map(brief)) }
    if let flag = value.bool { return .bool(flag) }
    if let number = value.int { return .int(number) }
    if let number = value.double { return .double(number) }
    return .string(value.string ?? "")
  }
}

// MARK: - Sums

extension Inspection {
  /// Elements stored. For packed 4-bit weights, whose bytes hold two each, that is not the parameter count.
  var elements: Int { tensors.reduce(0) { $0 + $1.shape.reduce(1, *) } }
  var byteCount: Int { tensors.reduce(0) { $0 + $1.range.count } }

  /// Parameters of the model: elements of its weights, two for each packed byte, the scales left out.
  var parameters: Int {
    let packed = Set(tensors.map(\.name).filter { $0.hasSuffix(".absmax") }.map { $0.dropLast(7) })
    return tensors.reduce(0) { sum, tensor in
      let count = tensor.shape.reduce(1, *)
      if packed.contains(Substring(tensor.name)) { return sum + 2 * count }
      return packed.contains { tensor.name.hasPrefix($0 + ".") } ? sum : sum + count
    }
  }

  /// How many tensors and bytes there are of each stored type.
  var types: [(type: StoredType, count: Int, bytes: Int)] {
    Dictionary(grouping: tensors, by: \.type).map { type, list in
      (type, list.count, list.reduce(0) { $0 + $1.range.count })
    }.sorted { $0.bytes > $1.bytes }
  }
}
