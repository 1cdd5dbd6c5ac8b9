import CKernels

extension CPU {
  package var multipliesBlocks: Bool { true }

  package func decodeBlocks(
    _ weights: BlockTensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix
  ) {
    let k = InstructionSet.kernels
    let view = weights.kernelsView
    CPU.split(rows.count, cost: columns.count) { range in
      withUnsafePointer(to: view) { view in
        k.pointee.blocks_decode(
          out.output(from: range.lowerBound), view, rows.lowerBound + range.lowerBound, columns.lowerBound,
          range.count, columns.count)
      }
    }
    withExtendedLifetime((weights, out)) {}
  }
}

/// Rows in 8 bits with a scale per 32: what products with blocks multiply while generating, where their rounding costs
/// less than decoding the weights would.
struct RoundedRows {
  private let codes: Tensor  // [T, groups·256] int8, in uint8 storage
  private let scales: Tensor  // [T, groups·8]
  private let sums: Tensor  // [T, groups·16]

  /// - Parameter x: `[T, in]` float32 or bfloat16; `in` a multiple of 32.
  init(_ x: Matrix) {
    let groups = kernels_groups(x.columns)
    codes = Tensor([x.rows, groups * 256], .uint8)
    scales = Tensor([x.rows, groups * 8], .float32)
    sums = Tensor([x.rows, groups * 16], .float32)
    var view = view
    InstructionSet.kernels.pointee.blocks_round(&view, x.input(), x.rows, x.columns)
  }

  /// Holds as long as this does.
  var view: kernels_rounded {
    kernels_rounded(
      codes: codes.pointer.assumingMemoryBound(to: Int8.self), scales: scales.floatPointer,
      sums: sums.floatPointer)
  }
}
