import FireflyTensors

/// What stands before and after the blocks.
struct Ends {
  var embedding: Embedding
  var head: Head

  /// The same with what an adapter brings for them in place of the base's.
  ///
  /// - Parameter isTied: whether the head is the embedding.
  func training(_ parameters: [Parameter], compute: DType, isTied: Bool) -> Ends {
    var ends = self
    for parameter in parameters {
      switch parameter.slot.role {
      case .embedding:
        let matrix = TrainedMatrix(parameter, compute: compute)
        ends.embedding = embedding.training(matrix)
        if isTied { ends.head = head.training(matrix, .tied) }
      case .head: ends.head = head.training(TrainedMatrix(parameter, compute: compute), .own)
      default: break
      }
    }
    return ends
  }

  /// To be called after the parameters' values were changed. The embedding first: a tied head reads its copy.
  func parametersChanged() {
    embedding.parametersChanged()
    head.parametersChanged()
  }
}
