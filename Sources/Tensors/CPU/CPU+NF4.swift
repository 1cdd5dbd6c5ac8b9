import CKernels

extension CPU {
  package func decodeNF4(_ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix) {
    let k = InstructionSet.kernels
    weights.withKernelsView { view in
      CPU.split(rows.count, cost: columns.count) { range in
        k.pointee.nf4_decode(
          out.output(from: range.lowerBound), view, rows.lowerBound + range.lowerBound, columns.lowerBound,
          range.count, columns.count)
      }
    }
  }

  /// Codes and scales of x, as bitsandbytes makes them: quantising is done here, whatever device the result goes to.
  func quantizeNF4(codes: Tensor, absmax: Tensor, _ x: Tensor) {
    let k = InstructionSet.kernels
    CPU.split(x.count, cost: 8, multiple: NF4.blockSize) { range in
      let start = range.lowerBound
      k.pointee.nf4_quantize(
        codes.pointer.assumingMemoryBound(to: UInt8.self) + start / 2,
        absmax.floatPointer + start / NF4.blockSize, x.pointer + start * x.dtype.byteCount, x.dtype.code,
        range.count)
    }
  }
}

extension kernels_nf4 {
  /// Addresses that hold as long as the matrix lives.
  init(codes: Tensor, columns: Int, scales: NF4Tensor.Scales, dtype: DType) {
    self.init(
      codes: codes.pointer.assumingMemoryBound(to: UInt8.self), absmax: nil, absmax_codes: nil,
      nested_absmax: nil, nested_map: nil, nested_offset: 0, columns: columns, dtype: dtype.code)
    switch scales {
    case .plain(let absmax):
      self.absmax = UnsafePointer(absmax.floatPointer)
    case .nested(let codes, let absmax, let map, let offset):
      absmax_codes = UnsafePointer(codes.pointer.assumingMemoryBound(to: UInt8.self))
      nested_absmax = UnsafePointer(absmax.floatPointer)
      nested_map = UnsafePointer(map.floatPointer)
      nested_offset = offset
    }
  }
}

extension NF4Tensor {
  /// Calls `body` with the kernels' view of this matrix.
  package func withKernelsView<Result>(_ body: (UnsafePointer<kernels_nf4>) -> Result) -> Result {
    var view = kernelsView
    return withExtendedLifetime(self) { withUnsafePointer(to: &view, body) }
  }
}
