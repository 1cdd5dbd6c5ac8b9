import FireflyBase

/// Settings of full-parameter training.
public struct FullSettings: Equatable, Sendable {
  public var frozen = FrozenLayers.first(0)
  /// Where the float32 values are held that the weights' copies follow.
  public var masterWeights = OptimizerMemory.memory  // master_weights
  /// What gradients are summed in.
  public var gradients = HeldPrecision.float32  // gradient_dtype
}

/// Which blocks are left as they are; the embedding goes with them.
public enum FrozenLayers: Equatable, Sendable {
  case first(Int)  // freeze_layers
  case allButLast(Int)  // train_last_layers

  /// How many of `layers` are frozen, from the first; below 0 where more shall be trained than there are.
  func count(of layers: Int) -> Int {
    switch self {
    case .first(let count): count
    case .allButLast(let count): layers - count
    }
  }
}

extension ConfigReader {
  /// freeze_layers, train_last_layers, master_weights and gradient_dtype: with train_mode "full" only.
  mutating func full(_ mode: TrainMode) -> FullSettings {
    if mode != .full {
      for key in FullKeys.all where has(key) {
        problem(
          "\"\(key.name)\" belongs to \"train_mode\": \"full\"", key: key.name, found: "\"\(mode.rawValue)\"",
          fix: "Remove the key, or set \"train_mode\": \"full\".")
      }
      return FullSettings()
    }
    let first = value(FullKeys.freeze)
    let last = value(FullKeys.trainLast)
    if first != nil && last != nil {
      problem(
        "\"freeze_layers\" and \"train_last_layers\" are both set", key: "train_last_layers",
        expected: "one of them")
    }
    return FullSettings(
      frozen: last.map { .allButLast($0) } ?? .first(first ?? 0),
      masterWeights: value(FullKeys.masterWeights),
      gradients: value(FullKeys.gradients))
  }
}
