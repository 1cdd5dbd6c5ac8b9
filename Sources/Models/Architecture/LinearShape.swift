import FireflyBase

/// One of a block's linear layers: `[outputs, inputs]`.
package struct LinearShape: Equatable, Sendable {
  /// The module's name within the layer: `self_attn.q_proj`.
  package let name: String
  package let inputs: Int
  package let outputs: Int
  package let hasBias: Bool
  /// The share of the rows that pass through it.
  package var rowShare: Double = 1
  /// NF4 leaves it as it is.
  package var staysWhole = false
  /// Whether PEFT would hang an adapter on it.
  package var takesAdapter = true

  /// Elements of the frozen matrix.
  package var count: Int { inputs * outputs }
}

extension Architecture {
  /// q, k, v: `[C]` to `[H·D + 2·KV·D]`; with short vectors those or q, k and v's, and the keys' turning part.
  var attentionInput: [LinearShape] {
    let sizes =
      latent.map { [$0.queryRank ?? querySize, $0.cachedSize] } ?? [querySize, keyValueSize, keyValueSize]
    return shapes(names.attentionInput, inputs: hiddenSize, outputs: sizes, bias: queryKeyValueBias)
  }

  /// From the queries' short vector to them: `[Q]` to `[H·D]`; nil: there is none.
  var queryUp: LinearShape? {
    guard let latent, let rank = latent.queryRank else { return nil }
    return LinearShape(name: latent.names.queryUp, inputs: rank, outputs: querySize, hasBias: false)
  }

  /// From the short vector of keys and values to them: `[R]` to `[H·(N + DV)]`.
  func keyValueUp(_ latent: LatentHeads) -> LinearShape {
    LinearShape(
      name: latent.names.keyValueUp, inputs: latent.keyValueRank,
      outputs: heads * (latent.plainDim + latent.valueDim), hasBias: false)
  }

  /// o: `[H·DV]` to `[C]`.
  var attentionOutput: LinearShape {
    LinearShape(name: names.attentionOutput, inputs: attendedSize, outputs: hiddenSize, hasBias: outputBias)
  }

  /// The first half's linear layers in the order of the computation, those that read the same input together.
  var attentionGroups: [[LinearShape]] {
    let ups = [queryUp, latent.map(keyValueUp)].compactMap { $0 }
    return [attentionInput] + ups.map { [$0] } + [[attentionOutput]]
  }

  /// gate, up: `[C]` to `[2F]`; up alone: `[C]` to `[F]`.
  var feedForwardInput: [LinearShape] {
    let sizes = [Int](repeating: intermediateSize, count: isGated ? 2 : 1)
    return shapes(names.feedForwardInput, inputs: hiddenSize, outputs: sizes, bias: feedForwardBias)
  }

  /// down: `[F]` to `[C]`.
  var feedForwardOutput: LinearShape {
    LinearShape(
      name: names.feedForwardOutput, inputs: intermediateSize, outputs: hiddenSize, hasBias: feedForwardBias)
  }

  private func shapes(_ names: [String], inputs: Int, outputs: [Int], bias: Bool) -> [LinearShape] {
    let sizes = names.count == 1 ? [outputs.reduce(0, +)] : outputs
    return zip(names, sizes).map { LinearShape(name: $0, inputs: inputs, outputs: $1, hasBias: bias) }
  }

  /// A block's linear layers in the order of the computation, those that read the same input together.
  func linearGroups(_ layer: Int) -> [[LinearShape]] {
    attentionGroups + feedForwardGroups(layer)
  }

  /// Those of its second half.
  func feedForwardGroups(_ layer: Int) -> [[LinearShape]] {
    experts(layer).map { linearGroups(of: $0) } ?? [feedForwardInput, [feedForwardOutput]]
  }

  /// A block's linear layers, in the order of the computation.
  package func linears(_ layer: Int) -> [LinearShape] { linearGroups(layer).flatMap { $0 } }

  /// The one that a block leaves out where it is computed again for its gradients, as none of them needs what it gives; nil:
  /// there is none, because a norm or weights of experts come behind.
  package func unrepeatedLinear(_ layer: Int) -> LinearShape? {
    names.feedForwardOutputNorm == nil && experts(layer) == nil ? feedForwardOutput : nil
  }

  /// Those of all blocks.
  package var allLinears: [LinearShape] { (0..<layers).flatMap { linears($0) } }

