/// A trained tensor before it has values: its name, its shape, and where it lies in the arena.
public struct ParameterSlot: Equatable, Sendable {
  /// What it is to its linear layer.
  public enum Role: Equatable, Sendable {
    /// The two of a low-rank pair, A `[r, in]` and B `[out, r]`.
    case lowRankA, lowRankB
  }

  /// As in the files: `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
  public let name: String
  public let shape: [Int]
  public let role: Role
  /// The number of its block.
  public let layer: Int
  /// The linear layer it belongs to, as the model's files call it: `model.layers.0.self_attn.q_proj`.
  public let module: String
  /// The share of the rows that pass through it.
  public let rowShare: Double
  /// Whether weight decay shrinks it.
  public let isDecayed: Bool
  /// Its elements in the arena.
  public let range: Range<Int>

  public var count: Int { range.count }
}

/// What a run trains: which parameters there are, and how they lie in one arena.
///
/// Made once, from shapes alone, so that a plan knows it before there are weights. Everything that has to know what is
/// trained, or how much, reads it here.
public struct Trainable: Equatable, Sendable {
  /// Every parameter, in the order of the computation.
  public let slots: [ParameterSlot]
  /// Elements of the arena: those of all parameters, and the gaps that let each block begin on a cache line.
  public let arenaCount: Int
  /// Ranges of the arena without gaps in which all is treated alike, ascending: what an update goes through.
  public let runs: [Run]
  /// The settings of the adapter that is trained; nil where there is none.
  public let adapter: LoRAOptions?

  public struct Run: Equatable, Sendable {
    /// Elements of the arena.
    public let range: Range<Int>
    public let isDecayed: Bool
  }

  /// No parameters.
  public static let nothing = Trainable(ArenaLayout(), adapter: nil)

  /// The low-rank pairs that `options` hang on a model.
  ///
  /// - Parameter options: checked by `LoRAOptions.validate`.
  public init(_ architecture: Architecture, _ options: LoRAOptions) {
    self.init(architecture, options) { options.targets($0) }
  }

  /// - Parameter hasPair: whether a linear layer, by its full name, has a pair; asked where it can have one.
  init(_ architecture: Architecture, _ options: LoRAOptions, where hasPair: (String) -> Bool) {
    var layout = ArenaLayout()
    for layer in 0..<architecture.layers {
      let prefix = architecture.names.prefix(layer)
      for group in architecture.linearGroups(layer) {
        let chosen = group.filter { $0.takesAdapter && hasPair(prefix + $0.name) }
        layout.addPairs(on: chosen.map { (prefix + $0.name, $0) }, layer: layer, options)
      }
    }
    self.init(layout, adapter: options)
  }

  private init(_ layout: ArenaLayout, adapter: LoRAOptions?) {
    slots = layout.slots
    arenaCount = layout.end
    runs = layout.runs
    self.adapter = adapter
  }

  // MARK: - Sizes

  /// Elements of all parameters.
  public var count: Int { slots.reduce(0) { $0 + $1.count } }

  /// Elements that a row passes: of experts only its share.
  public var passedCount: Double { slots.reduce(0) { $0 + Double($1.count) * $1.rowShare } }

  /// What a row has in all low-rank products, Σ r: of experts only its share.
  public var lowRankWidth: Double {
    slots.reduce(0) { $1.role == .lowRankA ? $0 + Double($1.shape[0]) * $1.rowShare : $0 }
  }
}

/// Lays parameters out in an arena, group after group.
private struct ArenaLayout {
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
    on linears: [(module: String, shape: LinearShape)], layer: Int, _ options: LoRAOptions
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
    _ linear: (module: String, shape: LinearShape), _ layer: Int, at start: Int
  ) -> Int {
    let range = start..<start + shape.reduce(1, *)
    slots.append(
      ParameterSlot(
        name: name, shape: shape, role: role, layer: layer, module: linear.module,
        rowShare: linear.shape.rowShare, isDecayed: true, range: range))
    return range.upperBound
  }

  var runs: [Trainable.Run] {
    var runs: [Trainable.Run] = []
    for slot in slots.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      if let last = runs.last, last.range.upperBound == slot.range.lowerBound,
        last.isDecayed == slot.isDecayed
      {
        runs[runs.count - 1] = Trainable.Run(
          range: last.range.lowerBound..<slot.range.upperBound, isDecayed: last.isDecayed)
      } else {
        runs.append(Trainable.Run(range: slot.range, isDecayed: slot.isDecayed))
      }
    }
    return runs
  }
}
