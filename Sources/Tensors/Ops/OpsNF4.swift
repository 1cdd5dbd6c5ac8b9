import CKernels

extension Ops {
  /// out = weights[rows, columns] in out's type (c), any range and alignment: what bitsandbytes' `dequantize_4bit` gives,
  /// bit for bit, when out has the weights' original type.
  ///
  /// Runs on the calling thread when `parallel` is false: a task decodes its own slice.
  public static func decodeNF4(
    _ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix, parallel: Bool = true
  ) {
    checkCompute(out.dtype)
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= weights.outputs && columns.lowerBound >= 0
        && columns.upperBound <= weights.inputs, "[\(rows), \(columns)] of \(weights.shape)")
    precondition(
      out.rows == rows.count && out.columns == columns.count,
      "[\(rows), \(columns)] into [\(out.rows), \(out.columns)]")
    let k = kernels
    weights.withKernelsView { view in
      let decode = { (range: Range<Int>) in
        k.pointee.nf4_decode(
          out.row(range.lowerBound), out.dtype.code, out.stride, view, rows.lowerBound + range.lowerBound,
          columns.lowerBound, range.count, columns.count)
      }
      if parallel { split(rows.count, cost: columns.count, decode) } else { decode(0..<rows.count) }
    }
  }
}
