import FireflyTensors

/// What stands before and after the blocks.
struct Ends {
  var embedding: Embedding
  var head: Head

  /// The same with what an adapter brings for them in place of the base's.
  func training(_ parameters: [Parameter], compute: DType) -> Ends {
    var ends = self
    for parameter in parameters {
      switch parameter.slot.role {
      case .embedding: ends.embedding = embedding.training(TrainedMatrix(parameter, compute: compute))
      case .head: ends.head = head.training(TrainedMatrix(parameter, compute: compute))
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
