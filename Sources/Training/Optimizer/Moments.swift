import FireflyModels
import FireflyTensors

/// AdamW's two moments of the same elements.
package enum Moments {
  /// Each float32 [n].
  case float32(m: Tensor, v: Tensor)
  case bytes(m: ByteMoment, v: ByteMoment)

  package var count: Int {
    switch self {
    case .float32(let m, _): m.count
    case .bytes(let m, _): m.codes.count
    }
  }

  package var device: any Device {
    switch self {
    case .float32(let m, _): m.device
    case .bytes(let m, _): m.codes.device
    }
  }

  /// In 8 bits from the beginning of a block.
  package func slice(_ range: Range<Int>) -> Moments {
    switch self {
    case .float32(let m, let v): .float32(m: m.slice(range), v: v.slice(range))
    case .bytes(let m, let v): .bytes(m: m.slice(range), v: v.slice(range))
    }
  }

  func shaped(_ shape: [Int]) -> Moments {
    switch self {
    case .float32(let m, let v): .float32(m: m.reshaped(shape), v: v.reshaped(shape))
    case .bytes(let m, let v): .bytes(m: m.shaped(shape), v: v.shaped(shape))
    }
  }

  /// The tensors with what a checkpoint calls them after the parameter's name, and how many elements one value is of.
  var files: [(prefix: String, suffix: String, unit: Int, tensor: Tensor)] {
    switch self {
    case .float32(let m, let v): [("m.", "", 1, m), ("v.", "", 1, v)]
    case .bytes(let m, let v):
      [("m.", m), ("v.", v)].flatMap { prefix, moment in
        [(prefix, "", 1, moment.codes), (prefix, ".absmax", ByteMoment.blockSize, moment.absmax)]
      }
    }
  }
}

extension ParameterSlot {
  /// Whether an optimizer in 8 bits keeps this one's moments so: bitsandbytes leaves tensors of fewer than 4,096 elements in
  /// 32 bits, and transformers' Trainer embeddings.
  package var hasByteMoments: Bool { count >= 4096 && role != .embedding }
}

extension Trainable {
  /// Where the block that an element of the arena lies in begins, were its parameter's moments in 8 bits; of a gap's element
  /// itself.
  func blockStart(of element: Int) -> Int {
    guard let slot = slots.first(where: { $0.range.contains(element) }) else { return element }
    return element - (element - slot.range.lowerBound) % ByteMoment.blockSize
  }
}

extension ByteMoment {
  fileprivate func shaped(_ shape: [Int]) -> ByteMoment {
    ByteMoment(codes: codes.reshaped(shape), absmax: absmax, map: map)
  }
}
