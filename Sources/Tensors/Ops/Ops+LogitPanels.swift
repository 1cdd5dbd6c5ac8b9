// Cross-entropy without holding rows' logits: they come in panels of columns, and the gradient of what made them is summed
// as attention sums values, with exponentials that are divided by their sum at the end.

extension Ops {
  /// Takes a panel of logits into the sums of its rows.
  ///
  /// - Parameters:
  ///   - logits: [N, P] float32, columns `firstColumn` and on of each row.
  ///   - exponentials: [N, P] c, set to exp(logit − largest so far), 0 at the label; nil: they are not wanted.
  ///   - scaled: [N, C] float32, sums of the exponentials of panels before, which are made those of the new largest; nil: there
  ///     are none.
  package static func addPanel(
    to sums: SoftmaxSums, exponentials: Matrix? = nil, scaling scaled: Matrix? = nil, logits: Matrix,
    firstColumn: Int
  ) {
    checkFloat32(logits.dtype)
    precondition(sums.labels.count == logits.rows, "\(sums.labels.count) labels for \(logits.rows) rows")
    precondition(logits.columns > 0 && firstColumn >= 0, "columns \(firstColumn) and \(logits.columns) on")
    if let exponentials {
      checkSame(exponentials, logits)
      checkCompute(exponentials.dtype)
    }
    if let scaled {
      checkFloat32(scaled.dtype)
      precondition(scaled.rows == logits.rows, "sums of \(scaled.rows) rows for \(logits.rows)")
    }
    let device = device(
      logits.storage, sums.largest.storage, exponentials?.storage, scaled?.storage)
    Ledger.measure(.loss) {
      device.addPanel(
        to: sums, exponentials: exponentials, scaling: scaled, logits: logits, firstColumn: firstColumn)
    }
  }

  /// −log softmax[label] of each row, all panels of which were added, and the gradient of their weighted sum with respect to
  /// what was multiplied by the head's rows w.
  ///
  /// - Parameters:
  ///   - gradient: [N, C] float32, Σ exponential·w over all columns; set to weight·Σ (softmax − onehot)·slope·w.
  ///   - labelRows: [N, C] float32, where there is a gradient: the labels' w.
  ///   - weights: [N] float32, where there is a gradient.
  ///   - cap: The logits are cap·tanh(z / cap): slope is that of this, which the exponentials were multiplied by already;
  ///     nil: 1.
  /// - Returns: [N] float32, the losses by themselves; NaN or infinite where a row's logits are.
  package static func crossEntropy(
    of sums: SoftmaxSums, gradient: Matrix? = nil, labelRows: Matrix? = nil, weights: Tensor? = nil,
    cap: Float? = nil
  ) -> Tensor {
    let count = sums.labels.count
    precondition(
      (gradient == nil) == (weights == nil) && (gradient == nil) == (labelRows == nil),
      "a gradient has weights and the labels' rows")
    if let gradient, let labelRows, let weights {
      checkFloat32(gradient.dtype)
      checkFloat32(labelRows.dtype)
      checkSame(gradient, labelRows)
      precondition(gradient.rows == count, "a gradient of \(gradient.rows) rows for \(count)")
      checkCount(weights, count, "weights")
    }
    let device = device(sums.largest.storage, gradient?.storage, labelRows?.storage, weights?.storage)
    let losses = Tensor([count], .float32, on: device)
    Ledger.measure(.loss) {
      device.crossEntropy(
        losses, of: sums, gradient: gradient, labelRows: labelRows, weights: weights, cap: cap)
    }
    return losses
  }
}
