import CKernels
import FireflyBase

/// The keys and values of some sequences in the layouts that attention's kernels read, made once for all query heads
/// and blocks that share them.
struct KeyPanels {
  enum Purpose { case forward, gradient }

  private let shape: AttentionShape
  private let keys: Panels
  private let values: Panels
  private let keyPairs: Panels?

  /// - Parameter sequences: rows of k and v.
  init(
    _ k: Matrix, _ v: Matrix, _ sequences: [Range<Int>], _ shape: AttentionShape, for purpose: Purpose,
    _ kernels: kernels_attention
  ) {
    let of = { (x: Matrix, use: Int) in
      Panels(x, sequences, heads: shape.keyValueHeads, for: use, kernels)
    }
    let isForward = purpose == .forward
    let keys = of(k, isForward ? KERNELS_FOR_SCORES : KERNELS_FOR_GRADIENT)
    let values = of(v, isForward ? KERNELS_FOR_SUMS : KERNELS_FOR_GRADIENT)
    let keyPairs = isForward ? nil : of(k, KERNELS_FOR_QUERIES)
    (self.shape, self.keys, self.values, self.keyPairs) = (shape, keys, values, keyPairs)
    let all = [keys, values, keyPairs].compactMap { $0 }
    let tasks = sequences.count * shape.keyValueHeads
    Parallel.run(all.count * tasks) { task in
      all[task / tasks].pack(
        sequence: task % tasks / shape.keyValueHeads, head: task % shape.keyValueHeads)
    }
  }

  /// What the block's queries of `head` attend to.
  func queries(_ q: Matrix, _ block: QueryBlock, head: Int) -> kernels_queries {
    let (sequence, keyHead) = (block.sequence, head / shape.group)
    let panels = kernels_panels(
      keys: keys[sequence, keyHead], values: values[sequence, keyHead],
      key_pairs: keyPairs.map { UnsafePointer($0[sequence, keyHead]) })
    let mask = kernels_mask(
      scale: shape.scale, slope: shape.slopes.map { $0.floatPointer[head] } ?? 0, cap: shape.cap ?? 0,
      diagonal: block.position, window: shape.window ?? Int.max)
    return kernels_queries(
      q: q.rows(block.queries).columns(shape.columns(head)).input(), panels: panels, mask: mask,
      rows: block.queries.count, head_dim: shape.headDim, value_dim: shape.valueDim)
  }
}

/// A matrix of heads in one layout: a panel for each sequence and head.
private struct Panels {
  private let x: Matrix  // [T, heads·size]
  private let sequences: [Range<Int>]
  private let size: Int
  private let use: Int
  private let kernels: kernels_attention
  private let storage: Tensor
  /// Where each sequence's first head begins; a sequence's heads are equally long.
  private let places: [(first: Int, head: Int)]

  init(_ x: Matrix, _ sequences: [Range<Int>], heads: Int, for use: Int, _ kernels: kernels_attention) {
    (self.x, self.sequences, self.use, self.kernels) = (x, sequences, use, kernels)
    size = x.columns / heads
    var places: [(first: Int, head: Int)] = []
    var end = 0
    for rows in sequences {
      let head = kernels.panel_size(x.dtype.code, rows.count, size)
      places.append((end, head))
      end += heads * head
    }
    self.places = places
    storage = Tensor([end], .float32)
  }

  subscript(sequence: Int, head: Int) -> UnsafeMutablePointer<UInt32> {
    storage.units + places[sequence].first + head * places[sequence].head
  }

  func pack(sequence: Int, head: Int) {
    let rows = x.rows(sequences[sequence]).columns(head * size..<(head + 1) * size)
    kernels.pack(self[sequence, head], Int32(use), rows.input(), rows.rows, size)
  }
}

extension Tensor {
  /// A float32 tensor's elements as 32 bits of whatever kind.
  var units: UnsafeMutablePointer<UInt32> {
    UnsafeMutableRawPointer(floatPointer).assumingMemoryBound(to: UInt32.self)
  }
}
