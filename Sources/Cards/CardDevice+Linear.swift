import CCard
import FireflyTensors

/// A card reads a weight row by row as it is.
private struct CardRows: RowWeightForm {
  let weight: Tensor
}

extension CardDevice {
  /// Rows from which on decoding a weight and multiplying costs less than reading it once for every 8 of them, or for every
  /// 32 where tensor cores do.
  private var fewRows: Int { card.pointee.has_tiles != 0 ? 32 : 8 }
  /// The same where each row should have the same bits beside any others. More are read by the library's products, whose
  /// last bits may depend on how many there are.
  private static let fewRowsByThemselves = 64

  package func linear(_ y: Matrix, _ x: Matrix, parts: [LinearPart], low: [Matrix?], rowByRow: Bool) {
    let areFew = x.rows <= (rowByRow ? CardDevice.fewRowsByThemselves : fewRows)
    let areTogether = areFew && multiplyRowsTogether(y, x, parts, low)
    var first = 0
    for (part, h) in zip(parts, low) {
      let out = y.columns(first..<first + part.outputs)
      if areFew {
        if !areTogether { multiplyRows(out, x, part, h) }
      } else {
        multiply(out, x, part, h)
      }
      if let bias = part.bias { addBias(out, bias) }
      first += part.outputs
    }
  }

  /// The thin product comes first: where y is narrower than float32 it is the smaller one that is rounded twice.
  private func multiply(_ y: Matrix, _ x: Matrix, _ part: LinearPart, _ h: Matrix?) {
    var adding = false
    if let h, let b = part.adapterB {
      multiply(CardProduct(out: y, a: h, b: b.matrix, transposeB: true))
      adding = true
    }
    let w = dense(part.weight, x.dtype)
    multiply(CardProduct(out: y, a: x, b: w, transposeB: true, accumulate: adding))
    withExtendedLifetime(w) {}
  }

  package func linearInputGradient(_ dx: Matrix, _ dy: Matrix, parts: [LinearPart], accumulate: Bool) {
    var (first, adding) = (0, accumulate)
    for part in parts {
      let w = dense(part.weight, dy.dtype)
      multiply(
        CardProduct(
          out: dx, a: dy.columns(first..<first + part.outputs), b: w, accumulate: adding))
      withExtendedLifetime(w) {}
      first += part.outputs
      adding = true
    }
  }

  /// The weight itself, or a decoded copy.
  private func dense(_ weight: LinearWeight, _ dtype: DType) -> Matrix {
    switch weight {
    case .dense(let tensor): return tensor.matrix
    case .nf4(let tensor):
      let decoded = Tensor([tensor.outputs, tensor.inputs], dtype, on: self).matrix
      decodeNF4(tensor, rows: 0..<tensor.outputs, columns: 0..<tensor.inputs, into: decoded)
      return decoded
    case .blocks(let tensor): preconditionFailure("\(tensor.format) blocks on a card")
    }
  }

  package func decodeNF4(_ weights: NF4Tensor, rows: Range<Int>, columns: Range<Int>, into out: Matrix) {
    run(
      "decodeNF4",
      card_nf4_decode(
        card, out.output, weights.onCard, Int64(rows.lowerBound), Int64(columns.lowerBound),
        Int64(rows.count), Int64(columns.count)))
  }

  // MARK: Few rows

  private func multiplyRows(_ y: Matrix, _ x: Matrix, _ part: LinearPart, _ h: Matrix?) {
    let b = h == nil ? nil : part.adapterB?.matrix
    let (low, back) = (h?.input ?? card_in(), b?.input ?? card_in())
    let (rows, outputs, thin) = (Int64(x.rows), Int64(part.outputs), Int64(h?.columns ?? 0))
    switch part.weight {
    case .dense(let tensor):
      run(
        "linear",
        card_dense_rows(
          card, y.output, x.input, tensor.matrix.input, low, back, rows, outputs, Int64(part.inputs), thin))
    case .nf4(let tensor):
      run("linear", card_nf4_rows(card, y.output, x.input, tensor.onCard, low, back, rows, outputs, thin))
    case .blocks(let tensor): preconditionFailure("\(tensor.format) blocks on a card")
    }
  }

  /// Up to three weights of one kind without low-rank pairs in one launch.
  ///
  /// - Returns: false where they are none such, and nothing is done.
  private func multiplyRowsTogether(
    _ y: Matrix, _ x: Matrix, _ parts: [LinearPart], _ low: [Matrix?]
  ) -> Bool {
    guard (2...Int(CARD_ROW_PARTS)).contains(parts.count), low.allSatisfy({ $0 == nil }) else {
      return false
    }
    let outputs = Triple(parts.map { Int64($0.outputs) }, or: 0).values
    let whole = parts.compactMap { if case .dense(let tensor) = $0.weight { tensor } else { nil } }
    let packed = parts.compactMap { if case .nf4(let tensor) = $0.weight { tensor } else { nil } }
    if whole.count == parts.count {
      let weights = Triple(whole.map(\.matrix.input), or: card_in()).values
      var all = card_dense_parts(w: weights, outputs: outputs)
      run(
        "linear",
        card_dense_rows_of(card, y.output, x.input, &all, Int64(x.rows), Int64(parts[0].inputs)))
    } else if packed.count == parts.count {
      var all = card_nf4_parts(w: Triple(packed.map(\.onCard), or: packed[0].onCard).values, outputs: outputs)
      run("linear", card_nf4_rows_of(card, y.output, x.input, &all, Int64(x.rows)))
    } else {
      return false
    }
    return true
  }

  package func prepareRows(_ weight: Tensor) -> any RowWeightForm { CardRows(weight: weight) }
  package func rowWeightBytes(_ weight: Tensor) -> Int { weight.byteCount }

  package func multiplyRows(_ y: Matrix, _ x: Matrix, _ weight: any RowWeightForm) {
    guard let weight = (weight as? CardRows)?.weight else {
      preconditionFailure("a weight that another device prepared")
    }
    run(
      "multiplyRows",
      card_dense_rows(
        card, y.output, x.input, weight.matrix.input, card_in(), card_in(), Int64(x.rows),
        Int64(weight.shape[0]), Int64(weight.shape[1]), 0))
  }
}

/// An array of three in C: up to three elements, and another for those that are not there.
private struct Triple<Element> {
  let values: (Element, Element, Element)

  init(_ elements: [Element], or absent: Element) {
    func element(_ i: Int) -> Element { i < elements.count ? elements[i] : absent }
    values = (element(0), element(1), element(2))
  }
}
