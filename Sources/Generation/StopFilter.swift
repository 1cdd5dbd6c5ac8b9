/// Passes text on until a stop string appears, holding back what may become one.
///
/// What comes is a row of symbols: the bytes of the text, in whole characters, and between them special tokens, which are
/// not shown but may be what a stop string spells. A symbol costs the same whatever came before it.
package struct StopFilter: Sendable {
  /// A byte of the text, or 256 and the id of a special token.
  private typealias Symbol = Int32

  private var patterns: [Pattern] = []
  private var held: [Symbol] = []
  private let keepsStop: Bool
  /// Whether a stop string has appeared; nothing passes any more.
  package private(set) var hasStopped = false

  /// - Parameters:
  ///   - specials: special tokens, which are not shown, by their spellings.
  ///   - keepsStop: whether the stop string itself is shown, as far as it is text.
  package init(_ stops: [String], specials: [[UInt8]: Int32] = [:], keepsStop: Bool = false) {
    self.keepsStop = keepsStop
    let lengths = Set(specials.keys.map(\.count)).sorted(by: >)
    for stop in stops where !stop.isEmpty {
      let bytes = Array(stop.utf8)
      let spelt = bytes.map(Symbol.init)
      patterns.append(Pattern(spelt))
      let tokens = StopFilter.symbols(bytes, specials, lengths)
      if tokens != spelt { patterns.append(Pattern(tokens)) }
    }
  }

  /// A stop string with the special tokens that it spells as such, at each place the longest.
  private static func symbols(_ stop: [UInt8], _ specials: [[UInt8]: Int32], _ lengths: [Int]) -> [Symbol] {
    var symbols: [Symbol] = []
    var rest = stop[...]
    while let byte = rest.first {
      let id = lengths.lazy.filter { $0 <= rest.count }.compactMap { length in
        specials[Array(rest.prefix(length))].map { (length, $0) }
      }.first
      symbols.append(id.map { 256 + $0.1 } ?? Symbol(byte))
      rest = rest.dropFirst(id?.0 ?? 1)
    }
    return symbols
  }

  /// The text that can be shown after `piece` has come.
  package mutating func append(_ piece: String) -> String {
    guard !hasStopped else { return "" }
    guard !patterns.isEmpty else { return piece }
    for byte in piece.utf8 where !hasStopped { take(Symbol(byte)) }
    return show()
  }

  /// The text that can be shown after a special token has come.
  package mutating func append(special id: Int32) -> String {
    guard !hasStopped, !patterns.isEmpty else { return "" }
    take(256 + id)
    return show()
  }

  /// What was held back, when no more text comes.
  package mutating func finish() -> String { hasStopped ? "" : give(held.count) }

  private mutating func take(_ symbol: Symbol) {
    held.append(symbol)
    var found = 0
    for index in patterns.indices where patterns[index].ends(with: symbol) {
      found = max(found, patterns[index].symbols.count)
    }
    guard found > 0 else { return }
    hasStopped = true
    if !keepsStop { held.removeLast(found) }
  }

  private mutating func show() -> String {
    let possible = hasStopped ? 0 : patterns.reduce(0) { max($0, $1.matched) }
    return give(held.count - possible)
  }

  private mutating func give(_ count: Int) -> String {
    let bytes = held[..<count].compactMap { UInt8(exactly: $0) }
    held.removeFirst(count)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A stop string, and how much of it the text ends with (Knuth, Morris and Pratt).
  private struct Pattern: Sendable {
    let symbols: [Symbol]
    /// For each beginning, the longest shorter one that it ends with.
    private var shorter = [0, 0]
    private(set) var matched = 0

    init(_ symbols: [Symbol]) {
      self.symbols = symbols
      for end in symbols.indices.dropFirst() { shorter.append(extended(shorter[end], by: symbols[end])) }
    }

    private func extended(_ count: Int, by symbol: Symbol) -> Int {
      var count = count
      while count == symbols.count || (count > 0 && symbols[count] != symbol) { count = shorter[count] }
      return symbols[count] == symbol ? count + 1 : 0
    }

    /// Whether the text ends with the whole string after `symbol`.
    mutating func ends(with symbol: Symbol) -> Bool {
      matched = extended(matched, by: symbol)
      return matched == symbols.count
    }
  }
}
