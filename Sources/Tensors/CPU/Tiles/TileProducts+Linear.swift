extension TileProducts {
  /// y = x·W[outputs]ᵀ + h·B[outputs]ᵀ for some outputs of a part.
  func multiply(_ y: Matrix, _ x: Matrix, _ h: Matrix?, _ part: LinearPart, outputs: Range<Int>) {
    var terms = [term(x, part.weight, rows: outputs)]
    if let h, h.columns > 0, let b = part.adapterB {
      terms.append(Term(h, b.matrix.rows(outputs), transposed: true))
    }
    multiply(y, terms)
  }

  /// dx (+)= Σ dyᵢ·Wᵢ[:, inputs] for some inputs; dy has the parts' outputs side by side.
  func multiplyTransposed(
    _ dx: Matrix, _ dy: Matrix, _ parts: [LinearPart], inputs: Range<Int>, accumulate: Bool
  ) {
    var terms: [Term] = []
    var first = 0
    for part in parts {
      let rows = dy.columns(first..<first + part.outputs)
      switch part.weight {
      case .dense(let tensor): terms.append(Term(rows, tensor.matrix.columns(inputs), transposed: false))
      case .nf4(let tensor):
        terms.append(Term(rows, tensor, row: 0, column: inputs.lowerBound, transposed: false))
      }
      first += part.outputs
    }
    multiply(dx, terms, accumulate: accumulate)
  }

  private func term(_ x: Matrix, _ weight: LinearWeight, rows: Range<Int>) -> Term {
    switch weight {
    case .dense(let tensor): Term(x, tensor.matrix.rows(rows), transposed: true)
    case .nf4(let tensor): Term(x, tensor, row: rows.lowerBound, column: 0, transposed: true)
    }
  }
}
