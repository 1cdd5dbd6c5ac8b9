import FireflyBase
import FireflyRanks
import FireflyText
import Foundation

/// Perplexity and token accuracy of files.
public struct PerplexityReport: Sendable {
  /// The files with their sums, in the order given.
  public let files: [(text: EvaluationText, sums: TargetSums)]

  public var total: TargetSums { files.reduce(into: TargetSums()) { $0 += $1.sums } }

  /// Bits per UTF-8 byte of plain text; nil for conversations.
  public static func bitsPerByte(_ text: EvaluationText, _ sums: TargetSums) -> Double? {
    text.bytes.map { sums.loss / log(2) / Double($0) }
  }

  /// The report for programs.
  public var json: JSONValue {
    let list = files.map { text, sums in
      var object = members(sums)
      object["file"] = .string(text.path)
      object["kind"] = .string(text.kind.rawValue)
      object["bits_per_byte"] = PerplexityReport.bitsPerByte(text, sums).map(JSONValue.double)
      return JSONValue.object(object)
    }
    var object = members(total)
    object["task"] = .string("perplexity")
    object["files"] = .array(list)
    return .object(object)
  }

  private func members(_ sums: TargetSums) -> [String: JSONValue] {
    [
      "perplexity": .double(sums.perplexity), "loss": .double(sums.meanLoss),
      "token_accuracy": .double(sums.accuracy), "targets": .int(sums.targets), "tokens": .int(sums.tokens),
      "rows": .int(sums.rows),
    ]
  }
}

extension Perplexity {
  /// Measures files, but the rows that `output` has already.
  ///
  /// - Parameters:
  ///   - output: finished rows, read and added to.
  ///   - progress: is told tokens done and their count.
  /// - Throws: `FireflyError` for a row in `output` that was another one, and for a loss that is not a finite number.
  public func run(
    _ texts: [EvaluationText], output: ResultFile? = nil,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> PerplexityReport {
    try run(texts, SharedResults(output), progress: progress)
  }

  /// Batches that a rank measures before it tells the others.
  private static let batchesPerRound = 4

  /// The same by several ranks, each its share of the batches; all give the whole report.
  package func run(
    _ texts: [EvaluationText], _ results: SharedResults, progress: (_ done: Int, _ count: Int) -> Void
  ) throws -> PerplexityReport {
    let count = texts.reduce(0) { $0 + tokens(of: $1, in: [0..<$1.samples.count]) }
    var done = 0
    let files = try texts.map { text in
      let before = done
      let sums = try measure(text, results) { progress(before + $0, count) }
      done += tokens(of: text, in: [0..<text.samples.count])
      return (text, sums)
    }
    try results.arrange(texts.flatMap { text in text.names.map { "\(text.path):\($0)" } })
    return PerplexityReport(files: files)
  }

  /// - Parameter progress: is told how many tokens of the text are done.
  private func measure(
    _ text: EvaluationText, _ results: SharedResults, _ progress: (Int) -> Void
  ) throws -> TargetSums {
    let ranks = results.ranks
    let rows = zip(text.samples, text.names).map { (id: "\(text.path):\($1)", hash: StableHash.of($0)) }
    var sums = try ranks.agree { try rows.map { try saved($0.id, $0.hash, in: results.items, results.path) } }
    let batches = batches(text.samples)
    var done = 0
    for shares in EvenShares.rounds(
      of: batches.map { tokens(of: text, in: [$0]) }, among: ranks.size, perPiece: Perplexity.batchesPerRound)
    {
      for range in batches[shares[ranks.rank]] {
        if range.contains(where: { sums[$0] == nil }) {
          let found = try measure(text.samples[range], text.path)
          let new = zip(range, found).filter { sums[$0.0] == nil }
          try results.add(new.map { (rows[$0].id, $1.json(hash: rows[$0].hash)) })
          for (row, found) in new { sums[row] = found }
        }
        done += tokens(of: text, in: [range])
        progress(done)
      }
      let others = try results.exchange()
      for (rank, share) in shares.enumerated() where rank != ranks.rank {
        for range in batches[share] {
          for row in range where sums[row] == nil {
            sums[row] = try saved(rows[row].id, rows[row].hash, in: others, results.path)
          }
          done += tokens(of: text, in: [range])
        }
        progress(done)
      }
    }
    return sums.reduce(into: TargetSums()) { $0 += $1 ?? TargetSums() }
  }

  private func tokens(of text: EvaluationText, in batches: [Range<Int>]) -> Int {
    batches.joined().reduce(0) { $0 + text.samples[$1].tokens.count }
  }

  private func saved(
    _ id: String, _ hash: String, in items: [String: JSONValue], _ path: String?
  ) throws -> TargetSums? {
    guard let item = items[id] else { return nil }
    guard item["hash"]?.string == hash else {
      throw FireflyError(
        "the row \(id) was another one when its result was saved", at: path,
        fix: "The file of rows or the template has changed: name another file of results.")
    }
    guard let sums = TargetSums(item) else {
      throw FireflyError("the result of \(id) is damaged", at: path, fix: "Remove its line.")
    }
    return sums
  }
}

extension TargetSums {
  /// The sums of one row, for `ResultFile`.
  func json(hash: String) -> JSONValue {
    .object([
      "loss": .double(loss), "targets": .int(targets), "correct": .int(correct), "tokens": .int(tokens),
      "hash": .string(hash),
    ])
  }

  /// nil when it is damaged.
  init?(_ item: JSONValue) {
    guard let loss = item["loss"]?.double, let targets = item["targets"]?.int,
      let correct = item["correct"]?.int, let tokens = item["tokens"]?.int
    else { return nil }
    self.init(loss: loss, targets: targets, correct: correct, tokens: tokens, rows: 1)
  }
}

extension StableHash {
  /// Every token of a row and what is learnt of it.
  fileprivate static func of(_ sample: Sample) -> String {
    var hash = StableHash()
    hash.add(UInt64(sample.tokens.count))
    for token in sample.tokens { hash.add(UInt64(UInt32(bitPattern: token))) }
    for range in sample.targets { hash.add(UInt64(range.lowerBound) << 32 | UInt64(range.upperBound)) }
    return hash.text
  }
}
