import CCard
import FireflyTensors

extension CardDevice {
  package func adamW(value: Tensor, gradient: Tensor, m: Tensor, v: Tensor, _ numbers: AdamWNumbers) {
    run(
      "adamW",
      card_adamw(
        card, value.float32, gradient.float32, m.float32, v.float32, numbers.onCard, Int64(value.count)))
  }

  package func adamW(
    value: Tensor, gradient: Tensor, m: ByteMoment, v: ByteMoment, _ numbers: AdamWNumbers
  ) {
    run(
      "adamW",
      card_adamw_bytes(
        card, value.float32, gradient.float32, m.onCard, v.onCard, numbers.onCard, Int64(value.count)))
  }
}

extension AdamWNumbers {
  fileprivate var onCard: card_adamw_numbers {
    card_adamw_numbers(
      gradient_scale: gradientScale, decay: decay, beta1: beta1, beta1_rest: beta1Rest, beta2: beta2,
      beta2_rest: beta2Rest, step_size: stepSize, correction: correction, epsilon: epsilon)
  }
}

extension ByteMoment {
  fileprivate var onCard: card_byte_moment {
    card_byte_moment(
      codes: codes.pointer.assumingMemoryBound(to: UInt8.self), absmax: absmax.float32,
      map: UnsafePointer(map.values.float32),
      codes_of_grid: UnsafePointer(map.codesOfGrid.pointer.assumingMemoryBound(to: UInt8.self)))
  }
}
