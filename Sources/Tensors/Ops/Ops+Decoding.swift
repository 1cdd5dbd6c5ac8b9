extension Ops {
  /// out = weights[rows, columns] in out's type (c): any range of any form of a matrix.
  package static func decode(
    _ weights: LinearWeight, rows: Range<Int>, columns: Range<Int>, into out: Matrix
  ) {
    switch weights {
    case .dense(let tensor): convert(out, tensor.matrix.rows(rows).columns(columns))
    case .nf4(let tensor): decodeNF4(tensor, rows: rows, columns: columns, into: out)
    case .blocks(let tensor): decodeBlocks(tensor, rows: rows, columns: columns, into: out)
    }
  }

  /// The whole matrix.
  package static func decode(_ weights: LinearWeight, into out: Matrix) {
    decode(weights, rows: 0..<weights.outputs, columns: 0..<weights.inputs, into: out)
  }

  /// out[T, C] float32 = the rows of table[V, C] that `tokens` name.
  package static func embed(_ out: Matrix, table: LinearWeight, tokens: [Int32]) {
    if case .dense(let tensor) = table { return embed(out, table: tensor, tokens: tokens) }
    precondition(out.rows == tokens.count, "\(tokens.count) tokens into \(out.rows) rows")
    for (row, token) in tokens.enumerated() {
      decode(
        table, rows: Int(token)..<Int(token) + 1, columns: 0..<out.columns, into: out.rows(row..<row + 1))
    }
  }

  /// out = weights[rows, columns] in out's type (c), any range and alignment; in float32 what ggml's own decoding gives, bit
  /// for bit.
  package static func decodeBlocks(
    _ weights: BlockTensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix
  ) {
    checkDecoding(weights.shape, rows, columns, out)
    let device = device(out.storage, weights.bytes.storage)
    Ledger.measure(.elementwise) { device.decodeBlocks(weights, rows: rows, columns: columns, into: out) }
  }

  private static func checkDecoding(_ shape: [Int], _ rows: Range<Int>, _ columns: Range<Int>, _ out: Matrix)
  {
    checkCompute(out.dtype)
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= shape[0] && columns.lowerBound >= 0
        && columns.upperBound <= shape[1], "[\(rows), \(columns)] of \(shape)")
    precondition(
      out.rows == rows.count && out.columns == columns.count,
      "[\(rows), \(columns)] into [\(out.rows), \(out.columns)]")
  }

  /// out = weights[rows, columns] in out's type (c), any range and alignment: what bitsandbytes' `dequantize_4bit` gives,
  /// bit for bit, when out has the weights' original type.
  package static func decodeNF4(
    _ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix
  ) {
    checkDecoding(weights.shape, rows, columns, out)
    let device = device(out.storage, weights.codes.storage)
    Ledger.measure(.elementwise) { device.decodeNF4(weights, rows: rows, columns: columns, into: out) }
  }
}
