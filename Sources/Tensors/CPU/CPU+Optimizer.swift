import CKernels

extension CPU {
  package func adamW(value: Tensor, gradient: Tensor, m: Tensor, v: Tensor, _ numbers: AdamWNumbers) {
    let k = InstructionSet.kernels
    withUnsafePointer(to: numbers.kernels) { numbers in
      CPU.split(value.count, cost: 4, multiple: 16) { range in
        let start = range.lowerBound
        k.pointee.adamw(
          value.floatPointer + start, gradient.floatPointer + start, m.floatPointer + start,
          v.floatPointer + start, range.count, numbers)
      }
    }
  }

  package func adamW(
    value: Tensor, gradient: Tensor, m: ByteMoment, v: ByteMoment, _ numbers: AdamWNumbers
  ) {
    let k = InstructionSet.kernels
    m.withKernelsView { m in
      v.withKernelsView { v in
        withUnsafePointer(to: numbers.kernels) { numbers in
          CPU.split(value.count, cost: 16, multiple: ByteMoment.blockSize) { range in
            let start = range.lowerBound
            k.pointee.adamw_bytes(
              value.floatPointer + start, gradient.floatPointer + start, m, v, start / ByteMoment.blockSize,
              range.count, numbers)
          }
        }
      }
    }
  }
}

extension AdamWNumbers {
  fileprivate var kernels: kernels_adamw {
    kernels_adamw(
      gradient_scale: gradientScale, decay: decay, beta1: beta1, beta1_rest: beta1Rest, beta2: beta2,
      beta2_rest: beta2Rest, step_size: stepSize, correction: correction, epsilon: epsilon)
  }
}

extension ByteMoment {
  fileprivate func withKernelsView(_ body: (UnsafePointer<kernels_byte_moment>) -> Void) {
    withUnsafePointer(
      to: kernels_byte_moment(
        codes: codes.pointer.assumingMemoryBound(to: UInt8.self), absmax: absmax.floatPointer,
        map: map.values.floatPointer,
        codes_of_grid: map.codesOfGrid.pointer.assumingMemoryBound(to: UInt8.self)),
      body)
  }
}
