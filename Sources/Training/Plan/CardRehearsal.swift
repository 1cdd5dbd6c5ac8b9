import FireflyCards
import FireflyModels
import FireflyTensors

/// A step of a run on a card that holds and computes nothing: what the run takes of a card's memory, counted by the very code
/// that will ask for it. Of experts, all rows go to the same ones.
struct CardRehearsal {
  /// Bytes that stay for the whole run, by part.
  let kept: [(part: String, bytes: Int)]
  /// The most bytes in use at once.
  let peak: Int

  /// - Parameters:
  ///   - config: may differ from the facts' own in what changes memory but not data.
  ///   - card: like which the one is that counts.
  init(_ facts: ModelFacts, _ config: RunConfig, _ card: CardKind) throws {
    let device = CardDevice.counting(card)
    let trainable = facts.trainable(config)
    let isFull = trainable.full != nil
    // What the processor keeps is no part of what is counted.
    let host = CardDevice.counting(card)
    let valuesAreNear = !facts.keepsValuesOnHost(config)
    let model = try Transformer.unfilled(
      facts.architecture, compute: facts.compute, in4Bits: facts.isNF4(config),
      training: isFull ? trainable : .nothing, gradients: config.arenaMemory.gradients,
      valuesOn: valuesAreNear ? nil : host, on: device)
    let base = device.usedBytes
    model.hangUnfilled(trainable)
    let whole = device.usedBytes
    let values = valuesAreNear ? model.arena.values.byteCount : 0
    let trained = isFull ? values + model.arena.gradients.byteCount : whole - base
    let store = try CardRehearsal.moments(facts, config, trainable, on: device)
    kept = [
      ("weights, embedding and head", whole - trained),
      (
        !isFull ? "adapter with gradients" : valuesAreNear ? "master weights and gradients" : "gradients",
        trained
      ),
      ("optimizer", device.usedBytes - whole),
    ]
    withExtendedLifetime(store) { CardRehearsal.step(model, facts.longestRows(config), config) }
    peak = device.peakBytes
  }

  /// nil where they are the processor's.
  private static func moments(
    _ facts: ModelFacts, _ config: RunConfig, _ trainable: Trainable, on device: any Device
  ) throws -> MomentStore? {
    let elements = [0..<trainable.blockStart(of: trainable.arenaCount / facts.ranks)]
    switch (config.optimizerMemory, config.momentPrecision) {
    case (.paged, _): return nil
    case (.memory, .float32): return MomentStore(for: elements, on: device)
    case (.memory, .bytes): return try MomentStore(inBytesFor: trainable, elements, on: device)
    }
  }

  /// The update, which needs no memory of its own, is left out.
  private static func step(_ model: Transformer, _ rows: [PassSize], _ config: RunConfig) {
    let batch = RehearsedRows(rows)
    let pass = Pass(checkpointing: config.checkpointing, checkpointType: config.checkpointType)
    _ = model.accumulateGradients(
      tokens: batch.tokens, labels: batch.labels, starts: batch.starts, trunks: batch.trunks,
      balanceWeight: 1, pass: pass
    ) { [Float](repeating: 1, count: $0.sequences.count) }
    _ = gradientNorm(model.arena)
  }
}

/// Rows by their lengths alone: any tokens, the last ones of each as targets.
private struct RehearsedRows {
  var starts: [Int32] = [0]
  var trunks: [Int32] = []
  var labels: [Int32] = []
  var tokens: [Int32] { [Int32](repeating: 0, count: labels.count) }

  init(_ rows: [PassSize]) {
    for row in rows {
      let shared = row.lengths.reduce(0, +) - row.tokens
      let trunk = shared > 0 ? Int32(trunks.count) : -1
      if shared > 0 { add(shared, targets: 0, trunk: -1) }
      let own = row.lengths.map { $0 - shared }
      let all = max(own.reduce(0, +), 1)
      for length in own { add(length, targets: row.targets * length / all, trunk: trunk) }
    }
    // A pass without a target computes nothing.
    if let last = labels.indices.last { labels[last] = 0 }
  }

  private mutating func add(_ length: Int, targets: Int, trunk: Int32) {
    labels += [Int32](repeating: -1, count: length - targets) + [Int32](repeating: 0, count: targets)
    starts.append(Int32(labels.count))
    trunks.append(trunk)
  }
}
