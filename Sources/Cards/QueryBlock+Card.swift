import CCard
import FireflyTensors

extension QueryBlock {
  /// Most rows of a block on a card: half of what more would compute lies beyond the diagonal.
  private static let mostRows = 256
  /// Most float32 scores that are held at once, all heads together: 256 MiB.
  private static let mostScores = 64 << 20

  /// The blocks of all sequences.
  static func forCard(_ starts: [Int32], _ shape: AttentionShape, past: Int = 0) -> [QueryBlock] {
    of(starts, shape, past: past) { length in
      let seen = min(length + past, shape.window.map { $0 + mostRows } ?? Int.max)
      return max(min(mostRows, mostScores / max(shape.heads * seen, 1)), 16)
    }
  }

  func mask(_ heads: HeadBatch, _ shape: AttentionShape) -> card_scores {
    card_scores(
      rows: Int64(queries.count), columns: Int64(keys.count), heads: Int64(heads.count),
      first_head: Int64(heads.firstHead), head_step: Int64(heads.headStep), scale: shape.scale,
      cap: shape.cap ?? 0,
      slopes: shape.slopes.map { UnsafePointer($0.float32) }, diagonal: Int64(diagonal),
      window: Int64(shape.window ?? Int.max))
  }
}

/// Query heads that are computed as one batch: `headStep` apart, their key heads `keyHeadStep` apart.
struct HeadBatch {
  let firstHead: Int
  let headStep: Int
  let firstKeyHead: Int
  let keyHeadStep: Int
  let count: Int

  /// All heads in as few batches as there can be: those of one key head together, or one of each key head.
  static func few(_ shape: AttentionShape) -> [HeadBatch] {
    guard shape.group > shape.keyValueHeads else { return one(ofEachKeyHead: shape) }
    return (0..<shape.keyValueHeads).map { keyHead in
      HeadBatch(
        firstHead: keyHead * shape.group, headStep: 1, firstKeyHead: keyHead, keyHeadStep: 0,
        count: shape.group)
    }
  }

  /// All heads, no two of a batch with the same key head.
  static func one(ofEachKeyHead shape: AttentionShape) -> [HeadBatch] {
    (0..<shape.group).map { member in
      HeadBatch(
        firstHead: member, headStep: shape.group, firstKeyHead: 0, keyHeadStep: 1,
        count: shape.keyValueHeads)
    }
  }

  // MARK: The first of the batch's matrices

  /// Of `[heads, m, n]`.
  func first(_ x: Tensor) -> Matrix { x.slice(0..<1).reshaped([x.shape[1], x.shape[2]]).matrix }
  /// Of rows of queries, keys, values, and results.
  func queries(_ x: Matrix, _ shape: AttentionShape) -> Matrix { x.columns(shape.columns(firstHead)) }
  func keys(_ x: Matrix, _ shape: AttentionShape) -> Matrix { x.columns(shape.columns(firstKeyHead)) }
  func values(_ x: Matrix, _ shape: AttentionShape) -> Matrix { x.columns(shape.valueColumns(firstHead)) }
  func keyValues(_ x: Matrix, _ shape: AttentionShape) -> Matrix {
    x.columns(shape.valueColumns(firstKeyHead))
  }

  /// scores[heads, m, n] = q·kᵀ
  func scores(_ scores: Tensor, q: Matrix, k: Matrix, _ shape: AttentionShape) -> CardProduct {
    CardProduct(
      out: first(scores), a: queries(q, shape), b: keys(k, shape), transposeB: true, count: count,
      steps: (
        scores.shape[1] * scores.shape[2], headStep * shape.headDim, keyHeadStep * shape.headDim
      ))
  }
}
