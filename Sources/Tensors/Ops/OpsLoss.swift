import CKernels

extension Ops {
  /// −log softmax(logits)[label] of each row, and the gradient of their weighted sum.
  ///
  /// - Parameters:
  ///   - logits: [N, V] float32.
  ///   - labels: N columns; below 0 is no target (loss and gradient 0).
  ///   - gradient: [N, V] c, set to (softmax − onehot)·weight of the row; nil: it is not wanted.
  ///   - weights: [N] float32, where there is a gradient.
  /// - Returns: [N] float32, the losses by themselves; NaN or infinite where a row's is.
  public static func crossEntropy(
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
    let k = kernels
    let losses = Tensor([labels.count], .float32)
    labels.withUnsafeBufferPointer { labels in
      guard let labels = labels.baseAddress else { return }
      split(logits.rows, cost: 4 * logits.columns, part: .loss) { rows in
        let start = rows.lowerBound
        k.pointee.cross_entropy(
          losses.floatPointer + start, gradient?.row(start), gradient?.dtype.code ?? 0, gradient?.stride ?? 0,
          logits.floatRow(start), logits.stride, labels + start, weights.map { $0.floatPointer + start },
          rows.count, logits.columns)
      }
    }
    return losses
  }

  /// Whether each row's element at its column is the row's largest, of equal ones the first.
  ///
  /// - Parameters:
  ///   - x: [N, C] float32.
  ///   - columns: one for each row.
  public static func isLargest(_ x: Matrix, columns: [Int32]) -> [Bool] {
    checkFloat32(x.dtype)
    precondition(columns.count == x.rows, "\(columns.count) columns for \(x.rows) rows")
    for column in columns { precondition(column >= 0 && column < x.columns, "column \(column)") }
    return [Bool](unsafeUninitializedCapacity: x.rows) { buffer, count in
      nonisolated(unsafe) let results = buffer
      split(x.rows, cost: x.columns) { rows in
        for row in rows {
          let (values, column) = (x.floatRow(row), Int(columns[row]))
          let value = values[column]
          var isLargest = !value.isNaN
          for c in 0..<column where !(values[c] < value) { isLargest = false }
          for c in column..<x.columns where !(values[c] <= value) { isLargest = false }
          results.initializeElement(at: row, to: isLargest)
        }
      }
      count = x.rows
    }
  }

  /// Σ x² of a float32 tensor in float64, in an order of its own whatever the thread count.
  public static func sumOfSquares(_ x: Tensor) -> Double {
    checkFloat32(x.dtype)
    let chunk = 65_536
    let (k, chunks) = (kernels, (x.count + chunk - 1) / chunk)
    var sums = [Double](repeating: 0, count: chunks)
    sums.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      split(chunks, cost: chunk, part: .optimizer) { range in
        for i in range {
          sums[i] = k.pointee.sum_of_squares(x.floatPointer + i * chunk, min(chunk, x.count - i * chunk))
        }
      }
    }
    return sums.reduce(0, +)
  }

  /// Whether a float32, bfloat16 or float16 tensor has an infinity or a NaN.
  public static func hasNonFinite(_ x: Tensor) -> Bool {
    kernels.pointee.has_non_finite(x.pointer, x.dtype.code, x.count) != 0
  }
}
