import FireflyBase
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights
import Foundation

/// Compares a merged model with the base under its adapter, the base held once as it is stored and once in NF4: the
/// closer one tells which of the two the adapter was trained on, and how much the merge changed it.
package struct MergeProbe {
  /// A base with its adapter, beside the merged model.
  package struct Row: Sendable {
    /// "original + adapter" or "NF4 + adapter".
    package let name: String
    /// Perplexity of the texts, per token.
    package let perplexity: Double
    /// |merged − this| over all logits of all positions.
    package let meanDifference: Double
    package let maxDifference: Double
  }

  package struct Report: Sendable {
    /// The merged model's perplexity.
    package let perplexity: Double
    package let tokens: Int
    package let rows: [Row]
  }

  /// Short texts in English and Chinese for when the user names none.
  package static let texts = [
    "The library opens at nine in the morning and closes at six. On Saturdays it is open only until noon, "
      + "and on Sundays it stays closed.",
    "Question: A farmer has 12 sheep and buys 9 more. How many sheep does he have now?\n"
      + "Answer: He has 12 + 9 = 21 sheep.",
    "春天来了，公园里的花都开了。孩子们在草地上放风筝，老人们坐在长椅上聊天。",
    "问：小明有 24 颗糖，平均分给 6 个朋友，每人得到几颗？\n答：24 ÷ 6 = 4，每人得到 4 颗。",
  ]

  /// The longest part of a text that is looked at, in tokens: the logits of all positions are kept.
  private static let tokenLimit = 512

  private let base: Pretrained
  private let adapter: String
  private let compute: DType
  private let texts: [[Int32]]

  /// - Parameters:
  ///   - compute: what products are computed in.
  /// - Throws: `FireflyError` when the texts have no two tokens together.
  package init(
    _ base: Pretrained, adapter: String, texts: [String] = MergeProbe.texts,
    compute: DType = Ops.usualCompute
  ) throws {
    self.base = base
    self.adapter = adapter
    self.compute = compute
    self.texts = try texts.map { text in
      let ids = try base.tokenizer.textStart + base.tokenizer.encode(text, parseSpecial: false)
      return Array(ids.prefix(MergeProbe.tokenLimit))
    }.filter { $0.count > 1 }
    guard !self.texts.isEmpty else {
      throw FireflyError("the probe has no text of two tokens", expected: "a text file")
    }
  }

  /// Loads one model after another; the logits of the merged one stay in memory.
  ///
  /// - Parameters:
  ///   - merged: the folder that the merge wrote.
  ///   - progress: called with what is being loaded.
  package func report(merged: String, progress: (String) -> Void = { _ in }) throws -> Report {
    progress("the merged model")
    let expected = try logits(Pretrained.open(merged).load(.init(compute: compute)))
    var rows: [Row] = []
    for (name, quantization) in bases {
      progress(name)
      let model = try base.load(.init(compute: compute, quantization: quantization, adapter: adapter))
      rows.append(row(name, model, expected))
    }
    return Report(
      perplexity: perplexity(zip(texts, expected).map { loss($1, $0) }), tokens: targets, rows: rows)
  }

  private var bases: [(String, Quantization)] {
    base.source.isQuantized
      ? [("NF4 + adapter", .none)] : [("original + adapter", .none), ("NF4 + adapter", .nf4(double: true))]
  }

  private var targets: Int { texts.reduce(0) { $0 + $1.count - 1 } }

  private func logits(_ model: Transformer) -> [Tensor] { texts.map { logits(model, $0) } }

  private func logits(_ model: Transformer, _ text: [Int32]) -> Tensor {  // [T] → [T, V]
    model.logits(tokens: text, starts: [0, Int32(text.count)])
  }

  private func row(_ name: String, _ model: Transformer, _ expected: [Tensor]) -> Row {
    var (sum, largest, count) = (0.0, 0.0, 0)
    var losses: [Double] = []
    for (text, merged) in zip(texts, expected) {
      let found = logits(model, text)
      losses.append(loss(found, text))
      for (a, b) in zip(found.floats, merged.floats) {
        let difference = Double(abs(a - b))
        sum += difference
        largest = difference > largest || difference.isNaN ? difference : largest
      }
      count += merged.count
    }
    return Row(
      name: name, perplexity: perplexity(losses), meanDifference: sum / Double(count), maxDifference: largest)
  }

  /// Σ −log p of the tokens after the first.
  private func loss(_ logits: Tensor, _ text: [Int32]) -> Double {
    Ops.crossEntropy(
      logits: logits.slice(0..<text.count - 1).matrix, labels: Array(text.dropFirst())
    ).sum
  }

  private func perplexity(_ losses: [Double]) -> Double { exp(losses.reduce(0, +) / Double(targets)) }
}
