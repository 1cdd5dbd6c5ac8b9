import FireflyTensors
import FireflyWeights

/// Random weights of any shape, for measuring: norms are ones, biases zeros, and all else is uniform in ±0.05.
struct RandomTensors: TensorSource {
  let path = "random weights"
  /// The matrices that are held in a GGUF file's blocks.
  let blocks: [String: BlockFormat]

  func storedName(_ name: String, _ architecture: Architecture) -> String { name }
  func nf4(_ name: String, shape: [Int]) -> NF4Tensor? { nil }
  func blocks(_ name: String, shape: [Int]) -> BlockTensor? {
    blocks[name].map { .random(shape, $0, seed: UInt64(shape[0])) }
  }
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
  /// A model of this shape with random weights.
  ///
  /// - Parameters:
  ///   - blocks: formats of the matrices that are held in a GGUF file's blocks, by name; with `.stored`.
  ///   - training: the weights are trained, but for those that it freezes; nil: none is.
  ///   - firstTakesInputGradient: the first block computes its input's gradient, which nothing needs, as all others do.
  ///   - device: where it lies.
  /// - Throws: never for a shape that was read from a model.
  package static func random(
    _ architecture: Architecture, compute: DType, quantization: Quantization,
    blocks: [String: BlockFormat] = [:], training: FullOptions? = nil, firstTakesInputGradient: Bool,
    on device: any Device
  ) throws -> Transformer {
    let trainable = training.map { Trainable(architecture, $0) } ?? .nothing
    let loader = ModelLoader(
      (architecture, []), RandomTensors(blocks: blocks), compute: compute, quantization: quantization,
      arena: ParameterArena(trainable, on: device),
      firstTakesInputGradient: firstTakesInputGradient)
    let model = try loader.model()
    model.parametersChanged()
    return model
  }
}

extension LoRAOptions {
  /// For a model with fewer layers: the targets that it has, or every linear layer where it has none of them.
  package func limited(to architecture: Architecture) -> LoRAOptions {
    let modules = architecture.adaptableLinears.map(\.module)
    let there = targetModules?.filter { target in modules.contains { LoRAOptions.matches($0, target) } }
    var options = self
    options.targetModules = there?.isEmpty == true ? nil : there
    return options
  }
}
