import FireflyTensors

/// A trained tensor: its slices of the arena's values and gradients, both of the slot's shape.
public struct Parameter: Sendable {
  public let slot: ParameterSlot
  /// float32
  public let value: Tensor
  /// float32, the sum over what has been accumulated since `zeroGradients`.
  public let gradient: Tensor

  /// The name in the files.
  public var name: String { slot.name }
}

/// The values and the gradients of everything that is trained, each in one block; moments have the same layout.
///
/// Copies share their tensors.
public struct ParameterArena: Sendable {
  public let trainable: Trainable
  /// `[trainable.arenaCount]` float32
  public let values: Tensor
  /// `[trainable.arenaCount]` float32
  public let gradients: Tensor
  /// As `trainable.slots`.
  public let parameters: [Parameter]

  /// Gradients are zero; the values are whoever's that asks for it to fill in.
  init(_ trainable: Trainable, on device: any Device) {
    let values = Tensor([trainable.arenaCount], .float32, on: device)
    let gradients = Tensor.zeros([trainable.arenaCount], .float32, on: device)
    self.trainable = trainable
    self.values = values
    self.gradients = gradients
    parameters = trainable.slots.map {
      Parameter(slot: $0, value: $0.slice(of: values), gradient: $0.slice(of: gradients))
    }
  }

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
