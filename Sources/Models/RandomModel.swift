import FireflyTensors
import FireflyWeights

/// Random weights of any shape, for measuring: norms are ones, biases zeros, and all else is uniform in ±0.05.
struct RandomTensors: TensorSource {
  let path = "random weights"

  func storedName(_ name: String, _ architecture: Architecture) -> String { name }
  func nf4(_ name: String, shape: [Int]) -> NF4Tensor? { nil }
  func isMapped(_ name: String, as dtype: DType) -> Bool { true }
  func release(_ name: String) {}

  func tensor(_ name: String, shape: [Int], as dtype: DType) -> Tensor {
    guard shape.count == 2 else {
      let value: Float = name.hasSuffix(".bias") ? 0 : 1
      return Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape).converted(to: dtype)
    }
    return Tensor.random(shape, dtype, seed: UInt64(shape[0]))
  }
}

extension Transformer {
  /// A model of this shape with random weights, whose blocks all pass their gradient on.
  ///
  /// - Throws: never for a shape that was read from a model.
  package static func random(
    _ architecture: Architecture, compute: DType, quantization: Quantization
  ) throws -> Transformer {
    let loader = ModelLoader(
      architecture: architecture, store: RandomTensors(), compute: compute, quantization: quantization,
      device: .cpu, firstTakesInputGradient: true)
    let table = try loader.embeddingTable()
    return Transformer(
      architecture: architecture, compute: compute, embedding: try loader.embedding(table),
      blocks: try (0..<architecture.layers).map { try loader.block($0) }, head: try loader.head(table: table),
      unusedTensors: [])
  }
}
