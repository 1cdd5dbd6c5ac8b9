import FireflyTensors

// The loss of many rows at a time, panel by panel of the vocabulary: a panel's logits are made, taken into the rows' sums
// and, as exponentials, multiplied by the panel's weights before the next. So a head in 4 bits or in a GGUF file's blocks is
// decoded, and one of 16 bits read, twice for some hundred rows and not for the few whose logits would fit.

extension Head {
  /// Rows that go through the panels together.
  static let panelRows = 512
  /// Outputs of a panel: NF4's blocks of scales begin at each of its multiples.
  static let panelOutputs = 16_384

  /// Where gradients of the logits themselves are not needed, which are there only once the last panel is.
  var goesByPanels: Bool { trained == nil && adapter == nil && weight.device.takesLogitPanels }

  /// The rows' losses; dNormed is set to the gradient of the weighted sum.
  func crossEntropyByPanels(  // [N, C] c
    _ x: Tensor, _ labels: [Int32], weights: Tensor?, _ dNormed: Tensor?
  ) -> [Float] {
    var losses: [Tensor] = []
    for range in Head.panelRanges(x.rows) {
      let labels = Array(labels[range])
      let sum = dNormed?.slice(range).matrix
      let softmax = softmaxSums(x.slice(range).matrix, labels, weighted: sum)
      let labelRows = sum.map { Tensor([$0.rows, $0.columns], .float32, on: x.device) }
      if let labelRows { Ops.embed(labelRows.matrix, table: weight, tokens: labels) }
      losses.append(
        Ops.crossEntropy(
          of: softmax, gradient: sum, labelRows: labelRows?.matrix, weights: weights?.slice(range), cap: cap))
    }
    return losses.flatMap(\.floats)
  }

  /// What the model says of `labels`, one for each row.
  func scoresByPanels(_ x: Tensor, _ labels: [Int32]) -> [TargetScore] {  // [N, C] c
    Head.panelRanges(x.rows).flatMap { range in
      let softmax = softmaxSums(x.slice(range).matrix, Array(labels[range]), weighted: nil)
      let losses = Ops.crossEntropy(of: softmax).floats
      return zip(losses, softmax.areLabelsLargest).map { TargetScore(loss: $0, isBest: $1 && !$0.isNaN) }
    }
  }

  /// The rows' sums over all panels; `weighted` is set to Σ exponential·weight of all outputs but the label.
  private func softmaxSums(  // [n, C] c, [n, C] float32
    _ x: Matrix, _ labels: [Int32], weighted: Matrix?
  ) -> SoftmaxSums {
    let sums = SoftmaxSums(labels: labels, columns: weight.outputs, on: x.device)
    let shape = [x.rows, min(Head.panelOutputs, weight.outputs)]
    let logits = Tensor(shape, .float32, on: x.device)
    let exponentials = weighted.map { _ in Tensor(shape, compute, on: x.device) }
    for first in stride(from: 0, to: weight.outputs, by: Head.panelOutputs) {
      let panel = weight.rows(first..<min(first + Head.panelOutputs, weight.outputs))
      let logits = logits.matrix.columns(0..<panel.outputs)  // [n, P]
      let exponentials = exponentials?.matrix.columns(0..<panel.outputs)
      multiply(logits, x, panel)
      if let cap { Ops.softCap(logits, cap) }
      Ops.addPanel(
        to: sums, exponentials: exponentials, scaling: first == 0 ? nil : weighted, logits: logits,
        firstColumn: first)
      if let exponentials, let weighted {
        if let cap { Ops.softCapGradient(exponentials, y: logits, cap) }
        inputGradient(weighted, exponentials, panel, accumulate: first > 0)
      }
    }
    return sums
  }

  private static func panelRanges(_ rows: Int) -> [Range<Int>] {
    stride(from: 0, to: rows, by: panelRows).map { $0..<min($0 + panelRows, rows) }
  }
}
