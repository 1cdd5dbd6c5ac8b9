import FireflyBase

/// What `multipleOf` says, by decimal digits: 0.07 is a multiple of 0.01, which it is not in binary numbers.
struct Multiple {
  /// The divisor is `units / 10^places`.
  private let units: Int
  private let places: Int

  /// nil for what is no number above nought, or has too many digits.
  init?(_ value: JSONValue) {
    guard let bound = NumberRange.Bound(value, isExclusive: false), !bound.isNegative else { return nil }
    var units = bound.whole
    for digit in bound.fraction {
      let (product, isTooLarge) = units.multipliedReportingOverflow(by: 10)
      guard !isTooLarge else { return nil }
      units = product + Int(digit)
    }
    guard units > 0 else { return nil }
    (self.units, places) = (units, bound.fraction.count)
  }

  /// The least multiple of both, as JSON has it; nil where it has too many digits.
  func common(with other: Multiple) -> OrderedJSON? {
    func units(_ multiple: Multiple, at places: Int) -> Int? {
      (multiple.places..<places).reduce(multiple.units as Int?) { units, _ in
        units.flatMap { $0 < IntegerRange.limit ? $0 * 10 : nil }
      }
    }
    let places = max(places, other.places)
    guard let own = units(self, at: places), let others = units(other, at: places) else { return nil }
    var (divisor, rest) = (own, others)
    while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
    let (least, isTooLarge) = own.multipliedReportingOverflow(by: others / divisor)
    guard !isTooLarge, least < IntegerRange.limit else { return nil }
    return places == 0 ? .int(least) : Double("\(least)e-\(places)").map(OrderedJSON.double)
  }

  /// Remainders that are told apart, at most.
  private static let mostRemainders = 10_000

  /// Of texts that are decimal numbers without an exponent, the multiples.
  ///
  /// - Throws: `FireflyError` when the divisor has too many digits.
  func automaton(at place: String) throws -> ByteAutomaton {
    guard units <= Multiple.mostRemainders / (places + 2) else {
      throw FireflyError(
        "\"multipleOf\" has too many digits", at: place,
        expected: "at most \(Multiple.mostRemainders / (places + 2)) of its last decimal place",
        fix: "Leave it out, and check the answer for it.")
    }
    return Multiple.reduced(steps, isEnd)
  }

  /// What may be read: the digits, a point, a sign.
  private static let symbols: [UInt8] = Array("0123456789.-".utf8)
  private static let (point, sign) = (10, 11)

  /// `[S][12]`: the state after each symbol. States are the remainder of the digits so far before the point, then behind it
  /// after each digit up to the divisor's last, behind which there are only noughts.
  private var steps: [[Int]] {
    let rows = places + 2
    return (0..<rows * units).map { state in
      let (row, remainder) = state.quotientAndRemainder(dividingBy: units)
      var step = [Int](repeating: -1, count: Multiple.symbols.count)
      for digit in 0..<10 where row < rows - 1 || digit == 0 {
        let next = row < rows - 1 ? (remainder * 10 + digit) % units : remainder
        let nextRow = row == 0 ? 0 : min(row + 1, rows - 1)
        step[digit] = nextRow * units + next
      }
      if row == 0 {
        step[Multiple.point] = units + remainder
        step[Multiple.sign] = state
      }
      return step
    }
  }

  private var isEnd: [Bool] {
    (0..<(places + 2) * units).map { state in
      let (row, remainder) = state.quotientAndRemainder(dividingBy: units)
      let missing = places - max(0, row - 1)
      return (0..<missing).reduce(remainder) { rest, _ in rest * 10 % units } == 0
    }
  }

  /// The machine with states that go on alike made one.
  private static func reduced(_ steps: [[Int]], _ isEnd: [Bool]) -> ByteAutomaton {
    var kinds = isEnd.map { $0 ? 1 : 0 }
    var count = 0
    while true {
      var numbers: [[Int]: Int] = [:]
      var next: [Int] = []
      for (state, step) in steps.enumerated() {
        let key = [kinds[state]] + step.map { $0 < 0 ? -1 : kinds[$0] }
        let number = numbers[key] ?? numbers.count
        numbers[key] = number
        next.append(number)
      }
      kinds = next
      if numbers.count == count { break }
      count = numbers.count
    }
    var table = [[Int32]](
      repeating: [Int32](repeating: ByteAutomaton.nowhere, count: 256), count: count)
    var ends = [Bool](repeating: false, count: count)
    for (state, step) in steps.enumerated() {
      ends[kinds[state]] = isEnd[state]
      for (symbol, target) in step.enumerated() where target >= 0 {
        table[kinds[state]][Int(symbols[symbol])] = Int32(kinds[target])
      }
    }
    return ByteAutomaton(steps: table, isEnd: ends)  // the first state's kind is 0
  }
}

extension NumberRange.Bound {
  /// The number as it is written without an exponent.
  var text: String {
    let digits = String(decoding: fraction.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
    return (isNegative ? "-" : "") + "\(whole)" + (digits.isEmpty ? "" : ".\(digits)")
  }

  /// The number in all its spellings without an exponent.
  var spellings: TextPattern {
    let zeros = TextPattern.repeated(.text("0"), atLeast: fraction.isEmpty ? 1 : 0, atMost: nil)
    let isZero = whole == 0 && fraction.isEmpty
    return .sequence([
      isZero ? .optional(.text("-")) : .text(""), .text(text),
      fraction.isEmpty ? .optional(.sequence([.text("."), zeros])) : zeros,
    ])
  }
}
