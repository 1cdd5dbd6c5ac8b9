/// A set of texts as one writes it down; `ByteGrammar` is the same as a machine runs it.
indirect enum TextPattern: Sendable {
  case text(String)
  /// One byte of these.
  case bytes(ByteSet)
  case sequence([TextPattern])
  case choice([TextPattern])
  /// So many times in a row; nil: any number.
  case repeated(TextPattern, atLeast: Int, atMost: Int?)
  /// What the rule of this name says, which is at least one byte.
  case rule(Int)
  /// From place to place of a graph.
  case graph(PatternGraph)

  /// The bytes of the shortest and of the longest text; nil: there is no longest one that is known.
  var byteCounts: (least: Int, most: Int?) {
    switch self {
    case .text(let text): (text.utf8.count, text.utf8.count)
    case .bytes: (1, 1)
    case .rule: (1, nil)
    case .graph: (0, nil)
    case .sequence(let parts):
      parts.map(\.byteCounts).reduce((0, 0)) { sum, part in
        (sum.0 + part.least, sum.1.flatMap { most in part.most.map { $0 + most } })
      }
    case .choice(let parts):
      (
        parts.map(\.byteCounts.least).min() ?? 0,
        parts.map(\.byteCounts.most).reduce(0) { most, part in
          most.flatMap { most in part.map { max($0, most) } }
        }
      )
    case .repeated(let part, let least, let most):
      (part.byteCounts.least * least, most.flatMap { times in part.byteCounts.most.map { $0 * times } })
    }
  }

  /// Whether there is any such text.
  ///
  /// - Parameter rules: whether each rule has one.
  func isPossible(_ rules: [Bool]) -> Bool {
    switch self {
    case .text, .bytes: true
    case .sequence(let parts): parts.allSatisfy { $0.isPossible(rules) }
    case .choice(let parts): parts.contains { $0.isPossible(rules) }
    case .repeated(let part, let least, _): least == 0 || part.isPossible(rules)
    case .rule(let rule): rules[rule]
    case .graph(let graph): graph.leadsOn(rules)[0]
    }
  }

  /// Whether each rule has a text, when they call each other.
  static func possible(_ rules: [TextPattern]) -> [Bool] {
    var possible = rules.map { _ in false }
    var isSettled = false
    while !isSettled {
      isSettled = true
      // Parts stand behind what they are parts of.
      for (number, rule) in rules.enumerated().reversed()
      where !possible[number] && rule.isPossible(possible) {
        possible[number] = true
        isSettled = false
      }
    }
    return possible
  }

  static func optional(_ pattern: TextPattern) -> TextPattern { .repeated(pattern, atLeast: 0, atMost: 1) }
}

/// Patterns between numbered places, for what would else have to be written down once for every count of it.
struct PatternGraph: Sendable {
  struct Edge: Sendable {
    var pattern: TextPattern
    var target: Int
  }

  /// The ways on from each place; a text starts at place 0.
  private(set) var edges: [[Edge]]
  /// Whether a text may end at each place.
  private(set) var isEnd: [Bool]

  init(isEnd: [Bool]) {
    edges = isEnd.map { _ in [] }
    self.isEnd = isEnd
  }

  mutating func add(_ pattern: TextPattern, from place: Int, to target: Int) {
    edges[place].append(Edge(pattern: pattern, target: target))
  }

  /// Whether an end can be reached from each place.
  ///
  /// - Parameter rules: whether each rule has a text.
  func leadsOn(_ rules: [Bool]) -> [Bool] {
    var sources = [[Int]](repeating: [], count: edges.count)
    for (place, edges) in edges.enumerated() {
      for edge in edges where edge.pattern.isPossible(rules) { sources[edge.target].append(place) }
    }
    var leads = isEnd
    var open = isEnd.indices.filter { isEnd[$0] }
    while let place = open.popLast() {
      for source in sources[place] where !leads[source] {
        leads[source] = true
        open.append(source)
      }
    }
    return leads
  }
}

/// A set of bytes.
struct ByteSet: Hashable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init(_ ranges: ClosedRange<UInt8>...) {
    for range in ranges { for byte in range { insert(byte) } }
  }

  init(_ characters: String) { self.init(bytes: characters.utf8) }

  init(bytes: some Sequence<UInt8>) {
    for byte in bytes { insert(byte) }
  }

  private mutating func insert(_ byte: UInt8) {
    let bit = UInt64(1) << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  func contains(_ byte: UInt8) -> Bool {
    let word =
      switch byte >> 6 {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      default: words.3
      }
    return word >> UInt64(byte & 63) & 1 == 1
  }

  static func == (first: ByteSet, second: ByteSet) -> Bool { first.words == second.words }

  func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}
