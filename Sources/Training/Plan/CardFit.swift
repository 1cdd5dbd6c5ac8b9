import FireflyBase
import FireflyCards

/// What a run takes of a card's memory in one of its forms, and which cards have that much.
public struct CardFit: Sendable {
  /// What is changed of the run, its key and value; nil: nothing.
  public let change: String?
  /// Bytes on the card.
  public let bytes: Int
  /// Bytes of the optimizer and of master weights in the processor's memory.
  public let hostBytes: Int
  /// The sizes that hold it.
  public var sizes: [Int] { CardFit.sizes.filter { CardFit.room($0) >= bytes } }

  /// What cards are sold with, in GB.
  private static let sizes = [8, 12, 16, 24, 40, 48, 80]

  /// Bytes for tensors and the library of a card of so many GB: the driver keeps some for itself.
  static func room(_ gigabytes: Int) -> Int { gigabytes * 1_000_000_000 - 600_000_000 }

  static func all(_ facts: ModelFacts, _ config: RunConfig) throws -> [CardFit] {
    func fit(_ change: String?, _ config: RunConfig) throws -> CardFit {
      let plan = try MemoryPlan(facts, config, on: facts.card ?? .current)
      let moved = plan.onHost.filter { $0.part == "optimizer" || $0.part == "master weights" }
      return CardFit(
        change: change, bytes: plan.needed, hostBytes: moved.reduce(0) { $0 + $1.bytes })
    }
    var changed = config
    // Which is where it lies on a card with room for it.
    changed.optimizerMemory = .memory
    changed.full.masterWeights = .memory
    var fits = [try fit(nil, changed)]
    if config.checkpointing && config.checkpointPrecision == .float32 {
      changed.checkpointPrecision = .bfloat16
      fits.append(try fit("\"checkpoint_dtype\": \"bfloat16\"", changed))
    }
    changed.optimizerMemory = .paged
    fits.append(try fit("\"optim\": \"paged_adamw_\(config.momentPrecision.bits)\"", changed))
    if config.mode == .full && facts.architecture.readsCopies(facts.compute) {
      changed.full.masterWeights = .paged
      fits.append(try fit("\"master_weights\": \"paged\"", changed))
      if config.full.gradients == .float32 {
        changed.full.gradients = .bfloat16
        fits.append(try fit("\"gradient_dtype\": \"bfloat16\"", changed))
      }
    }
    return fits
  }

  static func lines(_ fits: [CardFit]) -> [String] {
    guard let first = fits.first else { return [] }
    return ["on a card: \(first.text)"]
      + fits.dropFirst().enumerated().map { index, fit in
        let change = fit.change ?? ""
        return index == 0 ? "  with \(change): \(fit.text)" : "  and \(change): \(fit.text)"
      }
  }

  private var text: String {
    let beside = hostBytes > 0 ? ", and \(Readable.bytes(hostBytes)) of the processor's memory" : ""
    let taken = Readable.bytes(bytes)
    return sizes.isEmpty
      ? "\(taken)\(beside); more than a card of 80 GB has"
      : "\(taken)\(beside); cards of \(sizes.map(String.init).joined(separator: ", ")) GB have it"
  }
}
