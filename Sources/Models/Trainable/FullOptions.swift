import FireflyBase
import FireflyTensors

/// What full-parameter training leaves as it is.
public struct FullOptions: Equatable, Sendable {
  /// So many blocks, from the first, are frozen, and with any of them the embedding and its norm; 0: all is trained.
  ///
  /// The last norm and the head are always trained, but for a tied head: that is the embedding, frozen with it.
  public var frozenLayers: Int

  public init(frozenLayers: Int = 0) { self.frozenLayers = frozenLayers }

  /// - Throws: `FireflyError` naming the key of a run's configuration.
  package func validate(for architecture: Architecture) throws {
    guard frozenLayers >= 0 && frozenLayers <= architecture.layers else {
      throw FireflyError(
        "the model has fewer layers", at: "freeze_layers", expected: "0…\(architecture.layers)",
        found: "\(frozenLayers)")
    }
  }
}

/// How values and gradients of the weights that are trained are held.
public struct ArenaMemory: Equatable, Sendable {
  /// float32, or bfloat16: half the memory, and each micro-batch's sum rounded.
  public var gradients: DType
  /// The folder of a file that the float32 values are mapped from, so that the system can write them out; nil: none.
  public var valuesPagedIn: String?

  public init(gradients: DType = .float32, valuesPagedIn: String? = nil) {
    self.gradients = gradients
    self.valuesPagedIn = valuesPagedIn
  }
}
