extension NF4Tensor {
  /// Quantises as bitsandbytes 0.50's `quantize_4bit(x, blocksize=64, quant_type="nf4", compress_statistics=double)`
  /// does on a CPU, bit for bit: codes, scales and offset.
  ///
  /// - Parameters:
  ///   - x: [out, in] float32, bfloat16 or float16, finite.
  ///   - double: Quantise the scales as well: 4.13 instead of 4.5 bits a weight.
  package static func quantize(_ x: Tensor, double: Bool) -> NF4Tensor {
    precondition(x.shape.count == 2 && x.count > 0, "NF4 of shape \(x.shape): expected [out, in]")
    let codes = Tensor([(x.count + 1) / 2], .uint8)
    let absmax = Tensor([blocks(of: x.count)], .float32)
    CPU.shared.quantizeNF4(codes: codes, absmax: absmax, x.on(.cpu))
    return NF4Tensor(
      codes: codes, shape: x.shape, scales: double ? nested(absmax.floats) : .plain(absmax: absmax),
      originalDType: x.dtype)
  }

  /// The scales less their mean as 8-bit codes, in blocks of 256: bitsandbytes' `quantize_blockwise`.
  private static func nested(_ scales: [Float]) -> Scales {
    let offset = TorchSum.sum(scales) / Float(scales.count)
    var codes: [UInt8] = []
    let absmax = Tensor([nestedBlocks(of: scales.count)], .float32)
    for block in 0..<absmax.count {
      let range = block * NF4.nestedBlockSize..<min((block + 1) * NF4.nestedBlockSize, scales.count)
      let largest = range.reduce(0) { max($0, (scales[$1] - offset).magnitude) }
      absmax.floatPointer[block] = largest
      codes += scales[range].map {
        largest == 0 ? 0 : DynamicMap.signed.code(of: ($0 - offset) * (1 / largest))
      }
    }
    return .nested(
      codes: Tensor(bytes: codes, [codes.count]), absmax: absmax,
      map: Tensor(DynamicMap.signed.values, [256]),
      offset: offset)
  }
}

/// torch's sum of contiguous float32 on one thread, in its order, which bitsandbytes' offset depends on:
/// four vectors of eight side by side, added up over four levels of partial sums.
private enum TorchSum {
  private static let vectors = 4
  private static let levels = 4

  static func sum(_ x: [Float]) -> Float {
    let width = x.count >= 8 ? 8 : 1
    let lanes = vectors * width
    let rows = x.count / lanes
    var partial = cascade(x, rows: rows, lanes: lanes)
    let wholeVectors = x.count / width
    for vector in rows * vectors..<wholeVectors {
      for lane in 0..<width { partial[lane] += x[vector * width + lane] }
    }
    for vector in 1..<vectors {
      for lane in 0..<width { partial[lane] += partial[vector * width + lane] }
    }
    let rest = x[(wholeVectors * width)...].reduce(0, +)
    return partial[..<width].reduce(rest, +)
  }

  /// Sums over the rows of x[rows, lanes]. A level takes 2^power sums of the one below.
  private static func cascade(_ x: [Float], rows: Int, lanes: Int) -> [Float] {
    let power = max(4, ceilLog2(rows) / levels)
    let step = 1 << power
    var sums = [[Float]](repeating: [Float](repeating: 0, count: lanes), count: levels)
    for row in 0..<rows {
      for lane in 0..<lanes { sums[0][lane] += x[row * lanes + lane] }
      let done = row + 1
      guard done % step == 0 else { continue }
      for level in 1..<levels {
        for lane in 0..<lanes { sums[level][lane] += sums[level - 1][lane] }
        sums[level - 1] = [Float](repeating: 0, count: lanes)
        if done & ((step - 1) << (level * power)) != 0 { break }
      }
    }
    for level in 1..<levels {
      for lane in 0..<lanes { sums[0][lane] += sums[level][lane] }
    }
    return sums[0]
  }

  private static func ceilLog2(_ x: Int) -> Int {
    x <= 1 ? 0 : Int.bitWidth - (x - 1).leadingZeroBitCount
  }
}
