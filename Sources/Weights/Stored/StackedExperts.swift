import FireflyBase

/// gpt-oss's experts, which lie in one tensor a layer, each matrix transposed, with the columns of gate and up in turn:
///
/// - `experts.gate_up_proj` `[E, C, 2F]` and `experts.gate_up_proj_bias` `[E, 2F]`,
/// - `experts.down_proj` `[E, F, C]` and `experts.down_proj_bias` `[E, C]`;
/// - in MXFP4 in the place of each matrix, not transposed, its codes `…_blocks` U8 `[E, out, in/32, 16]`, two of a row's
///   neighbours a byte, the first in the low half, and `…_scales` U8 `[E, out, in/32]`, of each 32 the power of two and 127.
///
/// The model's tensors are `experts.3.gate_proj.weight` `[F, C]` and so on.
enum StackedExperts {
  /// Of a layer's matrix, the linear layers whose rows come in turn in it.
  private static let linears = ["gate_up_proj": ["gate_proj", "up_proj"], "down_proj": ["down_proj"]]

  /// Those of a folder's tensors; none where its model has no such experts.
  ///
  /// - Throws: `FireflyError` for a tensor of another shape.
  static func parts(of config: JSONValue, _ tensors: [StoredTensor]) throws -> [TensorPart] {
    guard config["model_type"]?.string == "gpt_oss" else { return [] }
    let byName = Dictionary(tensors.map { ($0.info.name, $0) }) { first, _ in first }
    return try tensors.flatMap { tensor -> [TensorPart] in
      guard let place = Place(tensor.info.name) else { return [] }
      switch place.kind {
      case "": return try place.matrices(tensor)
      case "_bias": return try place.biases(tensor)
      case "_blocks": return try place.blocks(tensor, scales: byName[place.stem + "_scales"])
      default: return []
      }
    }
  }

  /// Where a tensor of experts belongs.
  private struct Place {
    /// `model.layers.3.mlp.experts.`
    let prefix: String
    /// `model.layers.3.mlp.experts.gate_up_proj`
    let stem: String
    let linears: [String]
    /// What stands behind the stem.
    let kind: String

    init?(_ name: String) {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count > 2, parts[parts.count - 2] == "experts", let leaf = parts.last,
        let (matrix, linears) = StackedExperts.linears.first(where: { leaf.hasPrefix($0.key) })
      else { return nil }
      prefix = String(name.dropLast(leaf.count))
      stem = prefix + matrix
      self.linears = linears
      kind = String(leaf.dropFirst(matrix.count))
    }

    func matrices(_ tensor: StoredTensor) throws -> [TensorPart] {
      let shape = try shape(of: tensor, dimensions: 3)
      let (inputs, outputs) = (shape[1], shape[2])
      return each(shape[0]) { expert, linear, turn in
        part(
          tensor, "\(expert).\(linear).weight", [outputs / linears.count, inputs],
          first: expert * inputs * outputs + turn, steps: [linears.count, outputs])
      }
    }

    func biases(_ tensor: StoredTensor) throws -> [TensorPart] {
      let shape = try shape(of: tensor, dimensions: 2)
      return each(shape[0]) { expert, linear, turn in
        part(
          tensor, "\(expert).\(linear).bias", [shape[1] / linears.count], first: expert * shape[1] + turn,
          steps: [linears.count])
      }
    }

    func blocks(_ codes: StoredTensor, scales: StoredTensor?) throws -> [TensorPart] {
      let shape = try shape(of: codes, dimensions: 4, rows: 1)
      guard codes.info.type == .uint8, shape[3] == 16, let scales, scales.info.type == .uint8,
        scales.layout == .rows, scales.info.shape == Array(shape.dropLast())
      else {
        throw FireflyError(
          "the experts' blocks and scales do not belong together", at: codes.place,
          expected: "U8 [experts, out, in/32, 16] and \(stem)_scales U8 [experts, out, in/32]",
          found: "\(shape) and \(scales.map { "\($0.info.shape)" } ?? "none")")
      }
      let count = shape[1] * shape[2]  // blocks of an expert
      return each(shape[0]) { expert, linear, turn in
        let start = codes.info.range.lowerBound + expert * count * 16
        var stored = codes
        stored.info = TensorInfo(
          name: "\(prefix)\(expert).\(linear).weight", type: .mxfp4,
          shape: [shape[1] / linears.count, shape[2] * 32], path: codes.info.path,
          range: start..<start + count * 16)
        let first = scales.info.range.lowerBound + expert * count
        stored.scales = BlockScales(
          file: scales.file, range: first..<first + count, firstRow: turn, step: linears.count)
        return TensorPart(
          stored: stored, holders: [codes.info.name, scales.info.name], first: 0, steps: [])
      }
    }

    /// The parts of so many experts, one of each linear layer.
    private func each(
      _ experts: Int, _ part: (_ expert: Int, _ linear: String, _ turn: Int) -> TensorPart
    ) -> [TensorPart] {
      (0..<experts).flatMap { expert in linears.enumerated().map { part(expert, $1, $0) } }
    }

    private func part(
      _ tensor: StoredTensor, _ name: String, _ shape: [Int], first: Int, steps: [Int]
    ) -> TensorPart {
      let (size, start) = (
        tensor.info.type.blockBytes, tensor.info.range.lowerBound + first * tensor.info.type.blockBytes
      )
      let last = zip(shape, steps).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
      var stored = tensor
      stored.info = TensorInfo(
        name: prefix + name, type: tensor.info.type, shape: shape, path: tensor.info.path,
        range: start..<start + (last + 1) * size)
      if steps != [1] { stored.layout = .strided(steps) }
      return TensorPart(stored: stored, holders: [tensor.info.name], first: first, steps: steps)
    }

    /// - Parameter rows: the dimension in which linear layers take turns; nil: the last.
    private func shape(of tensor: StoredTensor, dimensions: Int, rows: Int? = nil) throws -> [Int] {
      let shape = tensor.info.shape
      guard shape.count == dimensions, shape.allSatisfy({ $0 > 0 }), tensor.layout == .rows,
        shape[rows ?? dimensions - 1] % linears.count == 0
      else {
        throw FireflyError(
          "the experts' tensor has an unknown shape", at: tensor.place,
          expected: "\(dimensions) dimensions, the first that of the experts", found: "\(shape)")
      }
      return shape
    }
  }
}
