import FireflyBase
import FireflyWeights

// What a model's files come to: one reading, whatever is done with the model.

extension Architecture {
  /// Reads what a model computes from its files, and checks that all its tensors are there in the right shapes; no weights
  /// are read but, where they may contradict config.json, a tied head's.
  ///
  /// - Returns: the architecture, and a line for each thing that the user should know: keys that have no effect, tensors that
  ///   are not used.
  /// - Throws: `FireflyError` for what is missing, of a wrong shape or not supported.
  package static func read(_ source: ModelSource) throws -> (architecture: Architecture, notes: [String]) {
    let place = source.gguf == nil ? "\(source.path)/\(ModelFiles.config)" : source.path
    var (architecture, notes) = try read(source.config, source: place)
    architecture.isTextPart = source.isTextPart
    notes = source.notes + notes
    if try architecture.hasUntiedHead(source.weights) {
      architecture.tiedHead = false
      notes.append(
        "\(place): \(architecture.names.head) is not the embedding, so the head is not tied, whatever "
          + "tie_word_embeddings says")
    }
    try architecture.requireTensors(in: source.weights)
    if let note = architecture.unusedTensorsNote(of: source.weights) { notes.append(note) }
    return (architecture, notes)
  }

  /// Whether the files hold a head of their own where config.json says that the embedding is the head: as transformers 5, the
  /// files are believed.
  private func hasUntiedHead(_ weights: WeightStore) throws -> Bool {
    let embedding = storedName(names.embedding, in: weights)
    guard tiedHead, weights.contains(names.head), weights.contains(embedding) else { return false }
    return try !weights.isSame(names.head, embedding)
  }
}
