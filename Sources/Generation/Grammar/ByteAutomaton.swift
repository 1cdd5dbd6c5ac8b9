import FireflyBase

/// A set of texts as a machine that is in one state after each byte, so that such sets can be cut with each other and taken from
/// each other.
struct ByteAutomaton: Sendable {
  /// `[S][256]`: the state after a byte, `nowhere` where there is none. A text starts in state 0.
  private(set) var steps: [[Int32]]
  private(set) var isEnd: [Bool]

  static let nowhere: Int32 = -1
  /// States that are made at most: a machine for two sets may need one for each pair of theirs.
  static let mostStates = 4000
  /// Steps from places of a grammar, of which many may be open at once: so much is tried for who sends a schema.
  private static let mostSteps = 500_000

  /// - Parameters:
  ///   - steps: `[S][256]`
  ///   - isEnd: `[S]`
  init(steps: [[Int32]], isEnd: [Bool]) {
    self.steps = steps
    self.isEnd = isEnd
  }

  /// - Parameter pattern: one that calls at most the rules that every grammar of JSON has, and none in a circle.
  /// - Throws: `FireflyError` when it needs too many states.
  init(_ pattern: TextPattern) throws {
    let grammar = try ByteGrammar([pattern] + JSONGrammar.shared)
    let alike = grammar.bytesAlike
    var places = [grammar.start]
    var numbers: [ByteGrammar.Place: Int32] = [grammar.start: 0]
    (steps, isEnd) = ([], [])
    var stepCount = 0
    while steps.count < places.count {
      let place = places[steps.count]
      stepCount += place.stacks.count * alike.count
      try ByteAutomaton.check(stepCount <= ByteAutomaton.mostSteps)
      var step = [Int32](repeating: ByteAutomaton.nowhere, count: 256)
      for bytes in alike {
        let next = grammar.place(after: bytes[0], at: place)
        guard !next.isDead else { continue }
        let number = numbers[next] ?? Int32(places.count)
        if number == places.count {
          places.append(next)
          numbers[next] = number
        }
        for byte in bytes { step[Int(byte)] = number }
      }
      steps.append(step)
      isEnd.append(place.isEnd)
      try ByteAutomaton.check(places.count <= ByteAutomaton.mostStates)
    }
  }

  /// The texts within a JSON string of so many characters, each in one spelling: the machine of one character, once for each.
  static func characters(atLeast least: Int, atMost most: Int?) throws -> ByteAutomaton {
    let one = try ByteAutomaton(ScalarSet.all.inJSON)
    let (last, size) = (most ?? least, one.steps.count)
    try check(last < 2 * mostStates / size)
    var all = ByteAutomaton(steps: [], isEnd: [])
    for count in 0...last {
      let next = min(count + 1, last) * size
      for (state, step) in one.steps.enumerated() {
        all.isEnd.append(state == 0 && count >= least)
        all.steps.append(
          step.map { target in
            guard target != nowhere, count < last || most == nil else { return nowhere }
            return Int32(one.isEnd[Int(target)] ? next : count * size + Int(target))
          })
      }
    }
    return all
  }

  private static func check(_ isBounded: Bool) throws {
    guard isBounded else {
      throw FireflyError(
        "keywords that must hold together make the format too large",
        expected: "at most \(mostStates) states", fix: "Leave one of them out, and check the answer for it.")
    }
  }

  // MARK: - Two of them

  /// The texts of both.
  func cut(with other: ByteAutomaton) throws -> ByteAutomaton { try paired(other, isCut: true) }

  /// The texts of this one that are none of the other's.
  func without(_ other: ByteAutomaton) throws -> ByteAutomaton { try paired(other, isCut: false) }

  private func paired(_ other: ByteAutomaton, isCut: Bool) throws -> ByteAutomaton {
    struct Pair: Hashable { var (own, other): (Int32, Int32) }
    var pairs = [Pair(own: 0, other: 0)]
    var numbers = [pairs[0]: Int32(0)]
    var result = ByteAutomaton(steps: [], isEnd: [])
    while result.steps.count < pairs.count {
      let pair = pairs[result.steps.count]
      let hasOther = pair.other != ByteAutomaton.nowhere
      let isOther = hasOther && other.isEnd[Int(pair.other)]
      result.isEnd.append(isEnd[Int(pair.own)] && isOther == isCut)
      var step = steps[Int(pair.own)]
      for byte in step.indices where step[byte] != ByteAutomaton.nowhere {
        let next = Pair(
          own: step[byte], other: hasOther ? other.steps[Int(pair.other)][byte] : ByteAutomaton.nowhere)
        if isCut, next.other == ByteAutomaton.nowhere {
          step[byte] = ByteAutomaton.nowhere
          continue
        }
        let number = numbers[next] ?? Int32(pairs.count)
        if number == pairs.count {
          pairs.append(next)
          numbers[next] = number
        }
        step[byte] = number
      }
      result.steps.append(step)
      try ByteAutomaton.check(pairs.count <= ByteAutomaton.mostStates)
    }
    return result
  }

  // MARK: - As a pattern

  /// The same texts, for a grammar.
  var pattern: TextPattern {
    var graph = PatternGraph(isEnd: isEnd)
    for (state, step) in steps.enumerated() {
      let bytes = Dictionary(grouping: step.indices.filter { step[$0] != ByteAutomaton.nowhere }) { step[$0] }
      for (target, bytes) in bytes.sorted(by: { $0.key < $1.key }) {
        graph.add(.bytes(ByteSet(bytes: bytes.map { UInt8($0) })), from: state, to: Int(target))
      }
    }
    return .graph(graph)
  }

  func allows(_ text: String) -> Bool {
    var state: Int32 = 0
    for byte in text.utf8 {
      state = steps[Int(state)][Int(byte)]
      guard state != ByteAutomaton.nowhere else { return false }
    }
    return isEnd[Int(state)]
  }
}

extension ByteGrammar {
  /// All bytes, those together that no node tells apart.
  fileprivate var bytesAlike: [[UInt8]] {
    var sets = Set<ByteSet>()
    for case .byte(let set, _) in nodes { sets.insert(set) }
    let groups = Dictionary(grouping: UInt8.min...UInt8.max) { byte in sets.map { $0.contains(byte) } }
    return groups.values.sorted { $0[0] < $1[0] }
  }
}
