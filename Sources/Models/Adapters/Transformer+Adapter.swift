import FireflyBase
import FireflyTensors
import FireflyWeights
import Foundation

// What hangs on a model's linear layers: fresh, from a file, kept aside.

extension Transformer {
  /// Full names of the linear layers an adapter can be hung on: `model.layers.0.self_attn.q_proj`.
  var linearNames: [String] {
    groups.flatMap { prefix, group in group.parts.filter(\.takesAdapter).map { prefix + $0.name } }
  }

  /// Hangs a fresh adapter on the model: A uniform in ±1/√in (PEFT's kaiming_uniform with a = √5), B zero.
  ///
  /// - Parameter seed: decides A.
  /// - Throws: `FireflyError` for values out of range and for target names the model does not have.
  public func attachAdapter(_ options: LoRAOptions, seed: UInt64) throws {
    try options.validate(modules: linearNames)
    for (prefix, group) in groups {
      var initial: [String: LinearGroup.Initial] = [:]
      for (index, part) in group.parts.enumerated()
      where part.takesAdapter && options.targets(prefix + part.name) {
        let rank = options.rank(of: prefix + part.name)
        let stream = group.stream << 8 | UInt64(index)
        initial[part.name] = LinearGroup.Initial(
          rank: rank, scale: options.scale(of: prefix + part.name),
          a: uniform([rank, group.inputs], bound: 1 / Float(group.inputs).squareRoot(), seed, stream),
          b: .zeros([part.outputs, rank], .float32))
      }
      group.attach(initial, dropout: options.dropout, prefix: "base_model.model." + prefix)
    }
    adapterOptions = options
  }

  private func uniform(_ shape: [Int], bound: Float, _ seed: UInt64, _ stream: UInt64) -> Tensor {
    var random = CounterRandom(seed: seed, stream: stream)
    let values = (0..<shape.reduce(1, *)).map { _ in (2 * random.float() - 1) * bound }
    return Tensor(values, shape)
  }

  /// Takes the adapter off; the base answers alone.
  public func detachAdapter() {
    for (_, group) in groups { group.detach() }
    adapterOptions = nil
  }
}

// MARK: - Files

extension Transformer {
  /// Hangs the adapter of a PEFT folder on the model.
  ///
  /// - Throws: `FireflyError` for a missing or broken file, a feature that is not supported (by its name), a
  ///   tensor of a wrong shape, and tensors that no linear layer of this model takes.
  public func loadAdapter(_ folder: String) throws {
    let file = try AdapterFile(folder)
    var remaining = Set(file.modules)
    var attachments: [(LinearGroup, [String: LinearGroup.Initial], String)] = []
    for (prefix, group) in groups {
      var initial: [String: LinearGroup.Initial] = [:]
      for part in group.parts where part.takesAdapter && remaining.remove(prefix + part.name) != nil {
        initial[part.name] = try file.initial(prefix + part.name, inputs: group.inputs, outputs: part.outputs)
      }
      attachments.append((group, initial, "base_model.model." + prefix))
    }
    if let stranger = remaining.sorted().first {
      throw FireflyError(
        "the adapter is for a linear layer that this model does not have", at: "\(folder): \(stranger)",
        expected: "names like \(linearNames.first ?? "")",
        fix: "Use the adapter with the base model that it was trained on.")
    }
    for (group, initial, prefix) in attachments {
      group.attach(initial, dropout: file.options.dropout, prefix: prefix)
    }
    adapterOptions = file.options
  }

  /// Writes the adapter as PEFT does; the folder must exist.
  ///
  /// - Parameter baseModel: `base_model_name_or_path`.
  public func saveAdapter(to folder: String, baseModel: String) throws {
    guard let options = adapterOptions else { preconditionFailure("the model has no adapter") }
    try AtomicFile.write(
      Data(adapterConfig(options, baseModel).text(indent: 2).utf8), to: folder + "/adapter_config.json")
    try SafeTensorsWriter.write(
      parameters.map { ($0.name, $0.value) }, metadata: ["format": "pt"],
      to: folder + "/adapter_model.safetensors")
  }

  /// The keys that every PEFT since 0.4 reads; newer ones only where they differ from their defaults.
  private func adapterConfig(_ options: LoRAOptions, _ baseModel: String) -> JSONValue {
    let leaves = Set(
      groups.flatMap { prefix, group in
        group.parts.filter { $0.adapter != nil }.compactMap {
          $0.name.split(separator: ".").last.map(String.init)
        }
      })
    let targets = options.targetModules ?? leaves.sorted()
    var config: [String: JSONValue] = [
      "auto_mapping": .null, "base_model_name_or_path": .string(baseModel), "bias": .string("none"),
      "fan_in_fan_out": .bool(false), "inference_mode": .bool(true), "init_lora_weights": .bool(true),
      "layers_pattern": .null, "layers_to_transform": .null, "lora_alpha": Transformer.number(options.alpha),
      "lora_dropout": .double(Double("\(options.dropout)") ?? 0), "modules_to_save": .null,
      "peft_type": .string("LORA"), "r": .int(options.rank), "revision": .null,
      "target_modules": .array(targets.map(JSONValue.string)), "task_type": .string("CAUSAL_LM"),
    ]
    if options.rsLoRA { config["use_rslora"] = .bool(true) }
    if !options.rankPattern.isEmpty {
      config["rank_pattern"] = .object(options.rankPattern.mapValues(JSONValue.int))
    }
    if !options.alphaPattern.isEmpty {
      config["alpha_pattern"] = .object(options.alphaPattern.mapValues(Transformer.number))
    }
    return .object(config)
  }

  private static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map(JSONValue.int) ?? .double(value)
  }
}

// MARK: - Several on one base

extension Transformer {
  /// Keeps what hangs on the base now, possibly nothing, under a name, so that `activate` can put it back.
  ///
  /// One base serves several adapters this way: load one, keep it, detach it, load the next.
  public func keepAdapter(as name: String) {
    kept[name] = KeptAdapter(options: adapterOptions, groups: groups.map(\.group.attached))
  }

  /// Puts what was kept under `name` on the base, in place of what is there; nothing is copied or read.
  public func activate(_ name: String) {
    guard let adapter = kept[name] else { preconditionFailure("no adapter was kept as \(name)") }
    for ((_, group), attached) in zip(groups, adapter.groups) { group.attached = attached }
    adapterOptions = adapter.options
  }
}
