/// A text with places to fill, `the file has {} rows`: as it is recognised, and as its translation is filled.
struct Template: Sendable {
  /// What stands before, between and behind the places: one more than there are places.
  let literals: [String]
  /// Which of the original's places each of this text's takes, from 0: `{2}` takes the second, `{}` the next.
  private let order: [Int]
  private let bytes: [[UInt8]]
  /// How many bytes of a text the template itself says.
  let weight: Int
  /// Whether it says more than `of` and `at most`, which stand in every text.
  let isDistinct: Bool
  /// Of each place, whether quotation marks are around it.
  let quoted: [Bool]

  init(_ text: String) {
    var literals = [""]
    var order: [Int] = []
    var rest = text[...]
    while let brace = rest.firstIndex(of: "{") {
      literals[literals.count - 1] += rest[..<brace]
      rest = rest[brace...].dropFirst()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      if rest[digits.endIndex...].hasPrefix("}") {
        order.append(Int(digits).map { $0 - 1 } ?? order.count)
        literals.append("")
        rest = rest[digits.endIndex...].dropFirst()
      } else {
        literals[literals.count - 1] += "{"
      }
    }
    literals[literals.count - 1] += rest
    self.literals = literals
    self.order = order
    bytes = literals.map { Array($0.utf8) }
    weight = bytes.reduce(0) { $0 + $1.count }
    let words = literals.flatMap { $0.split { !$0.isLetter }.map(\.count) }
    isDistinct = words.contains { $0 > 4 } || words.reduce(0, +) > 8
    quoted = zip(literals, literals.dropFirst()).map { before, behind in
      before.last.map { "\"'".contains($0) && behind.first == $0 } ?? false
    }
  }

  var places: Int { order.count }

  // MARK: - Recognising

  /// The bytes of `text` that fill the places; nil where the template does not become it.
  ///
  /// Each place but the last takes as little as it can; of two side by side, the first takes nothing. Nothing that fills a
  /// place reaches over the gap between two columns.
  func match(_ text: [UInt8]) -> [Range<Int>]? {
    guard let first = bytes.first, let last = bytes.last, places > 0, text.count >= first.count + last.count,
      text.starts(with: first), text[(text.count - last.count)...].elementsEqual(last)
    else { return nil }
    var start = first.count
    let end = text.count - last.count
    var found: [Range<Int>] = []
    for literal in bytes.dropFirst().dropLast() {
      guard let place = Template.find(literal, in: text, start..<end) else { return nil }
      found.append(start..<place)
      start = place + literal.count
    }
    found.append(start..<end)
    let gap = Array("  ".utf8)
    return found.contains { Template.find(gap, in: text, $0) != nil && !isGap($0, text) } ? nil : found
  }

  /// Whether only blanks fill the place: of a number that stands at its right edge.
  private func isGap(_ range: Range<Int>, _ text: [UInt8]) -> Bool {
    let inner = text[range].drop { $0 == 0x20 }
    return !inner.contains(0x20)
  }

  private static func find(_ literal: [UInt8], in text: [UInt8], _ range: Range<Int>) -> Int? {
    guard let first = literal.first else { return range.lowerBound }
    guard range.count >= literal.count else { return nil }
    for place in range.lowerBound...(range.upperBound - literal.count)
    where text[place] == first && text[place..<place + literal.count].elementsEqual(literal) { return place }
    return nil
  }

  // MARK: - Filling

  /// The text with its places filled; with no blanks around a translation where Chinese has none.
  func filled(_ fillings: [(text: String, isTranslated: Bool)]) -> String {
    var out = literals[0]
    for (index, place) in order.enumerated() where fillings.indices.contains(place) {
      Template.append(fillings[place].text, to: &out, closely: fillings[place].isTranslated)
      Template.append(literals[index + 1], to: &out, closely: fillings[place].isTranslated)
    }
    return out
  }

  /// Appends with one blank between Chinese and Latin letters or digits, and none between two wide characters
  /// when `closely`.
  private static func append(_ text: String, to out: inout String, closely: Bool) {
    var text = text[...]
    if closely {
      if out.hasSuffix(" "), out.dropLast().last?.isWide == true, text.first?.isWide == true {
        out.removeLast()
      }
      if out.last?.isWide == true, text.hasPrefix(" "), text.dropFirst().first?.isWide == true {
        text.removeFirst()
      }
    }
    if let before = out.last, let behind = text.first, before.isLetter || before.isNumber,
      behind.isLetter || behind.isNumber, before.isWide != behind.isWide
    {
      out += " "
    }
    out += text
  }
}

extension Character {
  /// Whether the character takes two columns, as Chinese and its punctuation do.
  fileprivate var isWide: Bool { Columns.count(String(self)) == 2 }
}
