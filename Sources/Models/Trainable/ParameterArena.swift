import FireflyTensors
import FireflyWeights

/// A trained tensor: its slices of the arena's values and gradients, both of the slot's shape.
public struct Parameter: Sendable {
  package let slot: ParameterSlot
  /// float32
  public let value: Tensor
  /// float32 or bfloat16, the sum over what has been accumulated since `zeroGradients`.
  public let gradient: Tensor
  /// Of a matrix in an arena of which this process keeps a part: what products read, in the compute type.
  let copy: Tensor?
  /// Of a bias or sinks, which are computed with in float32: the value, or its copy beside the gradient where the value lies on
  /// another device.
  let near: Tensor

  package init(slot: ParameterSlot, value: Tensor, gradient: Tensor, copy: Tensor? = nil) {
    self.slot = slot
    self.value = value
    self.gradient = gradient
    self.copy = copy
    let isNear = value.device === gradient.device || slot.role != .bias && slot.role != .sinks
    near = isNear ? value : Tensor(value.shape, .float32, on: gradient.device)
  }

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
  /// `[trainable.arenaCount]` float32 or bfloat16, where the model computes; the values may lie in the processor's memory beside
  /// it.
  package let gradients: Tensor
  /// As `trainable.slots`.
  package let parameters: [Parameter]
  /// Where this process keeps a part alone; nil: all.
  package let shard: ArenaShard?

  /// Gradients are zero; the values are whoever's that asks for it to fill in.
  ///
  /// - Parameter values: memory for the values, `[trainable.arenaCount]` float32; nil: some of the device's.
  init(
    _ trainable: Trainable, values: Tensor? = nil, gradients type: DType = .float32, on device: any Device
  ) {
    self.init(
      trainable, values: values ?? Tensor([trainable.arenaCount], .float32, on: device),
      gradients: Tensor.zeros([trainable.arenaCount], type, on: device), shard: nil)
  }

  private init(_ trainable: Trainable, values: Tensor, gradients: Tensor, shard: ArenaShard?) {
    self.trainable = trainable
    self.values = values
    self.gradients = gradients
    self.shard = shard
    parameters = trainable.slots.map { slot in
      Parameter(
        slot: slot, value: slot.slice(of: values), gradient: slot.slice(of: gradients),
        copy: slot.isMatrix ? shard.map { slot.slice(of: $0.copies) } : nil)
    }
  }

  /// - Parameter compute: the type of products.
  init(_ trainable: Trainable, _ memory: ArenaMemory, compute: DType, on device: any Device) throws {
    if let own = memory.shard {
      precondition(device.isHost && compute != .float32, "float32 values are what products read")
      let shard = try ArenaShard(own, of: trainable, memory, compute: compute)
      self.init(trainable, values: shard.values, gradients: shard.gradients.whole, shard: shard)
      return
    }
    precondition(!memory.valuesOnHost || compute != .float32, "float32 values are what products read")
    let values =
      try memory.valuesPagedIn.map { try ArenaMemory.pagedValues(trainable.arenaCount, in: $0) }
      ?? (memory.valuesOnHost ? Tensor([trainable.arenaCount], .float32, on: .cpu) : nil)
    self.init(trainable, values: values, gradients: memory.gradients, on: device)
  }

  func zeroGradients() {
    if let shard { shard.gradients.clear(0..<gradients.count) } else { gradients.setZero() }
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
