import FireflyBase
import FireflyTensors

/// The output head as generation reads it: in the form of its device, made at the first use.
///
/// With a large vocabulary and a small model the head is half of what a token reads.
final class DecodingHead: Sendable {
  private let form = Locked<RowWeight?>(nil)

  /// logits = x·weightᵀ, row by row.
  func multiply(_ logits: Matrix, _ x: Matrix, _ weight: Tensor) {  // [N, V] float32, [N, C] c, [V, C] c
    Ops.multiplyRows(logits, x, prepared(weight))
  }

  /// To be called after the head was changed.
  func forget() { form.withLock { $0 = nil } }

  private func prepared(_ weight: Tensor) -> RowWeight {
    form.withLock { form in
      if let form { return form }
      let made = RowWeight(weight)
      form = made
      return made
    }
  }
}
