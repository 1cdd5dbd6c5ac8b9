import FireflyTensors

/// One sequence's keys and values of every layer; grows by doubling up to its capacity.
public final class KVCache: @unchecked Sendable {
  /// The most tokens it may hold.
  public let capacity: Int
  /// Tokens held.
  public private(set) var count = 0
  private let width: Int  // KV·D
  private let dtype: DType
  private var keys: [Tensor]  // per layer [room, KV·D]
  private var values: [Tensor]
  private var room: Int

  init(layers: Int, width: Int, dtype: DType, capacity: Int) {
    self.capacity = capacity
    self.width = width
    self.dtype = dtype
    room = min(capacity, 256)
    let shape = [room, width]
    keys = (0..<layers).map { _ in Tensor(shape, dtype) }
    values = (0..<layers).map { _ in Tensor(shape, dtype) }
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
    let copy = KVCache(layers: keys.count, width: width, dtype: dtype, capacity: capacity)
    copy.copy(self, keeping: 0, count: count)
    return copy
  }

  private func copy(_ other: KVCache, keeping kept: Int, count taken: Int) {
    precondition(keys.count == other.keys.count && width == other.width && dtype == other.dtype)
    precondition(taken >= 0 && taken <= other.count, "copy \(taken) of \(other.count)")
    precondition(kept >= 0 && kept <= min(count, taken), "keep \(kept) of \(count) for \(taken)")
    count = kept
    extend(by: taken - kept)
    for layer in keys.indices {
      append(
        keys: other.keys[layer].matrix.rows(kept..<taken),
        values: other.values[layer].matrix.rows(kept..<taken), layer: layer, at: kept)
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
    let new = Tensor([room, width], dtype)
    Ops.convert(new.matrix.rows(0..<kept), old.matrix.rows(0..<kept))
    return new
  }

  func append(keys newKeys: Matrix, values newValues: Matrix, layer: Int, at position: Int) {
    let range = position..<position + newKeys.rows
    Ops.convert(keys[layer].matrix.rows(range), newKeys)
    Ops.convert(values[layer].matrix.rows(range), newValues)
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
