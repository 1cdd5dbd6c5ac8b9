import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyRanks
import FireflyTensors
import FireflyText
import FireflyWeights
import Foundation

/// What the reference says of preference pairs: log p of both answers of each, added up over their tokens.
struct ReferenceScores {
  /// `[pairs, 2]`, the chosen answer's first; NaN where nobody has asked.
  fileprivate(set) var values: [Float]

  init(pairs: Int) { values = [Float](repeating: .nan, count: 2 * pairs) }

  /// Of one pair.
  fileprivate subscript(pair: Int) -> [Float] {
    get { Array(values[2 * pair...2 * pair + 1]) }
    set { values.replaceSubrange(2 * pair...2 * pair + 1, with: newValue) }
  }

  fileprivate func knows(_ pair: Int) -> Bool { !values[2 * pair].isNaN && !values[2 * pair + 1].isNaN }
}

/// Preference pairs with the reference's scores, as batches.
struct PreferencePairs {
  let data: Dataset
  let sharesPrompts: Bool
  var reference: ReferenceScores

  init(_ data: Dataset, sharesPrompts: Bool) {
    self.data = data
    self.sharesPrompts = sharesPrompts
    reference = ReferenceScores(pairs: data.samples.count / 2)
  }

  var count: Int { data.samples.count / 2 }

  /// - Parameter pairs: their numbers.
  func batch(_ pairs: [Int]) -> Batch {
    var batch = Batch(pairs: pairs.map(data.samples.pair), sharesPrompts: sharesPrompts)
    var scores = [Float](repeating: 0, count: batch.starts.count - 1)
    for (pair, place) in zip(pairs, batch.pairs) {
      scores[place.chosen] = reference.values[2 * pair]
      scores[place.rejected] = reference.values[2 * pair + 1]
    }
    batch.reference = scores
    return batch
  }
}

/// Asks the reference about pairs, once, and keeps its answers in a file.
///
/// Each rank asks about its share. Each pair goes through the model alone, so that its scores are the same bits whenever
/// they are computed.
struct ReferenceReader {
  let model: Transformer
  /// Whether the model's adapter belongs to the reference.
  let usesAdapter: Bool
  /// Where answers are kept; nil for nowhere.
  let path: String?
  let ranks: Ranks

  private static let tensorName = "log_probabilities"
  /// Seconds between two times that the file is written.
  private static let savingInterval = 60.0

  /// Completes the scores of `wanted`, from the file where it has them.
  ///
  /// - Parameter progress: is told the share of the pairs that are done.
  /// - Throws: `FireflyError` when a score is no finite number, when the file cannot be written, and when a stop is asked
  ///   for; what is done is kept then.
  func complete(
    _ pairs: inout PreferencePairs, wanted: [Int], stop: StopRequest, progress: (Double) -> Void
  ) throws {
    // What the first rank's file has counts: machines may have files of their own.
    let known = try ranks.broadcast(ranks.isFirst ? known(pairs.count) ?? [] : [])
    if !known.isEmpty { pairs.reference.values = known }
    let missing = wanted.filter { !pairs.reference.knows($0) }
    guard !missing.isEmpty else { return }
    let shares = EvenShares.ranges(of: missing.map { _ in 1 }, among: ranks.size).map { missing[$0] }
    let isStopped = try ask(Array(shares[ranks.rank]), &pairs, stop: stop, progress)
    for (rank, scores) in try ranks.gather(shares[ranks.rank].flatMap { pairs.reference[$0] }).enumerated() {
      for (place, pair) in shares[rank].enumerated() {
        pairs.reference[pair] = [scores[2 * place], scores[2 * place + 1]]
      }
    }
    if ranks.isFirst { try save(pairs.reference) }
    guard try ranks.any(isStopped) else { return }
    let done = missing.count { pairs.reference.knows($0) }
    throw ranks.together(
      FireflyError(
        "stopped by request before the first step, after \(done) of \(missing.count) pairs for the reference",
        fix: path == nil ? "Start again." : "Start again: what is done is kept."))
  }

  /// Asks about some pairs.
  ///
  /// - Returns: whether a stop broke it off.
  private func ask(
    _ missing: [Int], _ pairs: inout PreferencePairs, stop: StopRequest, _ progress: (Double) -> Void
  ) throws -> Bool {
    let clock = ContinuousClock()
    var saved = clock.now
    for (done, pair) in missing.enumerated() {
      let (chosen, rejected) = try scores(of: pair, pairs)
      pairs.reference[pair] = [chosen, rejected]
      progress(Double(done + 1) / Double(missing.count))
      if stop.isAsked && done + 1 < missing.count { return true }
      if ranks.isFirst, (clock.now - saved).seconds > ReferenceReader.savingInterval {
        try save(pairs.reference)
        saved = clock.now
      }
    }
    return false
  }

