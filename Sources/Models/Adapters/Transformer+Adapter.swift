import FireflyBase
import FireflyTensors
import FireflyWeights
import Foundation

// What hangs on a model's linear layers: fresh, from a file, kept aside.

extension Transformer {
  /// The adapter's settings; nil without one.
  public var adapterOptions: LoRAOptions? { arena.trainable.adapter }

  /// Hangs a fresh adapter on the model: A uniform in ±1/√in (PEFT's kaiming_uniform with a = √5), B zero.
  ///
  /// - Parameter seed: decides A.
  /// - Throws: `FireflyError` for values out of range and for target names the model does not have.
  public func attachAdapter(_ options: LoRAOptions, seed: UInt64) throws {
    try options.validate(for: architecture)
    let arena = ParameterArena(Trainable(architecture, options), on: device)
    let pairs = arena.lowRankPairs
    for (prefix, group) in groups {
      for (index, part) in group.parts.enumerated() {
        guard let (a, b) = pairs[prefix + part.shape.name] else { continue }
        let random = CounterRandom(seed: seed, stream: group.stream << 8 | UInt64(index))
        fill(a.value, bound: 1 / Float(group.inputs).squareRoot(), random)
        b.value.setZero()
      }
    }
    if let head = architecture.adaptableHead, let pair = pairs[head.module] {
      let random = CounterRandom(seed: seed, stream: Head.stream << 8)
      fill(pair.a.value, bound: 1 / Float(head.shape.inputs).squareRoot(), random)
      pair.b.value.setZero()
    }
    for parameter in arena.parameters {
      switch parameter.slot.role {
      case .embedding: Ops.decode(base.embedding.table, into: parameter.value.matrix)
      case .head: Ops.decode(base.head.weight, into: parameter.value.matrix)
      default: break
      }
    }
    hang(arena, options)
  }

  private func fill(_ tensor: Tensor, bound: Float, _ random: CounterRandom) {
    var random = random
    let values = (0..<tensor.count).map { _ in (2 * random.float() - 1) * bound }
    Ops.convert(tensor.matrix, Tensor(values, tensor.shape, on: device).matrix)
  }

  /// Puts the arena's pairs on their linear layers, in place of what is there.
  func hang(_ arena: ParameterArena, _ options: LoRAOptions) {
    let pairs = arena.lowRankPairs
    for (prefix, group) in groups {
      let own = group.parts.map { part in
        let module = prefix + part.shape.name
        return pairs[module].map { (a: $0.a, b: $0.b, scale: options.scale(of: module)) }
      }
      group.adapter = GroupAdapter(own, in: arena, dropout: options.dropout, compute: group.compute)
      group.adapter?.parametersChanged()
    }
    ends = base.training(arena.parameters, compute: compute, isTied: architecture.tiedHead)
    if let module = architecture.adaptableHead?.module, let pair = pairs[module] {
      ends.head.adapter = GroupAdapter(
        [(a: pair.a, b: pair.b, scale: options.scale(of: module))], in: arena, dropout: options.dropout,
        compute: compute)
    }
    ends.parametersChanged()
    self.arena = arena
  }

  /// Takes the adapter off; the base answers alone.
  public func detachAdapter() {
    for (_, group) in groups { group.adapter = nil }
    ends = base
    arena = ParameterArena(.nothing, on: device)
  }
}

// MARK: - Files

extension Transformer {
  /// Hangs the adapter of a PEFT folder on the model. What has no effect in its files is added to `notes`.
  ///
  /// - Parameters:
  ///   - folder: a path, or an adapter's name on a hub, that `LocalModels` finds.
  ///   - dropout: replaces the folder's, for training it further.
  /// - Throws: `FireflyError` for a missing or broken file, a feature that is not supported (by its name), a
  ///   tensor of a wrong shape, tensors that no linear layer of this model takes, and an adapter for which the model has to be
  ///   opened (`Pretrained.open`): one that adds tokens to it, or takes its head and embedding apart.
  public func loadAdapter(_ folder: String, dropout: Float? = nil) throws {
    try loadAdapter(AdapterFile(folder), dropout: dropout, onOwnBase: false)
  }

