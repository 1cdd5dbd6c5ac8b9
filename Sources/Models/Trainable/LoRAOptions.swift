import FireflyBase

/// Settings of a low-rank adapter (LoRA, Hu et al., 2021), with PEFT's meanings.
public struct LoRAOptions: Equatable, Sendable {
  /// r, at least 1.
  public var rank: Int
  public var alpha: Double
  /// Probability that an element of an adapter's input is dropped in training, 0 ≤ p < 1.
  public var dropout: Float
  /// Names as in PEFT (`q_proj`, or a longer path's end); nil: every linear layer but the head.
  public var targetModules: [String]?
  /// Scale α/√r instead of α/r (rsLoRA, Kalajdzievski, 2023).
  public var rsLoRA: Bool
  /// Ranks and alphas of modules that differ.
  public var rankPattern: ModulePatterns<Int>
  public var alphaPattern: ModulePatterns<Double>
  /// Modules that are trained whole beside the pairs, by the end of their path: the embedding, an own head.
  public var modulesToSave: [String]
  /// Whether a head that is the embedding stays so where `modulesToSave` names one of them: PEFT's `ensure_weight_tying`.
  public var tiesSaved: Bool

  public init(
    rank: Int = 64, alpha: Double = 16, dropout: Float = 0.05, targetModules: [String]? = nil,
    rsLoRA: Bool = false, rankPattern: ModulePatterns<Int> = ModulePatterns(),
    alphaPattern: ModulePatterns<Double> = ModulePatterns(), modulesToSave: [String] = [],
    tiesSaved: Bool = false
  ) {
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targetModules = targetModules
    self.rsLoRA = rsLoRA
    self.rankPattern = rankPattern
    self.alphaPattern = alphaPattern
    self.modulesToSave = modulesToSave
    self.tiesSaved = tiesSaved
  }

  /// What PEFT's files put before a module's name.
  static let filePrefix = "base_model.model."

  /// Whether `name`, or a path ending in `.name`, is `module`.
  static func matches(_ module: String, _ name: String) -> Bool {
    module == name || module.hasSuffix("." + name)
  }

  func targets(_ module: String) -> Bool { targetModules == nil || names(module) }

  /// Whether the module is among those that are named: the head has a pair only then.
  func names(_ module: String) -> Bool {
    targetModules?.contains { LoRAOptions.matches(module, $0) } ?? false
  }

  func saves(_ module: String) -> Bool { modulesToSave.contains { LoRAOptions.matches(module, $0) } }

  /// Of a module's pair.
  package func rank(of module: String) -> Int {
    rankPattern.value(of: module) ?? rank
  }

  func scale(of module: String) -> Float {
    let alpha = alphaPattern.value(of: module) ?? alpha
    let rank = Double(rank(of: module))
    return Float(alpha / (rsLoRA ? rank.squareRoot() : rank))
  }

  /// Puts in place of the patterns what they say of each module, under another name.
  mutating func resolvePatterns(_ modules: [(module: String, name: String)]) throws {
    rankPattern = try rankPattern.resolved(modules)
    alphaPattern = try alphaPattern.resolved(modules)
  }

  /// Checks the values, and that every target is a linear layer of the model.
  ///
  /// - Throws: `FireflyError` naming the key of a run's configuration.
  package func validate(for architecture: Architecture) throws {
    guard rank >= 1 && rank <= 1 << 16 else {
      throw FireflyError(
        "the adapter's rank is out of range", at: "lora_rank", expected: "1…65536", found: "\(rank)")
    }
    guard alpha.isFinite else { throw FireflyError("must be finite", at: "lora_alpha", found: "\(alpha)") }
    guard dropout >= 0 && dropout < 1 else {
      throw FireflyError("out of range", at: "lora_dropout", expected: "0 ≤ p < 1", found: "\(dropout)")
    }
    try checkTargets(
      architecture.adaptableLinears.map(\.module) + (architecture.adaptableHead.map { [$0.module] } ?? []))
    for name in modulesToSave { try architecture.checkSaved(name, ties: tiesSaved, at: "modules_to_save") }
    try checkHead(of: architecture)
  }

  /// PEFT leaves out the pair of a module that is trained whole, and does not load one of a head that is tied to such a one.
  private func checkHead(of architecture: Architecture) throws {
    let isWhole = architecture.savedModules(self).contains { $0.role == .head || architecture.tiedHead }
    guard isWhole, let head = architecture.adaptableHead?.module, names(head) else { return }
    throw FireflyError(
      "the head is trained whole and has an adapter too", at: "lora_target_modules", found: "\"\(head)\"",
      fix: "Leave it out of \"lora_target_modules\" or of \"modules_to_save\".")
  }

  private func checkTargets(_ modules: [String]) throws {
    for target in targetModules ?? [] where !modules.contains(where: { LoRAOptions.matches($0, target) }) {
      var leaves: [String] = []
      for case let leaf? in modules.map({ $0.split(separator: ".").last.map(String.init) })
      where !leaves.contains(leaf) {
        leaves.append(leaf)
      }
      let nearest = nearestName(to: target, among: leaves)
      throw FireflyError(
        "no linear layer of the model has this name", at: "lora_target_modules",
        expected: leaves.joined(separator: ", "), found: "\"\(target)\"",
        fix: nearest.map { "Did you mean \"\($0)\"?" })
    }
  }
}

extension Architecture {
  /// The modules that an adapter trains whole. Of a tied head and its embedding, that is the embedding.
  func savedModules(_ options: LoRAOptions) -> [(module: String, role: ParameterSlot.Role)] {
    let (embedding, head) = (names.module(names.embedding), names.module(names.head))
    guard !tiedHead else {
      let isNamed = options.saves(embedding) || options.saves(head)
      return isNamed && options.tiesSaved ? [(embedding, .embedding)] : []
    }
    return [(embedding, .embedding), (head, .head)].filter { options.saves($0.0) }
  }

  /// - Parameter ties: whether a tied head stays tied.
  /// - Throws: `FireflyError` when no module of this name can be trained whole.
  package func checkSaved(_ name: String, ties: Bool, at place: String) throws {
    let modules = [names.embedding, names.head].map(names.module)
    guard let module = modules.first(where: { LoRAOptions.matches($0, name) }) else {
      throw FireflyError(
        "only the embedding and the head can be trained whole beside an adapter", at: place,
        expected: modules.compactMap { $0.split(separator: ".").last.map(String.init) }.joined(
          separator: ", "),
        found: "\"\(name)\"",
        fix: "Leave it out, or train all weights with \"train_mode\": \"full\".")
    }
    guard !normalizedHead || names.head != module + ".weight" else {
      throw FireflyError(
        "a head whose rows are divided by their lengths cannot be trained whole beside an adapter",
        at: place, found: "\"\(name)\"",
        fix: "Leave it out, or train all weights with \"train_mode\": \"full\".")
    }
    guard !tiedHead || ties else {
      throw FireflyError(
        "the embedding is the head as well: the model has to be opened for the adapter that takes them apart",
        at: place, found: "\"\(name)\"", fix: "Set \"ensure_weight_tying\": true to train the two as one.")
    }
  }
}
