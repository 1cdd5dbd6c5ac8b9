import FireflyBase
import FireflyRanks

/// The finished items of an evaluation that ranks share: what one finishes, all learn, and the first one's file keeps.
package final class SharedResults {
  package let ranks: Ranks
  /// What is known to be finished, by id: at first what the file has. The same on all ranks.
  private(set) var items: [String: JSONValue]
  /// The first rank's, where there is one.
  private let file: ResultFile?
  /// Finished here since the last `exchange`.
  private var own: [(id: String, item: JSONValue)] = []

  /// - Parameter file: the first rank's; nil keeps nothing, and on the others.
  package init(_ ranks: Ranks, file: ResultFile?) throws {
    precondition(file == nil || ranks.isFirst, "the first rank writes")
    self.ranks = ranks
    self.file = file
    let known = file?.items ?? [:]
    guard !ranks.isAlone else {
      items = known
      return
    }
    let text = try ranks.broadcast(Array(JSONValue.object(known).text().utf8))
    items = try JSONValue.parse(String(decoding: text, as: UTF8.self), source: "the first rank").object ?? [:]
  }

  /// A process by itself.
  init(_ file: ResultFile?) {
    ranks = .alone()
    self.file = file
    items = file?.items ?? [:]
  }

  /// What errors call the file.
  var path: String? { file?.path }

  /// Adds what is finished: of a rank alone to the file at once, of several with the next `exchange`.
  func add(_ finished: [(id: String, item: JSONValue)]) throws {
    if ranks.isAlone { try file?.append(finished) } else { own += finished }
  }

  /// Tells all ranks what each has finished; the file gets it in the ranks' order.
  ///
  /// - Returns: what has been finished by any of several ranks since the last time, by id.
  func exchange() throws -> [String: JSONValue] {
    guard !ranks.isAlone else { return [:] }
    let text = JSONValue.array(own.map { .array([.string($0.id), $0.item]) }).text()
    own = []
    let finished = try ranks.gather(Array(text.utf8)).flatMap { bytes in
      let list = try JSONValue.parse(String(decoding: bytes, as: UTF8.self), source: "a rank").array ?? []
      return list.compactMap { pair -> (id: String, item: JSONValue)? in
        guard let pair = pair.array, pair.count == 2, let id = pair[0].string else { return nil }
        return (id, pair[1])
      }
    }
    try ranks.agree { try file?.append(finished) }
    return Dictionary(finished.map { ($0.id, $0.item) }) { first, _ in first }
  }

  /// Puts the file's lines into the order of `ids`, when all is done: it is then the same however often the work was
  /// stopped, and whoever shared it.
  func arrange(_ ids: [String]) throws {
    try ranks.agree { try file?.arrange(ids) }
  }
}
