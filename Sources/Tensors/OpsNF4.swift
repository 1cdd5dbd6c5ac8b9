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

  /// y[M, rows] = x[M, in] · weights[rows, in]ᵀ on the calling thread; M ≤ 8, all c.
  package static func nf4Gemv(_ y: Matrix, _ x: Matrix, _ weights: NF4Tensor, rows: Range<Int>) {
    checkGemv(y, x, outputs: weights.outputs, inputs: weights.inputs, rows: rows)
    let k = kernels
    weights.withKernelsView { view in
      k.pointee.nf4_gemv(
        y.pointer, y.stride, x.pointer, x.stride, x.dtype.code, x.rows, view, rows.lowerBound, rows.count)
    }
  }

  /// y[M, rows] = x[M, in] · weights[rows, in]ᵀ on the calling thread; M ≤ 8, all c, weights [out, in].
  package static func denseGemv(_ y: Matrix, _ x: Matrix, _ weights: Matrix, rows: Range<Int>) {
    checkGemv(y, x, outputs: weights.rows, inputs: weights.columns, rows: rows)
    precondition(weights.dtype == x.dtype, "gemv of \(x.dtype) and \(weights.dtype)")
    kernels.pointee.dense_gemv(
      y.pointer, y.stride, x.pointer, x.stride, x.dtype.code, x.rows, weights.row(rows.lowerBound),
      weights.stride, rows.count, x.columns)
  }

  private static func checkGemv(_ y: Matrix, _ x: Matrix, outputs: Int, inputs: Int, rows: Range<Int>) {
    checkCompute(x.dtype)
    precondition(y.dtype == x.dtype, "gemv: \(y.dtype) from \(x.dtype)")
    precondition(x.rows <= KERNELS_GEMV_ROWS, "gemv of \(x.rows) rows")
    precondition(
      x.columns == inputs && y.rows == x.rows && y.columns == rows.count && rows.lowerBound >= 0
        && rows.upperBound <= outputs,
      "gemv: [\(y.rows), \(y.columns)] from [\(x.rows), \(x.columns)] and rows \(rows) of [\(outputs), \(inputs)]"
    )
  }
}
