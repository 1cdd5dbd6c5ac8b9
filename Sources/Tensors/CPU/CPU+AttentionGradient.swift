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
    let pass = GradientPass(
      dq: dq, dout: dout, out: out, logSums: logSums, q: q, k: k, v: v, shape: shape,
      kernels: InstructionSet.kernels, dk: Tensor([layers, q.rows, dk.columns], .float32),
      dv: Tensor([layers, q.rows, dv.columns], .float32))
    Parallel.run(shares.count) { pass.run(shares[$0]) }
    GradientShare.add(pass.dk, shares, into: dk, headSize: shape.headDim)
    GradientShare.add(pass.dv, shares, into: dv, headSize: shape.valueDim)
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
    for (start, end) in zip(starts, starts.dropFirst()) where start < end {
      let blocks = QueryBlock.forThreads([start, end], shape).sorted {
        $0.keys.upperBound > $1.keys.upperBound
      }
      let wanted = (12 + shape.keyValueHeads - 1) / shape.keyValueHeads
      let count = blocks.count == 1 ? 1 : min(wanted, blocks.count * shape.group)
      for head in 0..<shape.keyValueHeads {
        let items = blocks.flatMap { block in
          (0..<shape.group).map { (block: block, head: head * shape.group + $0) }
        }
        for layer in 0..<count {
          let own = stride(from: layer, to: items.count, by: count).map { items[$0] }
          let first = layer == 0 ? Int(start) : own.reduce(Int(end)) { min($0, $1.block.keys.lowerBound) }
          shares.append(
            GradientShare(
              head: head, layer: layer, items: own, keys: first..<own[0].block.keys.upperBound))
        }
      }
    }
    return shares.sorted { $0.cost > $1.cost }
  }
}

extension GradientShare {
  /// out = the sums of all layers `[layers, T, columns]`, added in the layers' order; `headSize` columns to a key head.
  static func add(_ layers: Tensor, _ shares: [GradientShare], into out: Matrix, headSize: Int) {
    let first = layers.slice(0..<1).matrix
    let further = shares.filter { $0.layer > 0 }.sorted { $0.layer < $1.layer }
    let rowBlocks = Split(out.rows, parts: (out.rows + 255) / 256)
    Parallel.run(rowBlocks.parts) { block in
      let rows = rowBlocks[block]
      for share in further where share.keys.overlaps(rows) {
        let both = share.keys.clamped(to: rows)
        let columns = share.head * headSize..<(share.head + 1) * headSize
        CPU.shared.add(
          first.rows(both).columns(columns),
          layers.slice(share.layer..<share.layer + 1).matrix.rows(both).columns(columns))
      }
      CPU.shared.convert(out.rows(rows), first.rows(rows))
    }
  }
}

/// What all shares of one gradient read, and the layers of sums that they write.
private struct GradientPass {
  let dq, dout, out: Matrix
  let logSums: Tensor
  let q, k, v: Matrix
  let shape: AttentionShape
  let kernels: InstructionSet.Table
  let dk: Tensor  // [layers, T, keyValueHeads·headDim] float32
  let dv: Tensor  // [layers, T, keyValueHeads·valueDim] float32

  /// Keys of one block of scores: with its 128 rows, scores and their gradients stay in a level-2 cache.
  private static let keyBlock = 512

  func run(_ share: GradientShare) {
    let memory = WorkingMemory(
      rows: QueryBlock.threadRows, keys: min(share.keys.count, GradientPass.keyBlock), shape.headDim, q.dtype)
    let layer = share.layer..<share.layer + 1
    let dk = dk.slice(layer).matrix.columns(shape.columns(share.head))
    let dv = dv.slice(layer).matrix.columns(shape.valueColumns(share.head))
    // The first item overwrites its keys' sums; before them there are others only under a window.
    let before = share.keys.lowerBound..<share.items[0].block.keys.lowerBound
    dk.rows(before).fillWithZeros()
    dv.rows(before).fillWithZeros()
    for (index, item) in share.items.enumerated() {
      run(item.block, head: item.head, dk: dk, dv: dv, accumulate: index > 0, memory)
    }
  }

  /// One block of queries: dq of its rows, and its addition to dk and dv of the keys it sees.
  private func run(
    _ block: QueryBlock, head: Int, dk: Matrix, dv: Matrix, accumulate: Bool, _ memory: WorkingMemory
  ) {
    let columns = shape.columns(head)
    let (outColumns, keyHead) = (shape.valueColumns(head), head / shape.group)
    let m = block.queries.count
    let q = q.rows(block.queries).columns(columns)
    let dout = dout.rows(block.queries).columns(outColumns)
    let out = out.rows(block.queries).columns(outColumns)
    let sum = memory.dq.rows(0..<m)
    kernels.pointee.row_dots(
      memory.dots.floatPointer, m, dout.input(), out.input(), m, 1, shape.valueDim)
    for start in stride(from: block.keys.lowerBound, to: block.keys.upperBound, by: GradientPass.keyBlock) {
      let keys = start..<min(start + GradientPass.keyBlock, block.keys.upperBound)
      let k = k.rows(keys).columns(shape.columns(keyHead))
      let v = v.rows(keys).columns(shape.valueColumns(keyHead))
      // scores = q·kᵀ and the gradient of the probabilities = dout·vᵀ
      let scores = memory.scores.rows(0..<m).columns(0..<keys.count)
      let dp = memory.dp.rows(0..<m).columns(0..<keys.count)
      Product(out: scores, a: q, b: k, transposeB: true).run()
      Product(out: dp, a: dout, b: v, transposeB: true).run()
      // p, and ds = scale·p·(dp − dout·out)
      let p = memory.p.rows(0..<m).columns(0..<keys.count)
      let ds = memory.ds.rows(0..<m).columns(0..<keys.count)
      var mask = shape.mask(head: head, diagonal: block.diagonal - (start - block.keys.lowerBound))
      kernels.pointee.attention_softmax_gradient(
        p.output(), ds.output(), scores.input(), dp.input(), logSums.head(head, block.queries),
        memory.dots.floatPointer, &mask, m,
        keys.count)
      // dq += ds·k, dk += dsᵀ·q, dv += pᵀ·dout
      Product(out: sum, a: ds, b: k, accumulate: start > block.keys.lowerBound).run()
      Product(out: dk.rows(keys), a: ds, b: q, transposeA: true, accumulate: accumulate).run()
      Product(out: dv.rows(keys), a: p, b: dout, transposeA: true, accumulate: accumulate).run()
    }
    CPU.shared.convert(dq.rows(block.queries).columns(columns), sum)
  }

  /// A share's working memory.
  private struct WorkingMemory {
    let scores, dp: Matrix  // [rows, keys] float32
    let p, ds: Matrix  // [rows, keys] c
    let dq: Matrix  // [rows, headDim] float32
    let dots: Tensor  // [rows] float32

    init(rows: Int, keys: Int, _ headDim: Int, _ dtype: DType) {
      scores = Tensor([rows, keys], .float32).matrix
      dp = Tensor([rows, keys], .float32).matrix
      p = Tensor([rows, keys], dtype).matrix
      ds = Tensor([rows, keys], dtype).matrix
      dq = Tensor([rows, headDim], .float32).matrix
      dots = Tensor([rows], .float32)
    }
  }
}
