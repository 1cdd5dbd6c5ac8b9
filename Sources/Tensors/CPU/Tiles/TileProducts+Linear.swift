extension TileProducts {
  /// y = x·W[outputs]ᵀ + h·B[outputs]ᵀ for some outputs of a part.
  func multiply(_ y: Matrix, _ x: Matrix, _ h: Matrix?, _ part: LinearPart, outputs: Range<Int>) {
    var terms = [term(x, part, rows: outputs)]
    if let h, h.columns > 0, let b = part.adapterB {
      terms.append(Term(h, b.matrix.rows(outputs), transposed: true))
    }
    multiply(y, terms)
  }

  /// dx (+)= Σ dyᵢ·Wᵢ[:, inputs] + dLow·A for some inputs; dy has the parts' outputs side by side.
  ///
  /// - Parameter pairs: dLow and A of these rows and inputs, without dropped elements; nil: 0.
  func multiplyTransposed(
    _ dx: Matrix, _ dy: Matrix, _ parts: [LinearPart], inputs: Range<Int>, through pairs: LowRankGradient?,
    accumulate: Bool
  ) {
    var adding = accumulate
    func add(_ terms: [Term]) {
      if terms.isEmpty { return }
      multiply(dx, terms, accumulate: adding)
      adding = true
    }
    var terms: [Term] = []
    var first = 0
    for part in parts {
      let rows = dy.columns(first..<first + part.outputs)
      switch part.weight {
      case .dense(let tensor): terms.append(Term(rows, tensor.matrix.columns(inputs), transposed: false))
      case .nf4(let tensor):
        terms.append(Term(rows, tensor, row: 0, column: inputs.lowerBound, transposed: false))
      case .blocks:
        add(terms)
        terms = []
        for start in stride(from: 0, to: part.outputs, by: LinearPart.panelRows) {
          let own = start..<min(start + LinearPart.panelRows, part.outputs)
          let decoded = part.block(rows: own, columns: inputs, dy.dtype)
          add([Term(rows.columns(own), decoded, transposed: false)])
        }
      }
      first += part.outputs
    }
    if let pairs { terms.append(Term(pairs.low, pairs.a, transposed: false)) }
    add(terms)
  }

  private func term(_ x: Matrix, _ part: LinearPart, rows: Range<Int>) -> Term {
    switch part.weight {
    case .dense(let tensor): Term(x, tensor.matrix.rows(rows), transposed: true)
    case .nf4(let tensor): Term(x, tensor, row: rows.lowerBound, column: 0, transposed: true)
    case .blocks: Term(x, part.block(rows: rows, columns: 0..<part.inputs, x.dtype), transposed: true)
    }
  }
}
