import FireflyTensors

/// What the linear layers read of a text: the mean square of each of their inputs.
///
/// Where an input is large, an error of the weights that it is multiplied with counts for more: llama.cpp's importance
/// matrix.
package struct InputSquares: Sendable {
  /// By the name of the weight, `[inputs]`; a layer that no row went through is not there.
  package let means: [String: [Float]]
  /// Rows that went through the layer, by the same names.
  package let rows: [String: Int]

  /// - Parameters:
  ///   - model: its adapter counts.
  ///   - texts: ids of texts that the model reads one after another, none of them empty.
  ///   - progress: called with the share of the texts done, 0…1; what it throws ends the reading.
  package init(_ model: Transformer, texts: [[Int32]], progress: ((Double) throws -> Void)? = nil) throws {
    let groups = model.groups
    for (_, group) in groups { group.observer = InputSums(inputs: group.inputs) }
    defer { groups.forEach { $0.group.observer = nil } }
    for (index, tokens) in texts.enumerated() {
      model.read(tokens)
      try progress?(Double(index + 1) / Double(texts.count))
    }
    var (means, rows): ([String: [Float]], [String: Int]) = ([:], [:])
    for (prefix, group) in groups {
      for part in group.parts {
        let name = prefix + part.shape.name + ".weight"
        (means[name], rows[name]) = (group.observer?.means, group.observer?.rows)
      }
    }
    (self.means, self.rows) = (means, rows)
  }
}
