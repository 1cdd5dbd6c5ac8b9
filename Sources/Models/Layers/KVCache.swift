import FireflyTensors

/// One sequence's keys and values of every layer; grows by doubling up to its capacity.
public final class KVCache: @unchecked Sendable {
  /// The most tokens it may hold.
  public let capacity: Int
  /// Tokens held.
  public private(set) var count = 0
  private let width: Int  // KV·D
  private let dtype: DType
  private let device: any Device
  private var keys: [Tensor]  // per layer [room, KV·D]
  private var values: [Tensor]
  private var room: Int

  init(layers: Int, width: Int, dtype: DType, capacity: Int, device: any Device) {
    self.capacity = capacity
    self.width = width
    self.dtype = dtype
    self.device = device
    room = min(capacity, 256)
    let shape = [room, width]
    keys = (0..<layers).map { _ in Tensor(shape, dtype, on: device) }
    values = (0..<layers).map { _ in Tensor(shape, dtype, on: device) }
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
      layers: keys.count, width: width, dtype: dtype, capacity: capacity, device: device)
    copy.copy(self, keeping: 0, count: count)
    return copy
  }

  private func copy(_ other: KVCache, keeping kept: Int, count taken: Int) {
    precondition(keys.count == other.keys.count && width == other.width && dtype == other.dtype)
    precondition(taken >= 0 && taken <= other.count, "copy \(taken) of \(other.count)")
    precondition(kept >= 0 && kept <= min(count, taken), "keep \(kept) of \(count) for \(taken)")
    count = kept
    extend(by: taken - kept)
    let new = kept..<taken
    for layer in keys.indices {
      Ops.convert(keys[layer].matrix.rows(new), other.keys[layer].matrix.rows(new))
      Ops.convert(values[layer].matrix.rows(new), other.values[layer].matrix.rows(new))
    }
  }

  /// Memory held, counting what it has room for.
  public var byteCount: Int { 2 * keys.count * room * width * dtype.byteCount }

  /// Makes place for `new` more tokens and counts them; their rows are written layer by layer.
  func extend(by new: Int) {
    precondition(count + new <= capacity, "\(count) + \(new) tokens in a cache of \(capacity)")
    count += new
    guard count > room else { return }
    let kept = count - new
    while room < count { room = min(room * 2, capacity) }
    keys = keys.map { grown($0, keeping: kept) }
    values = values.map { grown($0, keeping: kept) }
  }

  private func grown(_ old: Tensor, keeping kept: Int) -> Tensor {
    let new = Tensor([room, width], dtype, on: device)
    Ops.convert(new.matrix.rows(0..<kept), old.matrix.rows(0..<kept))
    return new
  }

  func keys(_ layer: Int, count: Int) -> Matrix { keys[layer].matrix.rows(0..<count) }  // [n, KV·D]
  func values(_ layer: Int, count: Int) -> Matrix { values[layer].matrix.rows(0..<count) }  // [n, KV·D]
}

/// Rows `range` of a step's batch, which continue `cache` after its first `past` tokens.
struct CachedRows {
  let cache: KVCache
  let range: Range<Int>
  let past: Int
}
