import FireflyBase
import FireflyHub
import FireflyTensors
import FireflyWeights
import Foundation

// An adapter folder of PEFT: adapter_config.json beside adapter_model.safetensors (or .bin), whose tensors are
// `base_model.model.<module>.lora_A.weight` [r, in] and `….lora_B.weight` [out, r].

/// A PEFT folder, checked.
package struct AdapterFile {
  package let folder: String
  package let options: LoRAOptions
  let store: WeightStore
  /// Modules that have an A and a B and are targets, sorted.
  package let modules: [String]
  /// All that have an A and a B.
  private let stored: [String]
  /// Whether some pairs are of parameters and not of modules: `target_parameters`.
  package let hasParameters: Bool
  /// A line for each thing in the files that has no effect, for the user to read.
  package let notes: [String]
  /// Modules that are there whole, for those of the base.
  package var saved: [String] { tables.trained }
  /// The base's tables that the adapter brings.
  let tables: AdapterTables
  /// The tokens whose rows it trains by themselves; nil: none.
  package let tokens: TokenIndices?

  /// - Parameter name: a path, or an adapter's name on a hub.
  package init(_ name: String) throws {
    let folder = try LocalModels().path(of: name, for: .adapter)
    self.folder = folder
    guard FileManager.default.fileExists(atPath: "\(folder)/\(ModelFiles.adapterConfig)") else {
      throw FireflyError(
        "the folder is not an adapter", at: folder,
        expected: "\(ModelFiles.adapterConfig) and an adapter's weights")
    }
    let config = try AdapterConfig("\(folder)/\(ModelFiles.adapterConfig)")
    let pairs = try ParameterPairs(AdapterFile.weights(in: folder), config.targets, config.options)
    let names = try TextPartNames(pairs.store)
    store = names?.store ?? pairs.store
    tables = try AdapterTables(store.names, config.options, at: store.path)
    tokens = config.tokens
    stored = try AdapterFile.modules(tables.others, store.path)
    let fileName = { (module: String) in names?.fileName(of: module) ?? module }
    let parameter = { (module: String) in pairs.parameter(of: fileName(module)) }
    let modules = stored.filter { parameter($0) != nil || config.targets.contains(fileName($0)) }
    let chosen = Set(modules)
    hasParameters = modules.contains { parameter($0) != nil }
    var options = config.options
    if names != nil || hasParameters {
      try options.resolvePatterns(modules.map { (parameter($0) ?? fileName($0), $0) })
    }
    if config.targets.isNarrowed || !modules.allSatisfy(options.targets) { options.targetModules = modules }
    (self.modules, self.options) = (modules, options)
    notes =
      config.notes + (names?.notes ?? [])
      + AdapterFile.strangers(stored.filter { !chosen.contains($0) }, store.path)
    let whole = tables.trained
    if let missing = options.modulesToSave.first(where: { name in
      !whole.contains { LoRAOptions.matches($0, name) }
    }) {
      throw FireflyError(
        "the adapter's weights lack a module of \"modules_to_save\"", at: store.path,
        expected: "\(missing).weight")
    }
    guard (tokens == nil) == tables.tokenRows.isEmpty else {
      throw FireflyError(
        "the adapter's weights and \"trainable_token_indices\" do not belong together", at: store.path,
        found: tables.tokenRows.values.min() ?? "no rows of tokens")
    }
  }

  /// Checks that the adapter is for linear layers and whole modules that the model has.
  ///
  /// - Throws: `FireflyError` naming the first that it has not.
  package func check(for architecture: Architecture) throws {
    try architecture.checkPairs(stored, of: folder)
    try checkTables(of: architecture)
    for module in saved {
      try architecture.checkSaved(module, ties: options.tiesSaved, at: "\(folder): \(module)")
    }
    guard !modules.isEmpty || !tables.modules.isEmpty else {
      throw FireflyError(
        "the adapter holds no tensors of the modules that adapter_config.json targets", at: store.path,
        found: stored.first ?? "none")
    }
  }

  /// As PEFT, an adapter's tensors do not count where its configuration gives their modules no pair.
  private static func strangers(_ modules: [String], _ path: String) -> [String] {
    guard let first = modules.first else { return [] }
    return [
      "\(path): pairs of \(modules.count) modules that adapter_config.json does not target have no effect "
        + "(\(first)\(modules.count > 1 ? ", …" : ""))"
    ]
  }

  /// The tensors of a PEFT folder, as they are.
  ///
  /// - Throws: `FireflyError` when they are missing or damaged.
  package static func weights(in folder: String) throws -> WeightStore {
    let paths = ModelFiles.adapterWeights.map { "\(folder)/\($0)" }
    guard let path = paths.first(where: FileManager.default.fileExists) else {
      throw FireflyError(
        "the adapter's weights are missing", at: folder,
        expected: ModelFiles.adapterWeights.joined(separator: ", or of older PEFT "))
    }
    return try WeightStore.open(path)
  }

  /// A module's whole weight in float32, by its full name in the file.
  package func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    try store.tensor(name, shape: shape, as: .float32)
  }

  /// The weight of one of `saved`.
  package func savedWeight(_ module: String, shape: [Int]) throws -> Tensor {
    try tensor(AdapterFile.savedName(module), shape: shape)
  }

  /// Some rows of it: one of the `savedStrips`.
  package func savedWeight(_ module: String, shape: [Int], rows: Range<Int>) throws -> Tensor {
    try store.tensor(AdapterFile.savedName(module), shape: shape, rows: rows, as: .float32)
  }

  /// Its rows as `WeightStore.strips` gives them.
  package func savedStrips(_ module: String, heads: Int?) throws -> [Range<Int>] {
    try store.strips(of: AdapterFile.savedName(module), heads: heads)
  }

  /// Lets go of the file's pages that hold it.
  package func releaseSaved(_ module: String) { store.release(AdapterFile.savedName(module)) }

  private static func savedName(_ module: String) -> String { LoRAOptions.filePrefix + module + ".weight" }

  private static func modules(_ names: [String], _ path: String) throws -> [String] {
    var parts: [String: Set<String>] = [:]
    for name in names {
      let suffix = [".lora_A.weight", ".lora_B.weight"].first { name.hasSuffix($0) }
      guard name.hasPrefix(LoRAOptions.filePrefix), let suffix else {
        let isBias = name.hasSuffix(".bias") && !name.contains(".lora_")
        throw FireflyError(
          "unsupported tensor in an adapter", at: path,
          expected: "\(LoRAOptions.filePrefix)….lora_A.weight or ….lora_B.weight",
          found: name,
          fix: isBias ? "Merge the adapter with PEFT: it has trained biases of the base (\"bias\")." : nil)
      }
      parts[String(name.dropFirst(LoRAOptions.filePrefix.count).dropLast(suffix.count)), default: []].insert(
        suffix)
    }
    if let lonely = parts.first(where: { $0.value.count != 2 }) {
      throw FireflyError(
        "an adapter needs lora_A and lora_B", at: "\(path): \(lonely.key)",
        found: lonely.value.sorted().joined(separator: ", "))
    }
    return parts.keys.sorted()
  }

  /// A module's A [r, in] and B [out, r] in float32, and the scale of their product.
  package func pair(
    _ module: String, inputs: Int, outputs: Int
  ) throws -> (a: Tensor, b: Tensor, scale: Float) {
    let rank = options.rank(of: module)
    let name = LoRAOptions.filePrefix + module
    return (
      try store.tensor(name + ".lora_A.weight", shape: [rank, inputs], as: .float32),
      try store.tensor(name + ".lora_B.weight", shape: [outputs, rank], as: .float32),
      options.scale(of: module)
    )
  }
}
