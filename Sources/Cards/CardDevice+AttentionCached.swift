import CCard
import FireflyTensors

extension CardDevice {
  /// Rows of a sequence up to which each is computed by itself.
  private static let fewRows = 4

  package func attentionCached(
    _ out: Matrix, logSums: Tensor?, q: Matrix, adding new: NewKeyValues?, sequences: [CachedSequence],
    shape: AttentionShape
  ) {
    let rows = CachedRows(sequences, count: q.rows, shape)
    let many = rows.descriptions.count > CARD_FEW_CACHED ? uploaded(rows.descriptions) : nil
    let fits = max(shape.headDim, shape.valueDim) <= CARD_HEAD_LIMIT
    let alone = sequences.filter { fits && $0.rows.count <= CardDevice.fewRows }
    let slots = alone.flatMap { $0.rows.map(Int32.init) }
    // While answers are written every row is the only new one of its sequence, and attention appends them by the way.
    let areSingle = slots.count == q.rows && sequences.allSatisfy { $0.rows.count == 1 }
    var cached = rows.onCard(many?.elements)
    if let new, !areSingle {
      for covered in rows.covered {
        var of = rows.onCard(many?.elements, from: covered.lowerBound)
        append(new.k.rows(covered), new.v.rows(covered), &of)
      }
    }
    attendRows(out, logSums: logSums, q: q, adding: areSingle ? new : nil, &cached, slots: slots, shape)
    for sequence in sequences where !fits || sequence.rows.count > CardDevice.fewRows {
      attend(
        out.rows(sequence.rows), logSums: logSums?.matrix.columns(sequence.rows), q: q.rows(sequence.rows),
        k: sequence.keys,
        v: sequence.values, starts: [0, Int32(sequence.rows.count)], past: sequence.past, shape: shape)
    }
    withExtendedLifetime(many) {}
  }

  private func append(_ k: Matrix, _ v: Matrix, _ cached: inout card_cached_rows) {
    run(
      "attentionCached",
      card_append_rows(card, &cached, k.input, v.input, Int64(k.rows), Int64(k.columns), Int64(v.columns)))
  }

  private func attendRows(
    _ out: Matrix, logSums: Tensor?, q: Matrix, adding new: NewKeyValues?, _ cached: inout card_cached_rows,
    slots: [Int32], _ shape: AttentionShape
  ) {
    if slots.isEmpty { return }
    // While answers are written all rows are here, in their order.
    let areAll = slots.elementsEqual(0..<Int32(q.rows))
    let onCard = areAll ? nil : uploaded(slots)
    run(
      "attentionCached",
      card_attention_cached(
        card, out.output, logSums?.float32, Int64(q.rows), q.input, &cached, new?.k.input ?? card_in(),
        new?.v.input ?? card_in(), onCard?.elements, shape.slopes?.float32, shape.scale, shape.cap ?? 0,
        Int64(slots.count), Int64(shape.heads), Int64(shape.group), Int64(shape.headDim),
        Int64(shape.valueDim)))
    withExtendedLifetime(onCard) {}
  }
}

/// The new rows of all sequences, as kernels know them.
private struct CachedRows {
  /// By row of the step; those that belong to no sequence are zeros.
  var descriptions: [card_cached_row]
  /// The rows that belong to sequences, as few ranges as there are.
  var covered: [Range<Int>] = []

  init(_ sequences: [CachedSequence], count: Int, _ shape: AttentionShape) {
    descriptions = Array(repeating: card_cached_row(), count: count)
    for sequence in sequences {
      for (place, row) in sequence.rows.enumerated() {
        let own = sequence.past + place
        descriptions[row] = card_cached_row(
          keys: UInt64(UInt(bitPattern: sequence.keys.pointer)),
          values: UInt64(UInt(bitPattern: sequence.values.pointer)),
          key_stride: Int64(sequence.keys.stride), value_stride: Int64(sequence.values.stride),
          first: Int64(shape.firstKey(of: own)), count: Int64(own + 1))
      }
    }
    for sequence in sequences.sorted(by: { $0.rows.lowerBound < $1.rows.lowerBound }) {
      if let last = covered.last, last.upperBound == sequence.rows.lowerBound {
        covered[covered.count - 1] = last.lowerBound..<sequence.rows.upperBound
      } else {
        covered.append(sequence.rows)
      }
    }
  }
  /// With the launch where they are few, otherwise where `many` of them lie on the card; from row `first` on.
  func onCard(_ many: UnsafePointer<card_cached_row>?, from first: Int = 0) -> card_cached_rows {
    var rows = card_cached_rows()
    if let many {
      rows.many = many + first
    } else {
      withUnsafeMutableBytes(of: &rows.few) { few in
        descriptions[first...].withUnsafeBytes { few.copyMemory(from: $0) }
      }
    }
    return rows
  }
}
