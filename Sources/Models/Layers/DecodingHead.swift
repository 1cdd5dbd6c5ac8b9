import FireflyBase
import FireflyTensors

/// The output head as generation reads it: a bfloat16 head as 8-bit codes, made at the first use.
///
/// With a large vocabulary and a small model the head is half of what a token reads. A scale per 32 weights leaves its
/// rounding below that of the bfloat16 activations it meets. A float32 head is used as it is.
final class DecodingHead: Sendable {
  private let codes = Locked<Int8Matrix?>(nil)

  /// logits = x·weightᵀ, row by row.
  func multiply(_ logits: Matrix, _ x: Matrix, _ weight: Tensor) {  // [N, V] float32, [N, C] c, [V, C] c
    guard usesCodes(weight) else {
      let part = LinearPart(weight: .dense(weight), outputs: weight.rows, inputs: weight.columns)
      return Ops.linear(logits, x, parts: [part], low: [nil], rowByRow: true)
    }
    Ops.multiply(logits, x, prepared(weight))
  }

  /// Bytes that a pass reads.
  func byteCount(_ weight: Tensor) -> Int {
    guard usesCodes(weight) else { return weight.byteCount }
    return weight.count + weight.count / Int8Matrix.blockSize * 2
  }

  /// To be called after the head was changed.
  func forget() { codes.withLock { $0 = nil } }

  private func usesCodes(_ weight: Tensor) -> Bool {
    weight.dtype == .bfloat16 && weight.columns % Int8Matrix.blockSize == 0
  }

  private func prepared(_ weight: Tensor) -> Int8Matrix {
    codes.withLock { codes in
      if let codes { return codes }
      let made = Int8Matrix(weight)
      codes = made
      return made
    }
  }
}
