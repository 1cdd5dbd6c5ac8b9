import FireflyTensors

/// Heads of latent attention between the order of the projections and that of `Ops.attention`.
///
/// A projection gives each head what does not turn and then what does (q), or what does not turn and the value (k and v).
/// Attention gets each head's turning part first, so that one rotation finds it: a score does not depend on the order.
struct LatentLayout {
  let heads: Int  // H
  let latent: LatentHeads

  private var plain: Int { latent.plainDim }
  private var turning: Int { latent.rotaryDim }
  private var value: Int { latent.valueDim }
  private var size: Int { latent.headDim }

  /// Queries for the attention, not turned yet.
  func queries(_ y: Tensor) -> Tensor {  // [T, H·(N + P)] → [T, H·(P + N)]
    let q = Tensor(y.shape, y.dtype, on: y.device)
    for (own, theirs) in queryParts(q, y) { Ops.convert(own, theirs) }
    return q
  }

  /// The gradient of `queries`.
  func queriesGradient(_ dq: Tensor) -> Tensor {  // [T, H·(P + N)] → [T, H·(N + P)]
    let dy = Tensor(dq.shape, dq.dtype, on: dq.device)
    for (own, theirs) in queryParts(dq, dy) { Ops.convert(theirs, own) }
    return dy
  }

  private func queryParts(_ q: Tensor, _ y: Tensor) -> [(Matrix, Matrix)] {
    let (own, theirs) = (byHead(q, size), byHead(y, size))
    return [
      (own.columns(0..<turning), theirs.columns(plain..<size)),
      (own.columns(turning..<size), theirs.columns(0..<plain)),
    ]
  }

  /// What does not turn of the queries.
  func plainQueries(_ q: Tensor) -> Tensor {  // [T, H·(P + N)] → [T, H·N]
    let result = Tensor([q.rows, heads * plain], q.dtype, on: q.device)
    Ops.convert(byHead(result, plain), byHead(q, size).columns(turning..<size))
    return result
  }

  /// Queries for the rows of a cache: what they are to its short vectors, then their turning parts.
  func latentQueries(_ lowered: Tensor, _ q: Tensor) -> Tensor {  // [T, H·R], [T, H·(P + N)] → [T, H·(R + P)]
    let result = Tensor([q.rows, heads * latent.cachedSize], q.dtype, on: q.device)
    let (own, rank) = (byHead(result, latent.cachedSize), latent.keyValueRank)
    Ops.convert(own.columns(0..<rank), byHead(lowered, rank))
    Ops.convert(own.columns(rank..<latent.cachedSize), byHead(q, size).columns(0..<turning))
    return result
  }

  /// Keys and values for the attention; every head's key begins with the row's turned part.
  func keysAndValues(_ y: Tensor, turned: Matrix) -> (k: Tensor, v: Tensor) {  // [T, H·(N + DV)], [T, P]
    let k = Tensor([y.rows, heads * size], y.dtype, on: y.device)  // [T, H·(P + N)]
    let v = Tensor([y.rows, heads * value], y.dtype, on: y.device)  // [T, H·DV]
    let (keys, both) = (byHead(k, size), byHead(y, plain + value))
    Ops.gatherRows(keys.columns(0..<turning), turned, rows: rowOfEachHead(y.rows))
    Ops.convert(keys.columns(turning..<size), both.columns(0..<plain))
    Ops.convert(byHead(v, value), both.columns(plain..<plain + value))
    return (k, v)
  }

  /// The gradient of `keysAndValues`; that of the turned part is the sum over the heads.
  func keysAndValuesGradient(_ dk: Tensor, _ dv: Tensor) -> (dy: Tensor, turned: Tensor) {
    let dy = Tensor([dk.rows, heads * (plain + value)], dk.dtype, on: dk.device)
    let (keys, both) = (byHead(dk, size), byHead(dy, plain + value))
    Ops.convert(both.columns(0..<plain), keys.columns(turning..<size))
    Ops.convert(both.columns(plain..<plain + value), byHead(dv, value))
    let turned = Tensor.zeros([dk.rows, turning], .float32, on: dk.device)
    let ofHeads = Tensor([dk.rows * heads, turning], .float32, on: dk.device)
    Ops.convert(ofHeads.matrix, keys.columns(0..<turning))
    Ops.scatterAddRows(turned.matrix, rowOfEachHead(dk.rows), ofHeads.matrix)
    return (dy, turned)
  }

  /// A row for each head of each token.
  private func byHead(_ x: Tensor, _ columns: Int) -> Matrix {  // [T, H·n] → [T·H, n]
    x.reshaped([x.rows * heads, columns]).matrix
  }

  private func rowOfEachHead(_ rows: Int) -> [Int32] {
    (0..<rows).flatMap { [Int32](repeating: Int32($0), count: heads) }
  }
}
