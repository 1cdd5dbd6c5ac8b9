import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights

/// Where a model's tensors go in a GGUF file, and in which order of rows.
extension GGUFModel {
  /// Where a tensor goes.
  struct Place {
    /// The name in the file.
    let name: String
    /// The heads whose rows are reordered; nil: rows stay.
    var heads: Int?
    /// The rows of the tensor that it has, in its order; nil: all of them.
    var rows: [Int32]?
    /// The expert whose matrix is one of those that lie in one tensor; nil: the tensor is the file's own.
    var expert: Int?
  }

  /// Several where the file has parts of a tensor apart; none for a tensor that the model does not use.
  func places(of tensor: String) throws -> [Place] {
    guard used.contains(tensor) else { return [] }
    if let place = kind.experts?.place(of: tensor) {
      return [Place(name: place.ggufName, expert: place.expert)]
    }
    if let names = kind.tensors.cutNames(of: tensor) {
      return zip(names, projectionRows).map { Place(name: $0, rows: kind.reordersRows ? turned($1, $0) : $1) }
    }
    guard let ggufName = kind.tensors.ggufName(of: tensor) else {
      throw FireflyError(
        "the exported file has no place for this tensor", at: "\(source.path): \(tensor)",
        expected: "a tensor of a LLaMA-like model")
    }
    let isMixed = ggufName.contains(".attn_qkv.") && architecture.headOrder == .byKeyValueHead
    return [
      Place(name: ggufName, heads: heads(ggufName), rows: isMixed ? Array(projectionRows.joined()) : nil)
    ]
  }

  /// The rows of q, of k and of v in a layer that has them together.
  private var projectionRows: [[Int32]] {
    let (a, size) = (architecture, architecture.headDim)
    let counts = [a.heads, a.keyValueHeads, a.keyValueHeads].map { $0 * size }
    if a.headOrder == .sideBySide {
      let starts = [0, counts[0], counts[0] + counts[1]]
      return zip(starts, counts).map { start, count in (start..<start + count).map { Int32($0) } }
    }
    let queries = a.heads / a.keyValueHeads * size
    let (starts, sizes) = ([0, queries, queries + size], [queries, size, size])
    return zip(starts, sizes).map { start, count in
      (0..<a.keyValueHeads).flatMap { group in
        let first = group * (queries + 2 * size) + start
        return (first..<first + count).map { Int32($0) }
      }
    }
  }

  /// Rows of q or k in llama.cpp's order; those of v stay.
  private func turned(_ rows: [Int32], _ ggufName: String) -> [Int32] {
    guard heads(ggufName) != nil else { return rows }
    return rows.indices.map { rows[RotaryRows.inCheckpoint($0, headDim: architecture.headDim)] }
  }

  private func heads(_ ggufName: String) -> Int? {
    guard kind.reordersRows else { return nil }
    return GGUFNames.turningHeads(
      ggufName, heads: architecture.heads, keyValueHeads: architecture.keyValueHeads)
  }

  /// Whether the file's tensor is the checkpoint's and 1.
  func addsOne(_ ggufName: String) -> Bool { kind.addsOneToNorms && GGUFNames.isNorm(ggufName) }

  /// The rows of q or k in llama.cpp's order.
  static func reordered(_ tensor: Tensor, heads: Int) -> Tensor {  // [H·D, …] float32
    let rows = tensor.shape[0]
    return gathered(tensor, (0..<rows).map { Int32(RotaryRows.inCheckpoint($0, headDim: rows / heads)) })
  }

  /// Some rows of a tensor, in their order.
  static func gathered(_ tensor: Tensor, _ rows: [Int32]) -> Tensor {
    let matrix = tensor.reshaped([tensor.shape[0], tensor.count / tensor.shape[0]])
    let out = Tensor([rows.count, matrix.columns], tensor.dtype)
    Ops.gatherRows(out.matrix, matrix.matrix, rows: rows)
    return out.reshaped([rows.count] + tensor.shape.dropFirst())
  }
}
