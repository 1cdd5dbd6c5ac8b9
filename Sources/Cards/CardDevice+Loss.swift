import CCard
import FireflyTensors

extension CardDevice {
  package func crossEntropy(
    _ losses: Tensor, logits: Matrix, labels: [Int32], gradient: Matrix?, weights: Tensor?
  ) {
    let labels = uploaded(labels)
    run(
      "crossEntropy",
      card_cross_entropy(
        card, losses.float32, gradient?.output ?? card_out(), logits.input, labels.elements, weights?.float32,
        Int64(logits.rows), Int64(logits.columns)))
    withExtendedLifetime(labels) {}
  }

  package func isLargest(_ flags: Tensor, _ x: Matrix, columns: [Int32]) {
    let columns = uploaded(columns)
    run(
      "isLargest",
      card_is_largest(
        card, flags.pointer.assumingMemoryBound(to: UInt8.self), x.input, columns.elements, Int64(x.rows),
        Int64(x.columns)))
    withExtendedLifetime(columns) {}
  }

  package func sumsOfSquares(_ tensors: [Tensor]) -> [Double] {
    let size = MemoryLayout<Double>.size
    let sums = Tensor([tensors.count * size], .uint8, on: self)
    let room = Tensor([CARD_SQUARES_ROOM * size], .uint8, on: self)
    for (i, x) in tensors.enumerated() {
      run(
        "sumsOfSquares",
        card_sum_of_squares(
          card, sums.pointer.assumingMemoryBound(to: Double.self) + i,
          room.pointer.assumingMemoryBound(to: Double.self), x.float32, Int64(x.count)))
    }
    withExtendedLifetime(room) {}
    return sums.withHostBytes { Array($0.bindMemory(to: Double.self)) }
  }

  package func hasNonFinite(_ x: Tensor) -> Bool {
    let flag = Tensor.zeros([1], .int32, on: self)
    let flat = x.reshaped([1, x.count]).matrix
    run(
      "hasNonFinite",
      card_find_non_finite(
        card, flag.pointer.assumingMemoryBound(to: Int32.self), flat.input, Int64(x.count)))
    return flag.withHostBytes { $0.loadUnaligned(as: Int32.self) } != 0
  }
}
