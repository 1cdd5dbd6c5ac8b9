import FireflyTensors
import FireflyWeights

/// A trained tensor: its slices of the arena's values and gradients, both of the slot's shape.
public struct Parameter: Sendable {
  package let slot: ParameterSlot
  /// float32
  public let value: Tensor
  /// float32 or bfloat16, the sum over what has been accumulated since `zeroGradients`.
  public let gradient: Tensor

  /// The name in the files.
  public var name: String { slot.name }
}

/// The values and the gradients of everything that is trained, each in one block; moments have the same layout.
///
/// Copies share their tensors.
package struct ParameterArena: Sendable {
  package let trainable: Trainable
  /// `[trainable.arenaCount]` float32
  package let values: Tensor
  /// `[trainable.arenaCount]` float32 or bfloat16
  package let gradients: Tensor
  /// As `trainable.slots`.
  package let parameters: [Parameter]

  /// Gradients are zero; the values are whoever's that asks for it to fill in.
  ///
  /// - Parameter values: memory for the values, `[trainable.arenaCount]` float32; nil: some of the device's.
  init(
    _ trainable: Trainable, values: Tensor? = nil, gradients type: DType = .float32, on device: any Device
  ) {
    let values = values ?? Tensor([trainable.arenaCount], .float32, on: device)
    let gradients = Tensor.zeros([trainable.arenaCount], type, on: device)
    self.trainable = trainable
    self.values = values
    self.gradients = gradients
    parameters = trainable.slots.map {
      Parameter(slot: $0, value: $0.slice(of: values), gradient: $0.slice(of: gradients))
    }
  }

  init(_ trainable: Trainable, _ memory: ArenaMemory, on device: any Device) throws {
    let values = try memory.valuesPagedIn.map { folder in
      // Kernels may read a vector beyond the last element.
      let storage = try Storage.paged(
        4 * trainable.arenaCount + 64, in: folder, for: "the master weights",
        otherwise: "set \"master_weights\": \"memory\"")
      return Tensor(storage: storage, byteOffset: 0, shape: [trainable.arenaCount], dtype: .float32)
    }
    self.init(trainable, values: values, gradients: memory.gradients, on: device)
  }

  /// The parameters by name.
  var byName: [String: Parameter] { Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) }) }

  /// The low-rank pairs by the full name of their linear layer.
  var lowRankPairs: [String: (a: Parameter, b: Parameter)] {
    var pairs: [String: (a: Parameter, b: Parameter)] = [:]
    for (a, b) in zip(parameters, parameters.dropFirst()) where a.slot.role == .lowRankA {
      pairs[a.slot.module] = (a, b)
    }
    return pairs
  }
}

extension ParameterSlot {
  /// Its part of a block that is laid out as the arena, in its own shape.
  package func slice(of block: Tensor) -> Tensor { block.slice(range).reshaped(shape) }
}
