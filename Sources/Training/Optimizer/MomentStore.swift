import FireflyModels
import FireflyTensors
import FireflyWeights

/// The optimizer's moments of what is trained, or of a range of it; zero at first.
package final class MomentStore {
  /// Elements of the arena.
  package let range: Range<Int>
  /// Both moments together.
  package let byteCount: Int
  private let contents: Contents

  private enum Contents {
    /// Each [range.count].
    case float32(m: Tensor, v: Tensor)
    /// Of each parameter, ascending.
    case byParameter([(range: Range<Int>, moments: Moments)])
  }

  /// 32 bits each, in the device's memory.
  package init(for range: Range<Int>, on device: any Device) {
    self.range = range
    contents = .float32(
      m: .zeros([range.count], .float32, on: device), v: .zeros([range.count], .float32, on: device))
    byteCount = MomentStore.byteCount(of: range.count)
  }

  /// 32 bits each in one file of `folder`, mapped and shared, so that the system can write pages out and take the memory.
  ///
  /// The file has no name once it is open: its room is free again when the process ends, however it ends.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package init(for range: Range<Int>, pagedIn folder: String) throws {
    self.range = range
    byteCount = MomentStore.byteCount(of: range.count)
    let storage = try MomentStore.paged(byteCount, in: folder)
    contents = .float32(
      m: Tensor(storage: storage, byteOffset: 0, shape: [range.count], dtype: .float32),
      v: Tensor(storage: storage, byteOffset: byteCount / 2, shape: [range.count], dtype: .float32))
  }

  /// 8 bits each where `ParameterSlot.hasByteMoments`, and 32 elsewhere: in the device's memory, or in a file of `folder`.
  ///
  /// - Parameter range: elements of the arena that begin and end where a block does; nil: all.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package init(
    inBytesFor trainable: Trainable, _ range: Range<Int>? = nil, on device: any Device,
    pagedIn folder: String? = nil
  ) throws {
    let range = range ?? 0..<trainable.arenaCount
    let parts = trainable.slots.map { (slot: $0, range: $0.range.clamped(to: range)) }
      .filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
    let byteCount = parts.reduce(0) { $0 + MomentStore.byteCount(of: $1.range.count, in: $1.slot) }
    let storage =
      try folder.map { try MomentStore.paged(byteCount, in: $0) }
      ?? Tensor.zeros([byteCount], .uint8, on: device).storage
    var offset = 0
    func next(_ count: Int, _ dtype: DType) -> Tensor {
      defer { offset += MomentStore.lines(count * dtype.byteCount) }
      return Tensor(storage: storage, byteOffset: offset, shape: [count], dtype: dtype)
    }
    func nextBytes(_ count: Int, _ map: DynamicMap) -> ByteMoment {
      ByteMoment(
        codes: next(count, .uint8), absmax: next(ByteMoment.blocks(of: count), .float32), map: map)
    }
    contents = .byParameter(
      parts.map { slot, range in
        let count = range.count
        let moments: Moments =
          slot.hasByteMoments
          ? .bytes(m: nextBytes(count, .signed), v: nextBytes(count, .unsigned))
          : .float32(m: next(count, .float32), v: next(count, .float32))
        return (range, moments)
      })
    self.range = range
    self.byteCount = byteCount
  }

  /// Moments of all that is trained, of the same kind, zero, in a file of `folder`.
  func emptied(for trainable: Trainable, pagedIn folder: String) throws -> MomentStore {
    switch contents {
    case .float32: try MomentStore(for: 0..<trainable.arenaCount, pagedIn: folder)
    case .byParameter: try MomentStore(inBytesFor: trainable, on: .cpu, pagedIn: folder)
    }
  }

  private static func paged(_ byteCount: Int, in folder: String) throws -> Storage {
    try Storage.paged(
      byteCount, in: folder, for: "the optimizer",
      otherwise: "set \"optim\": \"adamw_torch\", which keeps them in memory")
  }

  /// What the store has of a range, which begins and ends where a block does: stretches of the arena, ascending.
  package func moments(in range: Range<Int>) -> [(range: Range<Int>, moments: Moments)] {
    switch contents {
    case .float32(let m, let v):
      let part = range.clamped(to: self.range)
      guard !part.isEmpty else { return [] }
      return [(part, Moments.float32(m: m, v: v).slice(part.offset(by: -self.range.lowerBound)))]
    case .byParameter(let all):
      let first = all.partitionPoint { $0.range.upperBound <= range.lowerBound }
      return all[first...].prefix { $0.range.lowerBound < range.upperBound }.map { own, moments in
        let part = range.clamped(to: own)
        return (part, moments.slice(part.offset(by: -own.lowerBound)))
      }
    }
  }

  /// The tensors of `moments(in:)`, one after another.
  func tensors(in range: Range<Int>) -> [Tensor] {
    moments(in: range).flatMap { $0.moments.files.map(\.tensor) }
  }

  /// Those of a parameter, all of which the store has, in its shape.
  package func moments(of slot: ParameterSlot) -> Moments {
    let found = moments(in: slot.range)
    precondition(found.count == 1 && found[0].range == slot.range, "no moments of \(slot.name)")
    return found[0].moments.shaped(slot.shape)
  }

  // MARK: - Sizes

  /// Each moment on cache lines of its own.
  private static func byteCount(of elements: Int) -> Int { 2 * lines(4 * elements) }

  /// Bytes of all moments in 8 bits.
  package static func byteCount(inBytesFor trainable: Trainable) -> Int {
    trainable.slots.reduce(0) { $0 + byteCount(of: $1.count, in: $1) }
  }

  private static func byteCount(of elements: Int, in slot: ParameterSlot) -> Int {
    guard slot.hasByteMoments else { return byteCount(of: elements) }
    return 2 * (lines(elements) + lines(4 * ByteMoment.blocks(of: elements)))
  }

  private static func lines(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }
}

extension Array {
  /// The index of the first element that is not before a place, where those before it stand first.
  fileprivate func partitionPoint(_ isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Range<Int> {
  fileprivate func offset(by distance: Int) -> Range<Int> {
    lowerBound + distance..<upperBound + distance
  }
}
