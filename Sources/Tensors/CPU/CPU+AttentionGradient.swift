import CKernels
import FireflyBase

extension CPU {
  package func attentionGradient(
    _ gradients: AttentionGradients, dout: Matrix, out: Matrix, logSums: Tensor, q: Matrix, k: Matrix,
    v: Matrix,
    starts: [Int32], shape: AttentionShape
  ) {
    let (dq, dk, dv) = (gradients.dq, gradients.dk, gradients.dv)
    let shares = GradientShare.of(starts, shape)
    let layers = 1 + (shares.map(\.layer).max() ?? 0)
    let kernels = InstructionSet.attention(of: q.dtype)
    let sequences = zip(starts, starts.dropFirst()).map { Int($0)..<Int($1) }
    let pass = GradientPass(
      dq: dq, dout: dout, out: out, logSums: logSums, q: q, shape: shape, kernels: kernels,
      sequences: sequences, panels: KeyPanels(k, v, sequences, shape, for: .gradient, kernels),
      dk: HeadSums(layers: layers, rows: k.rows, heads: shape.keyValueHeads, size: shape.headDim),
      dv: HeadSums(layers: layers, rows: v.rows, heads: shape.keyValueHeads, size: shape.valueDim))
    Parallel.run(shares.count) { pass.run(shares[$0]) }
    pass.dk.add(shares, into: dk)
    pass.dv.add(shares, into: dv)
  }
}

/// A task: some of the query blocks of the heads that share one key head in one sequence. It sums its part of that key
/// head's gradients; where there are few key heads, several shares do and their sums are added afterwards.
private struct GradientShare {
  let head: Int  // of keys
  /// Which of the partial sums this share fills.
  let layer: Int
  /// Query blocks with their heads; the first has the last keys.
  let items: [(block: QueryBlock, head: Int)]
  /// Key rows that this share's sums cover: those of its items; in layer 0, to which the others are added, all.
  let keys: Range<Int>

  var cost: Int { items.reduce(0) { $0 + $1.block.cost } }

  /// Shares of one sequence depend on its own length alone, so a sequence's gradient does not depend on its neighbours.
  static func of(_ starts: [Int32], _ shape: AttentionShape) -> [GradientShare] {
    var shares: [GradientShare] = []
    let ofSequences = Dictionary(grouping: QueryBlock.forThreads(starts, shape), by: \.sequence)
    for (sequence, blocks) in ofSequences.sorted(by: { $0.key < $1.key }) {
      let blocks = blocks.sorted { $0.keys.upperBound > $1.keys.upperBound }
      let (start, end) = (starts[sequence], blocks[0].keys.upperBound)
      let wanted = (12 + shape.keyValueHeads - 1) / shape.keyValueHeads
      let count = end - Int(start) <= 128 ? 1 : min(wanted, blocks.count * shape.group)
      for head in 0..<shape.keyValueHeads {
        let items = blocks.flatMap { block in
          (0..<shape.group).map { (block: block, head: head * shape.group + $0) }
        }
        for (layer, own) in parts(items, count).enumerated() {
          let keys = layer == 0 ? Int(start)..<end : rows(of: own)
          shares.append(GradientShare(head: head, layer: layer, items: own, keys: keys))
        }
      }
    }
    return shares.sorted { $0.cost > $1.cost }
  }

  private typealias Items = [(block: QueryBlock, head: Int)]

  /// The items in `count` parts of about the same cost: each takes one in so many. Where a window is short, neighbours
  /// instead: together they see few keys, so that there are fewer rows of sums to fill and to add.
  private static func parts(_ items: Items, _ count: Int) -> [Items] {
    let spread = (0..<count).map { part in stride(from: part, to: items.count, by: count).map { items[$0] } }
    let neighbours = (0..<count).map { part in
      Items(items[items.count * part / count..<items.count * (part + 1) / count])
    }
    let keyRows = { (parts: [Items]) in parts.reduce(0) { $0 + rows(of: $1).count } }
    return 2 * keyRows(neighbours) <= keyRows(spread) ? neighbours : spread
  }

  /// The key rows that some of the items see.
  private static func rows(of items: Items) -> Range<Int> {
    let first = items.map(\.block.keys.lowerBound).min() ?? 0
    return first..<(items.map(\.block.keys.upperBound).max() ?? first)
  }
}

/// Sums of a gradient of keys or values, a layer for each of the shares that part one key head of a sequence. A head's
/// columns are whole vectors of the kernels.
private struct HeadSums {
  private let sums: Tensor  // [layers, T, heads·padded] float32
  private let heads, size, padded: Int

  init(layers: Int, rows: Int, heads: Int, size: Int) {
    (self.heads, self.size) = (heads, size)
    padded = (size + 15) / 16 * 16
    sums = Tensor([layers, rows, heads * padded], .float32)
  }

  /// A layer's sums of one head.
  func layer(_ layer: Int, head: Int) -> Matrix {
    sums.slice(layer..<layer + 1).matrix.columns(head * padded..<(head + 1) * padded)
  }

  /// out [T, heads·size] = the sums of all layers, added in the layers' order.
  func add(_ shares: [GradientShare], into out: Matrix) {
    let further = shares.filter { $0.layer > 0 }.sorted { $0.layer < $1.layer }
    let rowBlocks = Split(out.rows, parts: (out.rows + 255) / 256)
    Parallel.run(rowBlocks.parts) { block in
      let rows = rowBlocks[block]
      for share in further where share.keys.overlaps(rows) {
        let both = share.keys.clamped(to: rows)
        CPU.shared.add(
          layer(0, head: share.head).rows(both), layer(share.layer, head: share.head).rows(both))
      }
      for head in 0..<heads {
        CPU.shared.convert(
          out.rows(rows).columns(head * size..<(head + 1) * size),
          layer(0, head: head).rows(rows).columns(0..<size))
      }
    }
  }
}

/// What all shares of one gradient read, and the sums that they write.
private struct GradientPass {
  let dq, dout, out: Matrix
  let logSums: Tensor
  let q: Matrix
  let shape: AttentionShape
  let kernels: kernels_attention
  let sequences: [Range<Int>]
  let panels: KeyPanels
  let dk, dv: HeadSums

  func run(_ share: GradientShare) {
    let (dk, dv) = (dk.layer(share.layer, head: share.head), dv.layer(share.layer, head: share.head))
    dk.rows(share.keys).fillWithZeros()
    dv.rows(share.keys).fillWithZeros()
    let units = kernels.backward_memory(q.dtype.code, shape.headDim, shape.valueDim)
    withExtendedLifetime(Tensor([units], .float32)) { memory in
      for (block, head) in share.items { run(block, head: head, dk: dk, dv: dv, memory.units) }
    }
  }

  /// One block of queries: dq of its rows, and its addition to dk and dv of the keys it sees.
  private func run(
    _ block: QueryBlock, head: Int, dk: Matrix, dv: Matrix, _ memory: UnsafeMutablePointer<UInt32>
  ) {
    var queries = panels.queries(q, block, head: head)
    let values = shape.valueColumns(head)
    let first = sequences[block.sequence].lowerBound
    kernels.backward(
      dq.rows(block.queries).columns(shape.columns(head)).output(), dk.floatRow(first), dk.stride,
      dv.floatRow(first), dv.stride, dout.rows(block.queries).columns(values).input(),
      out.rows(block.queries).columns(values).input(), logSums.head(head, block.queries), &queries, memory)
  }
}
