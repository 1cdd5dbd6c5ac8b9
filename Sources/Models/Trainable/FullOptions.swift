import FireflyBase
import FireflyTensors
import FireflyWeights

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

  /// The elements whose float32 values this process keeps, where others keep the rest of them (ZeRO's second stage,
  /// Rajbhandari et al., 2020); nil: all. For the processor, with products in bfloat16.
  package var shard: [Range<Int>]?
  /// The float32 values lie in the processor's memory, wherever the model computes; products are then in another type.
  package var valuesOnHost = false

  public init(gradients: DType = .float32, valuesPagedIn: String? = nil) {
    self.gradients = gradients
    self.valuesPagedIn = valuesPagedIn
  }

  /// `[count]` float32, zero, in a file of `folder` that has no name.
  ///
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package static func pagedValues(_ count: Int, in folder: String) throws -> Tensor {
    // Kernels may read a vector beyond the last element.
    let storage = try Storage.paged(
      4 * count + 64, in: folder, for: "the master weights",
      otherwise: "set \"master_weights\": \"memory\"")
    return Tensor(storage: storage, byteOffset: 0, shape: [count], dtype: .float32)
  }
}
