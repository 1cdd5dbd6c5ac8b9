extension Ops {
  /// out = weights[rows, columns] in out's type (c), any range and alignment: what bitsandbytes' `dequantize_4bit` gives,
  /// bit for bit, when out has the weights' original type.
  package static func decodeNF4(
    _ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix
  ) {
    checkCompute(out.dtype)
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= weights.outputs && columns.lowerBound >= 0
        && columns.upperBound <= weights.inputs, "[\(rows), \(columns)] of \(weights.shape)")
    precondition(
      out.rows == rows.count && out.columns == columns.count,
      "[\(rows), \(columns)] into [\(out.rows), \(out.columns)]")
    let device = device(out.storage, weights.codes.storage)
    Ledger.measure(.elementwise) { device.decodeNF4(weights, rows: rows, columns: columns, into: out) }
  }
}
