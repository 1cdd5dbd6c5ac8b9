import FireflyTensors

// The head's products, by the form of its matrix.

extension Head {
  /// logits = x·weightᵀ
  func multiply(_ logits: Matrix, _ x: Matrix) {  // [n, V] float32, [n, C] c
    guard case .dense(let weight) = weight else {
      return Ops.linear(logits, x, parts: [part], low: [nil])
    }
    Ops.matmul(logits, x, weight.matrix, transposeB: true)
  }

  /// The same row by row, for generation: a row's logits do not depend on the others'.
  func multiplyByRow(_ logits: Matrix, _ x: Matrix) {  // [n, V] float32, [n, C] c
    guard case .dense(let weight) = weight else {
      return Ops.linear(logits, x, parts: [part], low: [nil], rowByRow: true)
    }
    decoding.multiply(logits, x, weight)
  }

  /// dx = dLogits·weight
  func setInputGradient(_ dx: Matrix, _ dLogits: Matrix) {  // [n, C] float32, [n, V] c
    guard case .dense(let weight) = weight else {
      return Ops.linearInputGradient(dx, dLogits, parts: [part], accumulate: false)
    }
    Ops.matmul(dx, dLogits, weight.matrix)
  }

  /// Bytes that a step of generation reads.
  var bytesPerStep: Int {
    guard case .dense(let dense) = weight else { return weight.byteCount }
    return RowWeight.byteCount(of: dense)
  }

  private var part: LinearPart {
    LinearPart(weight: weight, outputs: weight.outputs, inputs: weight.inputs)
  }
}
