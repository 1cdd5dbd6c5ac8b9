/// What a model has read and answered, kept so that a prompt with the same beginning is not read again.
///
/// The longest known beginning is found among what is kept and what is running. It is copied; or taken as it is when
/// the prompt goes on after it, as a conversation does. What was used least recently goes first.
public final class PromptMemory<Model: DecodingModel> {
  /// A sequence that a cache holds.
  struct Entry {
    let adapter: String?
    /// The cache begins with them; of a finished one, it holds no more.
    let ids: [Int32]
    /// How many of them were a prompt; the rest was generated.
    let promptCount: Int
    let cache: Model.Cache
  }

  private let entryLimit: Int
  private let byteLimit: Int
  private let unit: Int
  /// The entries, the least recently used one first.
  private var entries: [Entry] = []
  /// Memory of what is kept.
  public private(set) var byteCount = 0

  /// - Parameters:
  ///   - entries: Sequences to keep.
  ///   - bytes: Memory that they and what is running may take together.
  ///   - unit: A part of a prompt is shared in multiples of so many tokens. With the number of tokens that prompts are
  ///     read by, all of it was computed in the very passes that reading it anew would take, and an answer is equal to
  ///     the last bit whether a beginning was shared or not. A conversation that goes on is taken up as it is.
  public init(entries: Int = 1, bytes: Int = .max, unit: Int = 1) {
    precondition(entries > 0 && bytes >= 0 && unit > 0, "\(entries) entries in units of \(unit)")
    entryLimit = entries
    byteLimit = bytes
    self.unit = unit
  }

  /// A cache that holds a beginning of `prompt`, at least one token short of it.
  func cache(for prompt: [Int32], adapter: String?, running: [Entry], model: Model) -> Model.Cache {
    let kept = longest(entries, prompt, adapter)
    let live = longest(running, prompt, adapter)
    if let live, live.count > kept?.count ?? 0 { return running[live.index].cache.copy(count: live.count) }
    guard let kept, kept.count > 0 else { return model.makeCache(capacity: model.maxPositions) }
    let entry = entries.remove(at: kept.index)
    byteCount -= entry.cache.byteCount
    if kept.count >= entry.promptCount || entryLimit == 1 {
      entry.cache.truncate(to: kept.count)
      return entry.cache
    }
    keep(entry)  // as the one used last
    return entry.cache.copy(count: kept.count)
  }

  /// How much of `prompt` can be taken from `ids`, the first `promptCount` of which were a prompt.
  func shared(_ ids: [Int32], promptCount: Int, with prompt: [Int32], isSameModel: Bool) -> Int {
    guard isSameModel else { return 0 }
    let common = zip(ids, prompt).prefix { $0 == $1 }.count
    let usable = min(common, prompt.count - 1)
    return common > promptCount ? usable : usable / unit * unit
  }

  private func longest(_ entries: [Entry], _ prompt: [Int32], _ adapter: String?) -> (index: Int, count: Int)?
  {
    entries.indices.map { index in
      let entry = entries[index]
      let count = shared(
        entry.ids, promptCount: entry.promptCount, with: prompt, isSameModel: entry.adapter == adapter)
      return (index, count)
    }.max { $0.count < $1.count }
  }

  /// Keeps a sequence that is finished; of two, one of which begins with the other, only the longer.
  func keep(_ entry: Entry) {
    guard !entry.ids.isEmpty else { return }
    let same = entries.indices.filter { entries[$0].adapter == entry.adapter }
    if let longer = same.first(where: { entries[$0].ids.starts(with: entry.ids) }) {
      return entries.append(entries.remove(at: longer))
    }
    for index in same.reversed() where entry.ids.starts(with: entries[index].ids) {
      byteCount -= entries.remove(at: index).cache.byteCount
    }
    entries.append(entry)
    byteCount += entry.cache.byteCount
    while entries.count > entryLimit { forgetOldest() }
  }

  /// Forgets until what is kept and the `running` bytes are within the limit, or nothing is left.
  func makeRoom(besides running: Int) {
    while !entries.isEmpty && byteCount + running > byteLimit { forgetOldest() }
  }

  /// Whether so many bytes of running caches are within the limit.
  func allows(_ running: Int) -> Bool { running < byteLimit }

  /// Forgets all that was read with an adapter.
  func forget(_ adapter: String) {
    entries.removeAll { $0.adapter == adapter }
    byteCount = entries.reduce(0) { $0 + $1.cache.byteCount }
  }

  private func forgetOldest() {
    byteCount -= entries.removeFirst().cache.byteCount
  }
}
