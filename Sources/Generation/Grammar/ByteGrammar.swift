import FireflyBase

/// A set of texts as a graph whose edges are bytes. Rules call each other, also in circles, but none calls itself before it has
/// taken a byte. What leads to no end is left out, so that from every place that a text reaches it can be ended.
struct ByteGrammar: Sendable {
  enum Node: Sendable {
    /// Takes a byte and goes on at another node.
    case byte(ByteSet, next: Int32)
    /// Goes on at each of these.
    case choice([Int32])
    /// Goes on at a rule's start, and after its end at `next`.
    case call(rule: Int, next: Int32)
    /// The end of a rule.
    case end
  }

  private(set) var nodes: [Node] = [.end]
  /// Where each rule starts; rule 0 is the whole.
  private(set) var starts: [Int32] = []
  private static let end: Int32 = 0
  /// Whether each rule has a text.
  private let possible: [Bool]

  /// Nodes of a grammar: what a request may ask for is bounded before it is made.
  static let mostNodes = 100_000

  /// - Parameter rules: by their numbers; the first is the whole text.
  /// - Throws: `FireflyError` when they are too many or one calls itself before it takes a byte.
  init(_ rules: [TextPattern]) throws {
    possible = TextPattern.possible(rules)
    for rule in rules { starts.append(try node(rule, before: ByteGrammar.end) ?? ByteGrammar.end) }
    try checkRecursion()
  }

  /// Adds a pattern after which it goes on at `next`.
  ///
  /// - Returns: where the pattern starts; nil where it has no text.
  private mutating func node(_ pattern: TextPattern, before next: Int32) throws -> Int32? {
    switch pattern {
    case .text(let text):
      return try text.utf8.reversed().reduce(next) { try add(.byte(ByteSet($1...$1), next: $0)) }
    case .bytes(let set): return try add(.byte(set, next: next))
    case .sequence(let parts):
      var start = next
      for part in parts.reversed() {
        guard let before = try node(part, before: start) else { return nil }
        start = before
      }
      return start
    case .choice(let parts):
      let ways = try parts.compactMap { try node($0, before: next) }
      return ways.isEmpty ? nil : try add(.choice(ways))
    case .rule(let rule): return possible[rule] ? try add(.call(rule: rule, next: next)) : nil
    case .graph(let graph): return try self.graph(graph, before: next)
    case .repeated(let part, let least, let most): return try repeated(part, least, most, before: next)
    }
  }

  private mutating func add(_ node: Node) throws -> Int32 {
    guard nodes.count < ByteGrammar.mostNodes else {
      throw FireflyError(
        "the format is too large", expected: "at most \(ByteGrammar.mostNodes) places in it",
        fix: "Leave out bounds of many hundreds (maxLength, maxItems), or parts.")
    }
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  private mutating func repeated(
    _ part: TextPattern, _ least: Int, _ most: Int?, before next: Int32
  ) throws -> Int32? {
    guard part.isPossible(possible) else { return least == 0 ? next : nil }
    var start = next
    if let most {
      for _ in least..<max(least, most) {
        start = try add(.choice([node(part, before: start), next].compactMap(\.self)))
      }
    } else {
      let loop = try add(.end)
      nodes[Int(loop)] = .choice([try node(part, before: loop), next].compactMap(\.self))
      start = loop
    }
    for _ in 0..<least { start = try node(part, before: start) ?? start }
    return start
  }

  /// Adds the places that are reached from the first and lead to an end.
  private mutating func graph(_ graph: PatternGraph, before next: Int32) throws -> Int32? {
    let leads = graph.leadsOn(possible)
    guard leads[0] else { return nil }
    var added: [Int: Int32] = [0: try add(.end)]
    var open = [0]
    while let place = open.popLast(), let node = added[place] {
      var ways = graph.isEnd[place] ? [next] : []
      for edge in graph.edges[place] where leads[edge.target] {
        if added[edge.target] == nil {
          added[edge.target] = try add(.end)
          open.append(edge.target)
        }
        if let way = try added[edge.target].flatMap({ try self.node(edge.pattern, before: $0) }) {
          ways.append(way)
        }
      }
      nodes[Int(node)] = .choice(ways)
    }
    return added[0]
  }

  /// Follows the calls that come before any byte.
  private func checkRecursion() throws {
    var done = Set<Int>()
    for rule in starts.indices { try check(rule, within: [], &done) }
  }

  private func check(_ rule: Int, within callers: [Int], _ done: inout Set<Int>) throws {
    guard !callers.contains(rule) else {
      throw FireflyError(
        "a part of the format is itself, with nothing around it", fix: "Take the $ref out of the circle.")
    }
    guard callers.count < ByteGrammar.deepest else {
      throw FireflyError("parts of the format refer to others too many times")
    }
    guard !done.contains(rule) else { return }
    var seen: Set<Int32> = []
    var open = [starts[rule]]
    while let node = open.popLast() {
      guard seen.insert(node).inserted else { continue }
      switch nodes[Int(node)] {
      case .choice(let parts): open += parts
      case .call(let other, _): try check(other, within: callers + [rule], &done)
      case .byte, .end: break
      }
    }
    done.insert(rule)
  }

  /// Calls within calls: deeper nesting is no continuation.
  static let deepest = 128
  /// Beyond so many, no brackets are opened, so that those that are open can be closed.
  private static let deepestOpening = 100
}

// MARK: - Where a text stands

extension ByteGrammar {
  /// All places at which a text may stand; each is a node and, before it, where it goes on when rules end.
  struct Place: Hashable, Sendable {
    fileprivate(set) var stacks: [[Int32]]  // in order

    /// Whether the text may end here.
    var isEnd: Bool { stacks.first?.isEmpty == true }
    /// Whether the text can do nothing but end.
    var isOver: Bool { isEnd && stacks.count == 1 }
    /// Whether nothing leads on.
    var isDead: Bool { stacks.isEmpty }
  }

  /// Dead where there is no text at all.
  var start: Place { closed(possible[0] ? [[starts[0]]] : []) }

  func place(after byte: UInt8, at place: Place) -> Place {
    var next: [[Int32]] = []
    let isOpening = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
    for stack in place.stacks where !isOpening || stack.count <= ByteGrammar.deepestOpening {
      guard let top = stack.last, case .byte(let set, let target) = nodes[Int(top)], set.contains(byte) else {
        continue
      }
      next.append(stack.dropLast() + [target])
    }
    return closed(next)
  }

  /// Goes on until each stack waits for a byte or is empty.
  private func closed(_ stacks: [[Int32]]) -> Place {
    var open = stacks
    var seen = Set(stacks)
    var waiting: [[Int32]] = []
    func reach(_ stack: [Int32]) { if seen.insert(stack).inserted { open.append(stack) } }
    while let stack = open.popLast() {
      guard let top = stack.last else {
        waiting.append(stack)
        continue
      }
      let rest = Array(stack.dropLast())
      switch nodes[Int(top)] {
      case .byte: waiting.append(stack)
      case .choice(let parts): for part in parts { reach(rest + [part]) }
      case .end: reach(rest)
      case .call(let rule, let next):
        // What ends when the rule ends needs no place of its own.
        let callers = if case .end = nodes[Int(next)] { rest } else { rest + [next] }
        if callers.count < ByteGrammar.deepest { reach(callers + [starts[rule]]) }
      }
    }
    return Place(stacks: waiting.sorted { $0.lexicographicallyPrecedes($1) })
  }
}
