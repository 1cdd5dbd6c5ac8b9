import Foundation

/// Lays parameters out in an arena, group after group.
struct ArenaLayout {
  private(set) var slots: [ParameterSlot] = []
  /// Elements laid out so far, up to the next cache line.
  private(set) var end = 0

  /// Elements of a cache line of 64 bytes in float32.
  private static let line = 16

  private static func aligned(_ count: Int) -> Int { (count + line - 1) / line * line }

  /// Pairs on linear layers that read the same input.
  ///
  /// The A's lie one under another, `[Σr, in]`, so that they are one matrix; then each B on lines of its own.
  mutating func addPairs(
    on linears: [(module: String, shape: LinearShape)], layer: Int?, _ options: LoRAOptions
  ) {
    let ranks = linears.map { options.rank(of: $0.module) }
    var a = end
    var b = zip(linears, ranks).reduce(end) { $0 + $1.1 * $1.0.shape.inputs }
    for (linear, rank) in zip(linears, ranks) {
      let name = LoRAOptions.filePrefix + linear.module
      b = ArenaLayout.aligned(b)
      a = add(name + ".lora_A.weight", [rank, linear.shape.inputs], .lowRankA, linear, layer, at: a)
      b = add(name + ".lora_B.weight", [linear.shape.outputs, rank], .lowRankB, linear, layer, at: b)
    }
    end = ArenaLayout.aligned(b)
  }

  /// Returns where the slot ends.
  private mutating func add(
    _ name: String, _ shape: [Int], _ role: ParameterSlot.Role,
    _ linear: (module: String, shape: LinearShape), _ layer: Int?, at start: Int
  ) -> Int {
    let range = start..<start + shape.reduce(1, *)
    slots.append(
      ParameterSlot(
        name: name, shape: shape, role: role, layer: layer, module: linear.module,
        rowShare: linear.shape.rowShare, isDecayed: true, range: range))
    return range.upperBound
  }

  /// A module that is trained whole beside the pairs, under the name that PEFT's files have.
  mutating func addSaved(_ module: String, _ shape: [Int], _ role: ParameterSlot.Role) {
    addTensor(LoRAOptions.filePrefix + module + ".weight", shape, role)
  }

  // MARK: - The model's own weights

  /// Norms and linear layers in the order of the computation.
  mutating func addBlock(_ layer: Int, _ architecture: Architecture) {
    let (names, prefix) = (architecture.names, architecture.names.prefix(layer))
    func addNorms(_ modules: String?...) {
      for module in modules { if let module { addNorm(prefix + module, architecture, layer) } }
    }
    addNorms(names.attentionNorm)
    let attention = architecture.attentionGroups
    for linear in attention[0] { addLinear(linear, prefix, layer) }
    for norm in architecture.headNorms + (architecture.latent?.norms ?? []) {
      addNorm(prefix + norm.name, architecture, layer, size: norm.size)
    }
    if let sinks = architecture.sinks {
      addTensor(prefix + sinks, [architecture.heads], .sinks, layer: layer)
    }
    for linear in attention.dropFirst().joined() { addLinear(linear, prefix, layer) }
    addNorms(names.attentionOutputNorm, names.feedForwardNorm)
    for linear in architecture.feedForwardGroups(layer).joined() { addLinear(linear, prefix, layer) }
    addNorms(names.feedForwardOutputNorm)
  }

  private mutating func addLinear(_ linear: LinearShape, _ prefix: String, _ layer: Int) {
    let module = prefix + linear.name
    addTensor(
      module + ".weight", [linear.outputs, linear.inputs], .weight, layer: layer, share: linear.rowShare)
    if linear.hasBias {
      addTensor(module + ".bias", [linear.outputs], .bias, layer: layer, share: linear.rowShare)
    }
  }

  /// - Parameter size: nil: the residual stream's.
  mutating func addNorm(
    _ module: String, _ architecture: Architecture, _ layer: Int? = nil, size: Int? = nil
  ) {
    let isLayerNorm = architecture.norm == .layer
    let isDecayed = !isLayerNorm && !ArenaLayout.isNamedNorm(module)
    let shape = [size ?? architecture.hiddenSize]
    addTensor(module + ".weight", shape, .normWeight, layer: layer, isDecayed: isDecayed)
    if isLayerNorm { addTensor(module + ".bias", shape, .normBias, layer: layer) }
  }

  /// Whether transformers' Trainer takes the module for a norm by its name, and so leaves its weight undecayed. Of other
  /// names it knows LayerNorm alone by its class: the RMSNorms of Qwen (`ln_1`) and the first Yi (`ln1`) decay there.
  private static func isNamedNorm(_ module: String) -> Bool {
    let name = module.lowercased()
    return name.contains("layernorm") || name.contains("rmsnorm")
      || name.split(separator: ".").contains { $0 == "norm" || $0.hasSuffix("_norm") }
  }

  /// A tensor on cache lines of its own. Biases do not decay.
  mutating func addTensor(
    _ name: String, _ shape: [Int], _ role: ParameterSlot.Role, layer: Int? = nil, share: Double = 1,
    isDecayed: Bool = true
  ) {
    let range = end..<end + shape.reduce(1, *)
    slots.append(
      ParameterSlot(
        name: name, shape: shape, role: role, layer: layer, module: (name as NSString).deletingPathExtension,
        rowShare: share, isDecayed: isDecayed && role != .bias && role != .normBias, range: range))
    end = ArenaLayout.aligned(range.upperBound)
  }
}
