import FireflyBase

/// What an answer's text must be: at each step, only tokens are taken that lead on to such a text, and those that end an answer
/// only where it is one.
public final class TextConstraint: Sendable {
  private let grammar: ByteGrammar
  private let tokens: TokenTrie
  /// What of a schema is not held to, for who asked; a sentence each.
  public let notes: [String]
  private let known = Locked(Known())

  init(_ grammar: ByteGrammar, _ tokens: TokenTrie, notes: [String]) {
    self.notes = notes
    self.grammar = grammar
    self.tokens = tokens
  }

  /// Places that were met, as numbers, with what follows: looking at every token is then a walk over tables.
  fileprivate struct Known {
    var places: [ByteGrammar.Place] = []
    var numbers: [ByteGrammar.Place: Int32] = [:]
    /// 256 for each place: the number of the place after a byte, or one of the two below.
    var steps: [Int32] = []
    /// The tokens that lead on from a place.
    var allowed: [Int32: [Int32]] = [:]

    static let unknown: Int32 = -2
    static let dead: Int32 = -1
    /// Places and lists of tokens that are kept; more are forgotten all at once.
    static let (mostPlaces, mostLists) = (4096, 24)

    mutating func number(of place: ByteGrammar.Place) -> Int32 {
      if place.isDead { return Known.dead }
      if let number = numbers[place] { return number }
      let number = Int32(places.count)
      places.append(place)
      numbers[place] = number
      steps += [Int32](repeating: Known.unknown, count: 256)
      return number
    }

    mutating func step(_ number: Int32, _ byte: UInt8, _ grammar: ByteGrammar) -> Int32 {
      let index = Int(number) * 256 + Int(byte)
      if steps[index] == Known.unknown {
        steps[index] = self.number(of: grammar.place(after: byte, at: places[Int(number)]))
      }
      return steps[index]
    }
  }

  /// Where an answer stands.
  struct Place {
    fileprivate var place: ByteGrammar.Place
    /// Whether nothing may follow.
    var isOver: Bool { place.isOver }
  }

  var start: Place { Place(place: grammar.start) }

  /// Goes on by a token that was allowed.
  func advance(_ place: inout Place, by id: Int32) {
    for byte in tokens.bytes(of: id) { place.place = grammar.place(after: byte, at: place.place) }
  }

  /// Takes every token out of the logits that does not lead on.
  ///
  /// - Parameters:
  ///   - logits: `[V]`
  ///   - stopIDs: what ends an answer.
  /// - Throws: `FireflyError` when no token is left.
  func restrict(_ logits: inout [Float], at place: Place, stopIDs: Set<Int32>) throws {
    let allowed = known.withLock { $0.allowed(at: place.place, grammar, tokens) }
    var restricted = [Float](repeating: -.infinity, count: logits.count)
    for id in allowed where logits.indices.contains(Int(id)) && !stopIDs.contains(id) {
      restricted[Int(id)] = logits[Int(id)]
    }
    if place.place.isEnd {
      for id in stopIDs where logits.indices.contains(Int(id)) { restricted[Int(id)] = logits[Int(id)] }
    }
    guard restricted.contains(where: { $0 > -.infinity }) else {
      throw FireflyError(
        "no token of the vocabulary leads on to a text of the format that was asked for",
        fix: "Ask without it: this model's vocabulary cannot spell it.")
    }
    logits = restricted
  }
}

extension TextConstraint.Known {
  fileprivate mutating func allowed(
    at place: ByteGrammar.Place, _ grammar: ByteGrammar, _ tokens: TokenTrie
  ) -> [Int32] {
    if places.count > Self.mostPlaces || allowed.count > Self.mostLists { self = Self() }
    let start = number(of: place)
    if let list = allowed[start] { return list }
    var list: [Int32] = []
    var path = [start]  // the places before each depth
    var index = 0
    while index < tokens.nodes.count {
      let node = tokens.nodes[index]
      path.removeLast(path.count - node.depth - 1)
      let next = step(path[node.depth], node.byte, grammar)
      if next == Self.dead {
        index = node.next
      } else {
        list += tokens.ids[node.tokens]
        path.append(next)
        index += 1
      }
    }
    allowed[start] = list
    return list
  }
}

extension TextConstraint: Equatable {
  public static func == (first: TextConstraint, second: TextConstraint) -> Bool { first === second }
}
