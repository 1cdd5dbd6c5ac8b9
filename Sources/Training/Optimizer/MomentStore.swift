import FireflyModels
import FireflyTensors
import FireflyWeights

/// The optimizer's moments of what is trained, or of some ranges of it; zero at first.
package final class MomentStore {
  /// Both moments together.
  package let byteCount: Int
  /// Stretches of the arena, ascending.
  private let parts: [(range: Range<Int>, moments: Moments)]
  /// Large tensors' moments have 8 bits; of ranges without any there may be none that has.
  private let isInBytes: Bool

  /// 32 bits each, in the device's memory.
  ///
  /// - Parameter ranges: elements of the arena, ascending.
  package convenience init(for ranges: [Range<Int>], on device: any Device) {
    let stretches = ranges.map { Stretch(range: $0, isBytes: false) }
    self.init(
      stretches, isInBytes: false,
      in: Tensor.zeros([MomentStore.byteCount(of: stretches)], .uint8, on: device).storage)
  }

  /// 32 bits each in one file of `folder`, mapped and shared, so that the system can write pages out and take the memory.
  ///
  /// The file has no name once it is open: its room is free again when the process ends, however it ends.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package convenience init(for ranges: [Range<Int>], pagedIn folder: String) throws {
    let stretches = ranges.map { Stretch(range: $0, isBytes: false) }
    self.init(
      stretches, isInBytes: false,
      in: try MomentStore.paged(MomentStore.byteCount(of: stretches), in: folder))
  }

  /// 8 bits each where `ParameterSlot.hasByteMoments`, and 32 elsewhere: in the device's memory, or in a file of `folder`.
  ///
  /// - Parameter ranges: elements of the arena that begin and end where a block does, ascending; nil: all.
  /// - Throws: `FireflyError` when the disk has no room for all of it.
  package convenience init(
    inBytesFor trainable: Trainable, _ ranges: [Range<Int>]? = nil, on device: any Device,
    pagedIn folder: String? = nil
  ) throws {
    let slots = trainable.slots.sorted { $0.range.lowerBound < $1.range.lowerBound }
    let stretches = (ranges ?? [0..<trainable.arenaCount]).flatMap { range in
      slots.map { Stretch(range: $0.range.clamped(to: range), isBytes: $0.hasByteMoments) }
        .filter { !$0.range.isEmpty }
    }
    let byteCount = MomentStore.byteCount(of: stretches)
    self.init(
      stretches, isInBytes: true,
      in: try folder.map { try MomentStore.paged(byteCount, in: $0) }
        ?? Tensor.zeros([byteCount], .uint8, on: device).storage)
  }

  /// Elements whose moments lie together.
  private struct Stretch {
    let range: Range<Int>
    let isBytes: Bool
  }

  private init(_ stretches: [Stretch], isInBytes: Bool, in storage: Storage) {
    self.isInBytes = isInBytes
    // What codes stand for lies beside the moments, where they do.
    lazy var maps = (
      signed: MomentMap(.signed, on: storage.device), unsigned: MomentMap(.unsigned, on: storage.device)
    )
    var offset = 0
    func next(_ count: Int, _ dtype: DType) -> Tensor {
      defer { offset += MomentStore.lines(count * dtype.byteCount) }
      return Tensor(storage: storage, byteOffset: offset, shape: [count], dtype: dtype)
    }
    func nextBytes(_ count: Int, _ map: MomentMap) -> ByteMoment {
      ByteMoment(
        codes: next(count, .uint8), absmax: next(ByteMoment.blocks(of: count), .float32), map: map)
    }
    parts = stretches.map { stretch in
      let count = stretch.range.count
      let moments: Moments =
        stretch.isBytes
        ? .bytes(m: nextBytes(count, maps.signed), v: nextBytes(count, maps.unsigned))
        : .float32(m: next(count, .float32), v: next(count, .float32))
      return (stretch.range, moments)
    }
    byteCount = offset
  }

  /// Moments of all that is trained, of the same kind, zero, in a file of `folder`.
  func emptied(for trainable: Trainable, pagedIn folder: String) throws -> MomentStore {
    isInBytes
      ? try MomentStore(inBytesFor: trainable, on: .cpu, pagedIn: folder)
      : try MomentStore(for: [0..<trainable.arenaCount], pagedIn: folder)
  }

  private static func paged(_ byteCount: Int, in folder: String) throws -> Storage {
    try Storage.paged(
      byteCount, in: folder, for: "the optimizer",
      otherwise: "set \"optim\": \"adamw_torch\", which keeps them in memory")
  }

  /// What the store has of a range, which begins and ends where a block does: stretches of the arena, ascending.
  package func moments(in range: Range<Int>) -> [(range: Range<Int>, moments: Moments)] {
    let first = parts.partitionPoint { $0.range.upperBound <= range.lowerBound }
    return parts[first...].prefix { $0.range.lowerBound < range.upperBound }.map { own, moments in
      let part = range.clamped(to: own)
      return (part, moments.slice(part.offset(by: -own.lowerBound)))
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

  /// Bytes of all moments in 8 bits.
  package static func byteCount(inBytesFor trainable: Trainable) -> Int {
    trainable.slots.reduce(0) { $0 + byteCount(of: $1.count, isBytes: $1.hasByteMoments) }
  }

  private static func byteCount(of stretches: [Stretch]) -> Int {
    stretches.reduce(0) { $0 + byteCount(of: $1.range.count, isBytes: $1.isBytes) }
  }

  private static func byteCount(of elements: Int, isBytes: Bool) -> Int {
    guard isBytes else { return 2 * lines(4 * elements) }
    return 2 * (lines(elements) + lines(4 * ByteMoment.blocks(of: elements)))
  }

  /// Each moment lies on cache lines of its own.
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
