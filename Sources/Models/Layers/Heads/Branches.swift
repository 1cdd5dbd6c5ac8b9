import FireflyTensors

/// Sequences of which some continue another one, their trunk: two answers to one prompt, which is read once for both.
///
/// A branch sees its trunk's rows as if they stood before its own, and its positions go on from there. Branches do not see
/// each other. All but attention takes the rows as they lie; attention takes them laid out sequence by sequence, the
/// trunk's once for each branch.
struct Branches {
  /// Rows of the pass, in pieces, that stand at one place of the layout.
  private struct Piece {
    let rows: Range<Int>
    let place: Range<Int>
    /// Not the first piece of the layout with these rows.
    let isRepeated: Bool
  }

  /// Where each sequence of the layout begins, and at the end its rows.
  let starts: [Int32]
  /// Rows before each sequence of the pass that it continues.
  let offsets: [Int]  // [S]
  private let pieces: [Piece]

  private var rowCount: Int { Int(starts[starts.count - 1]) }

  /// - Parameters:
  ///   - starts: `[S+1]` offsets of the sequences in the pass.
  ///   - trunks: `[S]`, the number of the sequence before it that each one continues, or -1; a trunk continues none.
  init(starts: [Int32], trunks: [Int32]) {
    precondition(trunks.count == starts.count - 1, "\(trunks.count) trunks of \(starts.count - 1) sequences")
    let ranges = zip(starts, starts.dropFirst()).map { Int($0)..<Int($1) }
    var pieces: [Piece] = []
    var bounds: [Int32] = [0]
    var laid: Set<Int32> = []
    var offsets = [Int](repeating: 0, count: ranges.count)
    var end = 0
    func add(_ sequence: Int, repeated: Bool = false) {
      let rows = ranges[sequence]
      pieces.append(Piece(rows: rows, place: end..<end + rows.count, isRepeated: repeated))
      end += rows.count
    }
    for (sequence, trunk) in trunks.enumerated() where !trunks.contains(Int32(sequence)) {
      if trunk >= 0 {
        precondition(trunk < sequence && trunks[Int(trunk)] < 0, "sequence \(sequence) continues \(trunk)")
        add(Int(trunk), repeated: !laid.insert(trunk).inserted)
        offsets[sequence] = ranges[Int(trunk)].count
      }
      add(sequence)
      bounds.append(Int32(end))
    }
    self.starts = bounds
    self.offsets = offsets
    self.pieces = pieces
  }

  /// The rows of `x`, `[T, C]`, laid out.
  func laidOut(_ x: Matrix) -> Matrix {  // → [L, C]
    let out = Tensor([rowCount, x.columns], x.dtype, on: x.device).matrix
    for piece in pieces { Ops.convert(out.rows(piece.place), x.rows(piece.rows)) }
    return out
  }

  /// The gradient of `laidOut` where only the first piece with a trunk's rows was read on: of the others it is zero.
  func laidOutOnce(_ dx: Matrix) -> Matrix {  // [T, C] → [L, C]
    let out = Tensor.zeros([rowCount, dx.columns], dx.dtype, on: dx.device).matrix
    for piece in pieces where !piece.isRepeated { Ops.convert(out.rows(piece.place), dx.rows(piece.rows)) }
    return out
  }

  /// out = the rows of the pass from the layout, a trunk's from its first piece.
  func gather(_ out: Matrix, _ laidOut: Matrix) {  // [L, C] → [T, C]
    for piece in pieces where !piece.isRepeated {
      Ops.convert(out.rows(piece.rows), laidOut.rows(piece.place))
    }
  }

  /// out = the rows of the pass from the layout, a trunk's from all of its pieces added up.
  func sum(_ out: Matrix, _ laidOut: Matrix) {  // [L, C] → [T, C]
    let total = Tensor([out.rows, out.columns], .float32, on: out.device).matrix
    for piece in pieces {
      let (rows, part) = (total.rows(piece.rows), laidOut.rows(piece.place))
      piece.isRepeated ? Ops.add(rows, part) : Ops.convert(rows, part)
    }
    Ops.convert(out, total)
  }
}

extension Branches {
  /// `Ops.attention`, each branch behind its trunk.
  ///
  /// - Returns: the log sums of the layout's rows, `[heads, L]`.
  func attention(_ out: Matrix, _ heads: HeadMatrices, _ shape: AttentionShape) -> Tensor {
    let logSums = Tensor([shape.heads, rowCount], .float32, on: out.device)
    let q = laidOut(heads.q)
    let attended = Tensor([rowCount, out.columns], out.dtype, on: out.device).matrix
    Ops.attention(
      attended, logSums: logSums, q: q, k: laidOut(heads.k), v: laidOut(heads.v), starts: starts, shape: shape
    )
    gather(out, attended)
    return logSums
  }

  /// The gradient of `attention`: sets `gradients`.
  func attentionGradient(
    _ gradients: HeadMatrices, dSinks: Tensor?, dout: Matrix, out: Matrix, logSums: Tensor,
    _ heads: HeadMatrices,
    _ shape: AttentionShape
  ) {
    func buffer(_ x: Matrix) -> Matrix { Tensor([rowCount, x.columns], x.dtype, on: x.device).matrix }
    let (dq, dk, dv) = (buffer(gradients.q), buffer(gradients.k), buffer(gradients.v))
    Ops.attentionGradient(
      dq: dq, dk: dk, dv: dv, dSinks: dSinks, dout: laidOutOnce(dout), out: laidOut(out), logSums: logSums,
      q: laidOut(heads.q), k: laidOut(heads.k), v: laidOut(heads.v), starts: starts, shape: shape)
    sum(gradients.q, dq)
    sum(gradients.k, dk)
    sum(gradients.v, dv)
  }
}