  private func scores(of pair: Int, _ pairs: PreferencePairs) throws -> (chosen: Float, rejected: Float) {
    let batch = pairs.batch([pair])
    var pass = Pass.evaluation
    pass.adapters = usesAdapter
    let losses = model.loss(
      tokens: batch.tokens, labels: batch.labels, starts: batch.starts, trunks: batch.trunks, pass: pass)
    let sums = [batch.pairs[0].chosen, batch.pairs[0].rejected].map { -Float(losses.sequences[$0].sum) }
    guard sums.allSatisfy(\.isFinite) else {
      throw FireflyError(
        "the reference's log-probability of an answer is not a finite number",
        at: pairs.data.report.place(batch.lines[0]), found: "\(sums[0]) and \(sums[1])",
        fix: "The weights are damaged or overflow: try \"precision\": \"float32\".")
    }
    return (sums[0], sums[1])
  }

  // MARK: - The file

  /// The scores in the file; nil when there is none for so many pairs.
  private func known(_ pairs: Int) -> [Float]? {
    guard let path, FileManager.default.fileExists(atPath: path) else { return nil }
    let stored = try? WeightStore.open(path).tensor(
      ReferenceReader.tensorName, shape: [pairs, 2], as: .float32)
    return stored?.floats
  }

  private func save(_ scores: ReferenceScores) throws {
    guard let path else { return }
    try AtomicFile.makeFolder(path.parentFolder)
    try SafeTensorsWriter.write(
      [(ReferenceReader.tensorName, Tensor(scores.values, [scores.values.count / 2, 2]))],
      metadata: ["format": "firefly"], to: path)
  }
}

// MARK: - Of a run

extension RunSetup {
  /// The training pairs with the reference's scores of those that the run will see; nil where the task is another.
  ///
  /// - Parameter model: with the weights that the run starts from.
  func preferencePairs(
    _ model: Transformer, stop: StopRequest, progress: @escaping (TrainingEvent) -> Void
  ) throws -> PreferencePairs? {
    guard config.task == .dpo else { return nil }
    return try pairs(of: dataset, pairsSeen, model, stop) {
      progress(.preparing("asking the reference", share: $0))
    }
  }

  /// The pairs to evaluate on, all with the reference's scores.
  func evaluationPairs(
    _ model: Transformer, stop: StopRequest, progress: @escaping (TrainingEvent) -> Void
  ) throws -> PreferencePairs? {
    guard config.task == .dpo, let data = evaluationData else { return nil }
    return try pairs(of: data, Array(0..<data.samples.count / 2), model, stop) {
      progress(.preparing("asking the reference about the rows to evaluate", share: $0))
    }
  }

  private func pairs(
    of data: Dataset, _ wanted: [Int], _ model: Transformer, _ stop: StopRequest,
    _ progress: (Double) -> Void
  ) throws -> PreferencePairs {
    var pairs = PreferencePairs(data, sharesPrompts: architecture.sharesTrunks)
    let reader = ReferenceReader(
      model: model, usesAdapter: usesAdapterAsReference, path: try referencePath(data.samples),
      ranks: ranks)
    try reader.complete(&pairs, wanted: wanted, stop: stop, progress: progress)
    return pairs
  }

  /// A fresh adapter says nothing yet: without it the base's numbers are exact.
  var usesAdapterAsReference: Bool {
    config.startAdapter != nil && config.preference?.reference == .start
  }

  /// The pairs that some step of the run sees, ascending.
  var pairsSeen: [Int] {
    var order = order
    var seen: Set<Int> = []
    for step in 0..<totalSteps where seen.count < order.rows {
      for batch in order.microBatches(step: step) { seen.formUnion(batch) }
    }
    return seen.sorted()
  }

  /// Named by all that decides the scores.
  private func referencePath(_ samples: Samples) throws -> String? {
    guard let folder = config.dataCacheFolder else { return nil }
    var hash = StableHash()
    let adapter = usesAdapterAsReference ? try startAdapterHash() ?? "" : "base"
    for text in [
      "1", try ModelHash.of(pretrained.source), adapter, samples.digest, compute.description,
      "\(quantization)", "\(architecture.sharesTrunks)",
    ] + (device.isHost ? [] : [device.name]) {
      hash.add(text.utf8)
    }
    return "\(folder)/\(hash.text)-reference.safetensors"
  }
}
