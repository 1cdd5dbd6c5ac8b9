import FireflyTensors

/// The parameter that a head's matrix follows from.
struct TrainedHead {
  let parameter: Parameter  // [V, C]
  let form: Form

  enum Form {
    /// The embedding's copy, which the embedding renews.
    case tied
    /// A copy of its own.
    case own
    /// Each row divided by its length: Baichuan 2's.
    case normalized
  }

  func renew(_ weight: Tensor) {  // [V, C] c
    switch form {
    case .tied: break
    case .own:
      if parameter.copy == nil, weight.dtype != parameter.value.dtype {
        weight.follow(parameter.value)
      }
    case .normalized: UnitRows.normalize(parameter.value, into: weight)
    }
  }

  /// gradient += the derivative for the logits' gradient of some rows and the head's input in them.
  func addGradient(_ dLogits: Matrix, _ x: Matrix) {  // [n, V], [n, C] c
    guard form == .normalized else { return parameter.addProduct(dLogits, x) }
    UnitRows.addGradient(of: parameter, dLogits, x)
  }
}

/// A matrix with each row divided by its length, and the derivative: an RMSNorm of the rows with the weight 1/√C.
package enum UnitRows {
  /// Rows that are held in float32 at a time.
  private static let blockRows = 1024

  package static func normalize(_ weight: Tensor, into result: Tensor) {  // [V, C], [V, C]
    let norm = norm(columns: weight.columns, weight.device)
    forEachBlock(weight) { rows, wide in _ = norm.forward(into: result.matrix.rows(rows), wide) }
  }

  /// gradient += the derivative through the division of dLogitsᵀ·x, which is linear in it: block by block.
  static func addGradient(of parameter: Parameter, _ dLogits: Matrix, _ x: Matrix) {  // [n, V], [n, C] c
    let norm = norm(columns: x.columns, x.device)
    forEachBlock(parameter.value) { rows, wide in
      let dRows = Tensor([rows.count, x.columns], .float32, on: x.device)
      Ops.matmul(dRows.matrix, dLogits.columns(rows), x, transposeA: true)
      let unit = Tensor([rows.count, x.columns], .float32, on: x.device)
      let saved = norm.forward(into: unit.matrix, wide)
      parameter.addInFloat32(rows: rows) { norm.backward($0, dRows.matrix, wide, saved) }
    }
  }

  /// x / √(mean x² + ε) · 1/√C, with the smallest of ε: rows of zeros stay zero.
  private static func norm(columns: Int, _ device: any Device) -> Norm {
    let factor = 1 / Float(columns).squareRoot()
    return Norm(
      weight: Tensor([Float](repeating: factor, count: columns), [columns], on: device), bias: nil,
      epsilon: 1e-24 / Float(columns))
  }

  private static func forEachBlock(_ weight: Tensor, _ body: (Range<Int>, _ wide: Matrix) -> Void) {
    for start in stride(from: 0, to: weight.rows, by: blockRows) {
      let rows = start..<min(start + blockRows, weight.rows)
      let wide = Tensor([rows.count, weight.columns], .float32, on: weight.device)
      Ops.convert(wide.matrix, weight.matrix.rows(rows))
      body(rows, wide.matrix)
    }
  }
}
