import FireflyTensors
import FireflyWeights

/// Tensors of a device that nobody has filled, for what depends on shapes alone.
struct UnfilledTensors: TensorSource {
  let path = "shapes"
  let device: any Device
  /// The names of the linear layers that are held in 4 bits.
  let in4Bits: Set<String>

  func storedName(_ name: String, _ architecture: Architecture) -> String { name }
  func tensor(_ name: String, shape: [Int], as dtype: DType) -> Tensor { Tensor(shape, dtype, on: device) }
  func nf4(_ name: String, shape: [Int]) -> NF4Tensor? {
    in4Bits.contains(name) ? .unfilled(shape, on: device) : nil
  }
  func blocks(_ name: String, shape: [Int]) -> BlockTensor? { nil }
  func isMapped(_ name: String, as dtype: DType) -> Bool { true }
  func release(_ name: String) {}
}

extension Transformer {
  /// A model of this shape whose weights nobody has filled, for a device that computes nothing.
  ///
  /// - Parameters:
  ///   - in4Bits: the frozen linear layers are held in NF4 with their scales quantised again, otherwise whole.
  ///   - training: what is trained of the weights, or nothing.
  ///   - gradients: of trained weights.
  ///   - other: where their float32 values lie; nil: on the device.
  package static func unfilled(
    _ architecture: Architecture, compute: DType, in4Bits: Bool, training trainable: Trainable = .nothing,
    gradients: DType = .float32, valuesOn other: (any Device)? = nil, on device: any Device
  ) throws -> Transformer {
    let packed = (0..<(in4Bits ? architecture.layers : 0)).flatMap { layer in
      architecture.linears(layer).filter { !$0.staysWhole }.map {
        architecture.names.prefix(layer) + $0.name + ".weight"
      }
    }
    let loader = ModelLoader(
      (architecture, []), UnfilledTensors(device: device, in4Bits: Set(packed)), compute: compute,
      quantization: .none,
      arena: ParameterArena(
        trainable, values: other.map { Tensor([trainable.arenaCount], .float32, on: $0) },
        gradients: gradients, on: device))
    let model = try loader.model()
    // Copies of what lies elsewhere take nothing of the device, and take long.
    if other == nil { model.parametersChanged() }
    return model
  }

  /// Hangs an adapter on it, not filled either.
  package func hangUnfilled(_ trainable: Trainable) {
    guard let options = trainable.adapter else { return }
    hang(ParameterArena(trainable, on: device), options)
  }
}
