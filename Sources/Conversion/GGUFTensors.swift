import FireflyModels
import FireflyTensors
import FireflyWeights

/// The tensors of a GGUF file, made of a model's: merged with an adapter, in llama.cpp's order, encoded, some rows at a time.
struct GGUFTensors {
  let weights: MergedWeights
  let model: GGUFModel

  /// What lies in one tensor of the file.
  struct Group {
    /// The name in the file.
    let name: String
    /// The sizes in the file, outermost first.
    let shape: [Int]
    /// The model's tensor, or those of a layer's experts in the order of their numbers.
    let parts: [(name: String, place: GGUFModel.Place)]
  }

  /// In the order of the model's tensors.
  func groups() throws -> [Group] {
    let store = weights.source.weights
    let places = try store.namesOfParts.flatMap { name in try model.places(of: name).map { (name, $0) } }
    // Experts that share a tensor come one after another, in the order of their numbers.
    var experts: [String: [(name: String, place: GGUFModel.Place)]] = [:]
    for (name, place) in places where place.expert != nil {
      experts[place.name, default: []].append((name, place))
    }
    return try places.compactMap { name, place in
      let parts =
        experts[place.name]?.sorted { $0.place.expert ?? 0 < $1.place.expert ?? 0 } ?? [(name, place)]
      guard parts[0].name == name else { return nil }
      let whole = try store.shape(of: name)
      let own = place.rows.map { [$0.count] + whole.dropFirst() } ?? whole
      let isGate = place.name.hasSuffix(GGUFNames.sharedGate + ".weight")
      let shape = place.expert != nil ? [parts.count] + own : isGate ? [own[1]] : own
      return Group(name: place.name, shape: shape, parts: parts)
    }
  }

  /// The group as it is written.
  ///
  /// - Parameter importance: what errors of quantising are weighed with; nil: by the weights alone.
  func item(_ group: Group, as stored: StoredType, importance: ImportanceMatrix?) throws -> GGUFWriter.Item {
    let pieces = try group.parts.flatMap { name, place in
      let columns = importance?.columns(of: name)
      return try strips(name, place).map { rows in
        WrittenPiece(release: { weights.release(name) }) {
          try encoded(name, place, rows, stored, columns)
        }
      }
    }
    return GGUFWriter.Item(name: group.name, shape: group.shape, type: stored, pieces: pieces)
  }

  /// Ranges of rows of a tensor, of whole heads where these have another order in the file.
  private func strips(_ name: String, _ place: GGUFModel.Place) throws -> [Range<Int>] {
    guard place.rows == nil else { return [0..<(try weights.source.weights.shape(of: name).first ?? 1)] }
    return try weights.strips(name, heads: place.heads)
  }

  private func encoded(
    _ name: String, _ place: GGUFModel.Place, _ rows: Range<Int>, _ stored: StoredType, _ importance: Tensor?
  ) throws -> Tensor {
    let shape = try weights.source.weights.shape(of: name)
    var tensor = try weights.plainTensor(name, rows: rows)
    try tensor.checkFinite(at: "\(weights.source.path): \(name)")
    if model.addsOne(place.name) {
      tensor = tensor.converted(to: .float32)
      Ops.add(tensor.matrix, Tensor([Float](repeating: 1, count: tensor.count), tensor.shape).matrix)
    }
    if model.architecture.normalizedHead && name == model.architecture.names.head {
      let unit = Tensor(tensor.shape, .float32)
      UnitRows.normalize(tensor, into: unit)
      tensor = unit
    }
    if let rows = place.rows { tensor = GGUFModel.gathered(tensor, rows) }
    if let heads = place.heads {
      tensor = GGUFModel.reordered(tensor, heads: heads * rows.count / (shape.first ?? 1))
    }
    return stored.encoded(tensor, importance: importance)
  }
}
