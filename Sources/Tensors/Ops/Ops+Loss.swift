import FireflyBase

extension Ops {
  /// −log softmax(logits)[label] of each row, and the gradient of their weighted sum.
  ///
  /// - Parameters:
  ///   - logits: [N, V] float32.
  ///   - labels: N columns; below 0 is no target (loss and gradient 0).
  ///   - gradient: [N, V] c, set to (softmax − onehot)·weight of the row; nil: it is not wanted.
  ///   - weights: [N] float32, where there is a gradient.
  /// - Returns: [N] float32, the losses by themselves; NaN or infinite where a row's is.
  package static func crossEntropy(
    logits: Matrix, labels: [Int32], gradient: Matrix? = nil, weights: Tensor? = nil
  ) -> Tensor {
    checkFloat32(logits.dtype)
    precondition(labels.count == logits.rows, "\(labels.count) labels for \(logits.rows) rows")
    for label in labels { precondition(label < logits.columns, "label \(label) of \(logits.columns)") }
    precondition((gradient == nil) == (weights == nil), "a gradient has weights")
    if let gradient, let weights {
      checkSame(gradient, logits)
      checkCompute(gradient.dtype)
      checkCount(weights, logits.rows, "weights")
    }
    let device = device(logits.storage, gradient?.storage, weights?.storage)
    let losses = Tensor([labels.count], .float32, on: device)
    Ledger.measure(.loss) {
      device.crossEntropy(losses, logits: logits, labels: labels, gradient: gradient, weights: weights)
    }
    return losses
  }

  /// 1 where a row's element at its column is the row's largest, of equal ones the first; otherwise 0.
  ///
  /// - Parameters:
  ///   - x: [N, C] float32.
  ///   - columns: one for each row.
  /// - Returns: [N] uint8
  package static func isLargest(_ x: Matrix, columns: [Int32]) -> Tensor {
    checkFloat32(x.dtype)
    precondition(columns.count == x.rows, "\(columns.count) columns for \(x.rows) rows")
    for column in columns { precondition(column >= 0 && column < x.columns, "column \(column)") }
    let flags = Tensor([x.rows], .uint8, on: x.device)
    Ledger.measure(.elementwise) { x.device.isLargest(flags, x, columns: columns) }
    return flags
  }

  /// Σ x² of a float32 tensor in float64, in an order of its own whatever the thread count.
  package static func sumOfSquares(_ x: Tensor) -> Double { sumsOfSquares([x])[0] }

  /// `sumOfSquares` of each of several tensors on one device, which is read but once.
  package static func sumsOfSquares(_ tensors: [Tensor]) -> [Double] {
    guard let first = tensors.first else { return [] }
    for x in tensors {
      checkFloat32(x.dtype)
      _ = device(first.storage, x.storage)
    }
    return Ledger.measure(.optimizer) { first.device.sumsOfSquares(tensors) }
  }

  /// Whether a float32, bfloat16 or float16 tensor has an infinity or a NaN.
  package static func hasNonFinite(_ x: Tensor) -> Bool { x.device.hasNonFinite(x) }
}

extension Tensor {
  /// - Throws: `FireflyError` when an element is an infinity or NaN.
  /// - Parameters:
  ///   - what: names the tensor in the error, `place` the file and the tensor in it.
  package func checkFinite(_ what: String = "the tensor", at place: String) throws {
    guard Ops.hasNonFinite(self) else { return }
    throw FireflyError(
      "\(what) holds numbers that are not finite", at: place, found: "an infinity or NaN in \(dtype)",
      fix: "The file is damaged, or its numbers are too large for \(dtype): take another one.")
  }
}
