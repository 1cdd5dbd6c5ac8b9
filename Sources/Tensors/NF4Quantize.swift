import CKernels

extension NF4Tensor {
  /// Quantises as bitsandbytes 0.50's `quantize_4bit(x, blocksize=64, quant_type="nf4", compress_statistics=double)`
  /// does on a CPU, bit for bit: codes, scales and offset.
  ///
  /// - Parameters:
  ///   - x: [out, in] float32, bfloat16 or float16, finite.
  ///   - double: Quantise the scales as well: 4.13 instead of 4.5 bits a weight.
  public static func quantize(_ x: Tensor, double: Bool) -> NF4Tensor {
    precondition(x.shape.count == 2 && x.count > 0, "NF4 of shape \(x.shape): expected [out, in]")
    let codes = Tensor([(x.count + 1) / 2], .uint8)
    let absmax = Tensor([blocks(of: x.count)], .float32)
    let k = Ops.kernels
    Ops.split(x.count, cost: 8, multiple: NF4.blockSize) { range in
      let start = range.lowerBound
      k.pointee.nf4_quantize(
        codes.pointer.assumingMemoryBound(to: UInt8.self) + start / 2,
        absmax.floatPointer + start / NF4.blockSize, x.pointer + start * x.dtype.byteCount, x.dtype.code,
        range.count)
    }
    return NF4Tensor(
      codes: codes, shape: x.shape, scales: double ? nested(absmax.floats) : .plain(absmax: absmax),
      originalDType: x.dtype)
  }

  /// The scales less their mean as 8-bit codes, in blocks of 256: bitsandbytes' `quantize_blockwise`.
  private static func nested(_ scales: [Float]) -> Scales {
    let offset = torchMean(scales)
    let codes = Tensor([scales.count], .uint8)
    let absmax = Tensor([nestedBlocks(of: scales.count)], .float32)
    for block in 0..<absmax.count {
      let range = block * NF4.nestedBlockSize..<min((block + 1) * NF4.nestedBlockSize, scales.count)
      let centred = scales[range].map { $0 - offset }
      let largest = centred.reduce(0) { max($0, $1.magnitude) }
      absmax.floatPointer[block] = largest
      for (i, value) in zip(range, centred) {
        codes.bytes[i] = dynamicCode(value / largest)
      }
    }
    return .nested(codes: codes, absmax: absmax, map: Tensor(NF4.dynamicMap, [256]), offset: offset)
  }

  /// The index of the nearest value of the dynamic map; the lower one of two equally near. NaN (a block of zeros) is 0.
  private static func dynamicCode(_ x: Float) -> UInt8 {
    let map = NF4.dynamicMap
    var (low, high) = (0, map.count)  // map[low] ≤ x < map[high], as far as the map goes
    while high - low > 1 {
      let middle = (low + high) / 2
      if x >= map[middle] { low = middle } else { high = middle }
    }
    if low < 255, (x - map[low + 1]).magnitude < (x - map[low]).magnitude { low += 1 }
    return UInt8(low)
  }

  /// The mean as torch computes it in float32 on one thread.
  private static func torchMean(_ x: [Float]) -> Float {
    x.reduce(0, +) / Float(x.count)
  }
}
