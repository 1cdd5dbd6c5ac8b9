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
  /// Ranks and alphas of modules that differ, by the end of their path.
  public var rankPattern: [String: Int]
  public var alphaPattern: [String: Double]

  public init(
    rank: Int = 64, alpha: Double = 16, dropout: Float = 0.05, targetModules: [String]? = nil,
    rsLoRA: Bool = false, rankPattern: [String: Int] = [:], alphaPattern: [String: Double] = [:]
  ) {
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targetModules = targetModules
    self.rsLoRA = rsLoRA
    self.rankPattern = rankPattern
    self.alphaPattern = alphaPattern
  }

  /// What PEFT's files put before a module's name.
  static let filePrefix = "base_model.model."

  /// Whether `name`, or a path ending in `.name`, is `module`.
  static func matches(_ module: String, _ name: String) -> Bool {
    module == name || module.hasSuffix("." + name)
  }

  func targets(_ module: String) -> Bool {
    targetModules.map { $0.contains { LoRAOptions.matches(module, $0) } } ?? true
  }

  func rank(of module: String) -> Int {
    rankPattern.first { LoRAOptions.matches(module, $0.key) }?.value ?? rank
  }

  func scale(of module: String) -> Float {
    let alpha = alphaPattern.first { LoRAOptions.matches(module, $0.key) }?.value ?? alpha
    let rank = Double(rank(of: module))
    return Float(alpha / (rsLoRA ? rank.squareRoot() : rank))
  }

  /// Checks the values, and that every target is a linear layer of the model.
  ///
  /// - Throws: `FireflyError` naming the key of a run's configuration.
  public func validate(for architecture: Architecture) throws {
    guard rank >= 1 && rank <= 1 << 16 else {
      throw FireflyError(
        "the adapter's rank is out of range", at: "lora_rank", expected: "1…65536", found: "\(rank)")
    }
    guard alpha.isFinite else { throw FireflyError("must be finite", at: "lora_alpha", found: "\(alpha)") }
    guard dropout >= 0 && dropout < 1 else {
      throw FireflyError("out of range", at: "lora_dropout", expected: "0 ≤ p < 1", found: "\(dropout)")
    }
    try checkTargets(architecture.adaptableLinears.map(\.module))
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
