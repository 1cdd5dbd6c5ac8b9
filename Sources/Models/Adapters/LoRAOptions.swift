import FireflyBase
import FireflyTensors

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

  private func validate() throws {
    guard rank >= 1 && rank <= 1 << 16 else {
      throw FireflyError(
        "the adapter's rank is out of range", at: "lora_rank", expected: "1…65536", found: "\(rank)")
    }
    guard alpha.isFinite else { throw FireflyError("must be finite", at: "lora_alpha", found: "\(alpha)") }
    guard dropout >= 0 && dropout < 1 else {
      throw FireflyError("out of range", at: "lora_dropout", expected: "0 ≤ p < 1", found: "\(dropout)")
    }
  }

  /// Checks the values, and that every target name is a linear layer of the model.
  func validate(modules: [String]) throws {
    try validate()
    for name in targetModules ?? [] where !modules.contains(where: { LoRAOptions.matches($0, name) }) {
      let leaves = Set(modules.compactMap { $0.split(separator: ".").last.map(String.init) })
      throw FireflyError(
        "no linear layer has this name", at: "target module",
        expected: leaves.sorted().joined(separator: ", "),
        found: name)
    }
  }
}

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
