import FireflyTensors

/// What attention looks back on in one sequence, for every layer: keys and values, or what they are made from. Grows by
/// doubling up to its capacity.
public final class KVCache: @unchecked Sendable {
  /// The most tokens it may hold.
  public let capacity: Int
  /// Tokens held.
  public private(set) var count = 0
  /// Columns of each part.
  private let widths: [Int]
  private let dtype: DType
  private let device: any Device
  private var parts: [[Tensor]]  // [part][layer], each [room, width]
  private var room: Int

  /// - Parameter widths: columns of each of a layer's parts: `Architecture.cacheWidths`.
  init(layers: Int, widths: [Int], dtype: DType, capacity: Int, device: any Device) {
    self.capacity = capacity
    self.widths = widths
    self.dtype = dtype
    self.device = device
    let room = min(capacity, 256)
    self.room = room
    parts = widths.map { width in (0..<layers).map { _ in Tensor([room, width], dtype, on: device) } }
  }

  /// Forgets all but the first `count` tokens.
  public func truncate(to count: Int) {
    precondition(count >= 0 && count <= self.count, "truncate to \(count) of \(self.count)")
    self.count = count
  }

  /// Becomes equal to `other`, a cache of the same model: what follows a beginning that several sequences share goes
  /// on from its own copy.
  ///
  /// - Parameter kept: the first so many tokens are the same in both already and stay.
  public func copy(_ other: KVCache, keeping kept: Int = 0) {
    copy(other, keeping: kept, count: other.count)
  }

  /// A cache of its own with the first `count` tokens.
  public func copy(count: Int) -> KVCache {
    let copy = KVCache(
      layers: layers, widths: widths, dtype: dtype, capacity: capacity, device: device)
    copy.copy(self, keeping: 0, count: count)
    return copy
  }

  private func copy(_ other: KVCache, keeping kept: Int, count taken: Int) {
    precondition(layers == other.layers && widths == other.widths && dtype == other.dtype)
    precondition(taken >= 0 && taken <= other.count, "copy \(taken) of \(other.count)")
    precondition(kept >= 0 && kept <= min(count, taken), "keep \(kept) of \(count) for \(taken)")
    count = kept
    extend(by: taken - kept)
    let new = kept..<taken
    for (own, theirs) in zip(parts.joined(), other.parts.joined()) {
      Ops.convert(own.matrix.rows(new), theirs.matrix.rows(new))
    }
  }

  /// Memory held, counting what it has room for.
  public var byteCount: Int { layers * room * widths.reduce(0, +) * dtype.byteCount }

  private var layers: Int { parts[0].count }

  /// Makes place for `new` more tokens and counts them; their rows are written layer by layer.
  func extend(by new: Int) {
    precondition(count + new <= capacity, "\(count) + \(new) tokens in a cache of \(capacity)")
    count += new
    guard count > room else { return }
    let kept = count - new
    while room < count { room = min(room * 2, capacity) }
    parts = parts.map { $0.map { grown($0, keeping: kept) } }
  }

  private func grown(_ old: Tensor, keeping kept: Int) -> Tensor {
    let new = Tensor([room, old.columns], dtype, on: device)
    Ops.convert(new.matrix.rows(0..<kept), old.matrix.rows(0..<kept))
    return new
  }

  /// The first `count` rows of a layer's part, in the order of the widths.
  func rows(_ part: Int, layer: Int, count: Int) -> Matrix { parts[part][layer].matrix.rows(0..<count) }
}

/// Rows `range` of a step's batch, which continue `cache` after its first `past` tokens.
struct CachedRows {
  let cache: KVCache
  let range: Range<Int>
  let past: Int
}