  /// - Parameter onOwnBase: the model was opened for this adapter, or for one that was trained on the same.
  package func loadAdapter(_ file: AdapterFile, dropout: Float? = nil, onOwnBase: Bool) throws {
    var options = file.options
    if let dropout { options.dropout = dropout }
    guard try onOwnBase || !file.needsOwnBase(architecture) else {
      throw FireflyError(
        "the adapter was trained on other tables, embedding or head, than the model has", at: file.folder,
        fix: "Open the model with this adapter alone (--adapter), or merge the two first.")
    }
    try file.check(for: architecture)
    let linears = architecture.adaptableLinears + (architecture.adaptableHead.map { [$0] } ?? [])
    let modules = Set(file.modules)
    var stored: [String: (a: Tensor, b: Tensor, scale: Float)] = [:]
    for (module, shape) in linears where modules.contains(module) {
      stored[module] = try file.pair(module, inputs: shape.inputs, outputs: shape.outputs)
    }
    let arena = ParameterArena(
      Trainable(architecture, options) { stored[$0] != nil }, on: device)
    for parameter in arena.parameters where parameter.slot.role == .embedding || parameter.slot.role == .head
    {
      let start = try file.tensor(parameter.name, shape: parameter.slot.shape)
      Ops.convert(parameter.value.matrix, start.on(device).matrix)
    }
    for (module, pair) in arena.lowRankPairs {
      guard let start = stored[module] else { continue }
      Ops.convert(pair.a.value.matrix, start.a.on(device).matrix)
      Ops.convert(pair.b.value.matrix, start.b.on(device).matrix)
    }
    hang(arena, options)
    notes += file.notes
  }

  /// Writes the adapter as PEFT does; the folder must exist.
  ///
  /// - Parameter baseModel: `base_model_name_or_path`.
  public func saveAdapter(to folder: String, baseModel: String) throws {
    try saveAdapter(to: folder, baseModel: baseModel, tables: [])
  }

  /// - Parameter tables: the base's that the adapter has to bring: `ModelSource.tables`.
  package func saveAdapter(
    to folder: String, baseModel: String, tables: [(name: String, tensor: Tensor)]
  ) throws {
    let inWhole = architecture.isTextPart
    guard let config = try AdapterConfig.text(arena.trainable, baseModel: baseModel, inWhole: inWhole) else {
      preconditionFailure("the model has no adapter")
    }
    try AtomicFile.write(Data(config.utf8), to: "\(folder)/\(ModelFiles.adapterConfig)")
    var tensors = tables + parameters.map { ($0.name, $0.value) }
    if architecture.tiedHead, let table = parameters.first(where: { $0.slot.role == .embedding }) {
      tensors.append((LoRAOptions.filePrefix + architecture.names.head, table.value))
    }
    if inWhole { tensors = tensors.map { (TextPartNames.wholeName(of: $0.name), $0.tensor) } }
    try SafeTensorsWriter.write(
      tensors, metadata: ["format": "pt"],
      to: "\(folder)/\(ModelFiles.adapterWeights[0])")
  }
}

// MARK: - Several on one base

extension Transformer {
  /// Keeps what hangs on the base now, possibly nothing, under a name, so that `activate` can put it back.
  ///
  /// One base serves several adapters this way: load one, keep it, detach it, load the next.
  public func keepAdapter(as name: String) {
    kept[name] = KeptAdapter(arena: arena, groups: groups.map(\.group.adapter), ends: ends)
  }

  /// The names that something is kept under.
  package var keptAdapters: Set<String> { Set(kept.keys) }

  /// Lets go of what was kept under a name; it must not be what is on the base now.
  package func forgetAdapter(_ name: String) { kept[name] = nil }

  /// Takes out the notes after the first `count`, when they have been told.
  package func takeNotes(after count: Int) -> [String] {
    defer { notes.removeSubrange(count...) }
    return Array(notes[count...])
  }

  /// Puts what was kept under `name` on the base, in place of what is there; nothing is copied or read.
  public func activate(_ name: String) {
    guard let adapter = kept[name] else { preconditionFailure("no adapter was kept as \(name)") }
    for ((_, group), own) in zip(groups, adapter.groups) { group.adapter = own }
    ends = adapter.ends
    arena = adapter.arena
  }
}
