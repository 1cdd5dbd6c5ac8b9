/// Graphs that count members and items.
extension PatternGraph {
  /// A member of an object, or an item of a list whose items have an order of their own.
  struct Member: Sendable {
    var pattern: TextPattern
    var isRequired = false
  }

  /// Members in their order, with a separator between those that are there, and behind them any number of further ones. Two of the
  /// further ones may have one name, so only the first counts for the least.
  static func members(
    _ members: [Member], further: TextPattern? = nil, atLeast least: Int, atMost most: Int?,
    separator: TextPattern
  ) -> PatternGraph {
    let highest = max(1, least, most ?? 0)
    // The place before a member when so many are written; the last row is that between further ones.
    func place(_ index: Int, _ count: Int) -> Int { index * (highest + 1) + min(count, highest) }
    func own(_ pattern: TextPattern, _ count: Int) -> TextPattern {
      count == 0 ? pattern : .sequence([separator, pattern])
    }
    let (end, between) = (members.count, members.count + 1)
    var graph = PatternGraph(
      isEnd: (0...between).flatMap { index in
        (0...highest).map { index == between || index == end && $0 >= least }
      })
    for count in 0...highest {
      let hasRoom = most.map { count < $0 } ?? true
      for (index, member) in members.enumerated() {
        if !member.isRequired { graph.add(.text(""), from: place(index, count), to: place(index + 1, count)) }
        guard hasRoom else { continue }
        graph.add(own(member.pattern, count), from: place(index, count), to: place(index + 1, count + 1))
      }
      guard let further, hasRoom else { continue }
      graph.add(own(further, 1), from: place(between, count), to: place(between, count + 1))
      guard count + 1 >= least else { continue }
      graph.add(own(further, count), from: place(end, count), to: place(between, count + 1))
    }
    return graph
  }

  /// An item, and whether it is one of those that are counted.
  struct Item: Sendable {
    var pattern: TextPattern
    var isCounted = false
  }

  /// How many of something there may be.
  typealias Count = (least: Int, most: Int?)

  /// Items of a list.
  ///
  /// - Parameters:
  ///   - first: what the first ones may be.
  ///   - others: what those behind them may be; none for no more.
  ///   - counted: how many of those that are counted there must be.
  static func items(
    first: [[Item]], others: [Item], _ count: Count, counted: Count = (0, nil), separator: TextPattern
  ) -> PatternGraph {
    let longest = max(1, first.count, count.least, count.most ?? 0)
    let highest = max(counted.least, counted.most ?? 0)
    func place(_ length: Int, _ found: Int) -> Int {
      min(length, longest) * (highest + 1) + min(found, highest)
    }
    var graph = PatternGraph(
      isEnd: (0...longest).flatMap { length in
        (0...highest).map { length >= count.least && $0 >= counted.least }
      })
    for length in 0...longest where count.most.map({ length < $0 }) ?? true {
      for found in 0...highest {
        for item in length < first.count ? first[length] : others {
          if item.isCounted, found == counted.most { continue }
          graph.add(
            length == 0 ? item.pattern : .sequence([separator, item.pattern]),
            from: place(length, found), to: place(length + 1, found + (item.isCounted ? 1 : 0)))
        }
      }
    }
    return graph
  }

  /// Values that are kept apart in every order: a place for each set of those that are written.
  static let mostInAnyOrder = 8

  /// Items that are all different, of a few values.
  ///
  /// - Precondition: at most `mostInAnyOrder` values.
  static func distinct(
    _ values: [TextPattern], _ count: Count, separator: TextPattern
  ) -> PatternGraph {
    precondition(values.count <= mostInAnyOrder)
    let sets = 0..<1 << values.count
    var graph = PatternGraph(isEnd: sets.map { $0.nonzeroBitCount >= count.least })
    for set in sets where count.most.map({ set.nonzeroBitCount < $0 }) ?? true {
      for (index, value) in values.enumerated() where set >> index & 1 == 0 {
        graph.add(
          set == 0 ? value : .sequence([separator, value]), from: set, to: set | 1 << index)
      }
    }
    return graph
  }
}