  /// Those that an adapter can be hung on, with their full names: `model.layers.0.self_attn.q_proj`.
  var adaptableLinears: [(module: String, shape: LinearShape)] {
    (0..<layers).flatMap { layer in
      linears(layer).filter(\.takesAdapter).map { (names.prefix(layer) + $0.name, $0) }
    }
  }
}

// MARK: - The head

extension Architecture {
  /// The head as a layer that an adapter can be hung on where it is named; nil where PEFT would find no linear layer there.
  var adaptableHead: (module: String, shape: LinearShape)? {
    guard !normalizedHead else { return nil }
    let module = names.module(names.head)
    return (module, LinearShape(name: module, inputs: hiddenSize, outputs: vocabularySize, hasBias: false))
  }

  /// Every linear layer that an adapter may be for.
  private var possibleModules: [(module: String, shape: LinearShape)] {
    adaptableLinears + (adaptableHead.map { [$0] } ?? [])
  }

  /// Checks that each of an adapter's pairs is for a linear layer of the model.
  ///
  /// - Parameter folder: the adapter, for messages.
  /// - Throws: `FireflyError` naming the first that is not.
  package func checkPairs(_ modules: [String], of folder: String) throws {
    let known = Set(possibleModules.map(\.module))
    guard let stranger = modules.first(where: { !known.contains($0) }) else { return }
    let isHead = stranger + ".weight" == names.head
    throw FireflyError(
      isHead
        ? "this model's head is no plain linear layer, so it can have no adapter"
        : "the adapter is for a linear layer that this model does not have", at: "\(folder): \(stranger)",
      expected: isHead
        ? nil
        : nearestName(to: stranger, among: known) ?? "names like \(adaptableLinears.first?.module ?? "")",
      fix: isHead ? nil : "Use the adapter with the base model that it was trained on.")
  }
}

// MARK: - Experts

extension Architecture {
  /// The experts of `layer`; nil where it is dense.
  func experts(_ layer: Int) -> Experts? { experts.flatMap { $0.layers.contains(layer) ? $0 : nil } }

  /// The router, and beside it the shared expert's gate: `[C]` to `[E]`, or `[E + 1]`.
  func routerLinears(_ experts: Experts) -> [LinearShape] {
    let router = LinearShape(
      name: experts.names.router, inputs: hiddenSize, outputs: experts.count, hasBias: experts.bias,
      staysWhole: true,
      takesAdapter: experts.names.routerTakesAdapter)
    let gate = experts.names.sharedGate.map {
      LinearShape(name: $0, inputs: hiddenSize, outputs: 1, hasBias: false, staysWhole: true)
    }
    return [router] + (gate.map { [$0] } ?? [])
  }

  /// gate and up, then down, of one expert; it sees a share of the rows.
  func expertLinears(_ experts: Experts, _ index: Int) -> (input: [LinearShape], output: LinearShape) {
    linears(
      "\(experts.names.expert)\(index).", experts, size: experts.intermediateSize,
      share: Double(experts.perRow) / Double(experts.count))
  }

  /// The same of the expert that every row goes through; nil: there is none.
  func sharedLinears(_ experts: Experts) -> (input: [LinearShape], output: LinearShape)? {
    guard let prefix = experts.names.shared, let size = experts.sharedSize else { return nil }
    return linears(prefix, experts, size: size, share: 1)
  }

  private func linears(
    _ prefix: String, _ experts: Experts, size: Int, share: Double
  ) -> (input: [LinearShape], output: LinearShape) {
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> LinearShape {
      LinearShape(
        name: prefix + name, inputs: inputs, outputs: outputs, hasBias: experts.bias, rowShare: share,
        takesAdapter: experts.names.expertsTakeAdapters)
    }
    return (
      experts.names.input.map { linear($0, hiddenSize, size) },
      linear(experts.names.output, size, hiddenSize)
    )
  }

  /// F of all that a row goes through in a layer; the largest over the layers' kinds.
  package var widestFeedForward: Int {
    guard let experts else { return intermediateSize }
    return max(intermediateSize, experts.perRow * experts.intermediateSize + (experts.sharedSize ?? 0))
  }

  /// All linear layers of a layer's experts, as `linearGroups` has them.
  private func linearGroups(of experts: Experts) -> [[LinearShape]] {
    let each =
      (0..<experts.count).map { expertLinears(experts, $0) } + (sharedLinears(experts).map { [$0] } ?? [])
    return [routerLinears(experts)] + each.flatMap { [$0.input, [$0.output]] }
  }
}
