/// A set of Unicode scalars, as patterns of strings need it.
struct ScalarSet: Equatable, Sendable {
  /// Ascending, apart, and without surrogates.
  private(set) var ranges: [ClosedRange<UInt32>] = []

  init(_ ranges: [ClosedRange<UInt32>]) {
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
        self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
    self.ranges = self.ranges.flatMap { $0.withoutSurrogates }
  }

  init(_ scalars: String) { self.init(scalars.unicodeScalars.map { $0.value...$0.value }) }

  static let all = ScalarSet([0...0x10_FFFF])

  var complement: ScalarSet {
    var rest: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { rest.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= 0x10_FFFF { rest.append(next...0x10_FFFF) }
    return ScalarSet(rest)
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }
}

extension ClosedRange<UInt32> {
  fileprivate var withoutSurrogates: [ClosedRange<UInt32>] {
    ([(0, 0xD7FF), (0xE000, 0x10_FFFF)] as [(UInt32, UInt32)]).compactMap { least, most in
      let (low, high) = (Swift.max(lowerBound, least), Swift.min(upperBound, most))
      return low <= high ? low...high : nil
    }
  }
}

/// How a text stands in what a model says.
enum TextSpelling {
  /// As it is.
  case plain
  /// Within a JSON string.
  case inJSON
}

extension ScalarSet {
  /// One of the scalars.
  func pattern(_ spelling: TextSpelling) -> TextPattern {
    spelling == .inJSON ? inJSON : .choice(ranges.flatMap(ScalarSet.encoded))
  }
}

// MARK: - Within a JSON string

extension ScalarSet {
  /// One of the scalars as a JSON string has it: as it is, or by its escape where it cannot be.
  var inJSON: TextPattern {
    let plain = ScalarSet.written.ranges.flatMap { allowed in
      ranges.compactMap { $0.overlaps(allowed) ? $0.clamped(to: allowed) : nil }
    }
    let escaped = ScalarSet.written.complement.ranges.flatMap { Array($0) }.filter(contains)
    return .choice(
      plain.flatMap(ScalarSet.encoded) + escaped.map { .text(ScalarSet.escape($0)) })
  }

  private static let written = ScalarSet([0x20...0x21, 0x23...0x5B, 0x5D...0x10_FFFF])

  private static func escape(_ scalar: UInt32) -> String {
    let short: [UInt32: String] = [
      0x22: "\\\"", 0x5C: "\\\\", 0x08: "\\b", 0x0C: "\\f", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t",
    ]
    let hex = String(scalar, radix: 16)
    return short[scalar] ?? "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
  }

  /// A range in UTF-8, a pattern for each length.
  private static func encoded(_ range: ClosedRange<UInt32>) -> [TextPattern] {
    let lengths: [(UInt32, UInt32)] = [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x1_0000, 0x10_FFFF)]
    return lengths.compactMap { least, most in
      let (low, high) = (max(range.lowerBound, least), min(range.upperBound, most))
      guard low <= high, let first = Unicode.Scalar(low), let last = Unicode.Scalar(high) else { return nil }
      return sameLength(Array(UTF8.encode(first) ?? .init())[...], Array(UTF8.encode(last) ?? .init())[...])
    }
  }

  /// Sequences of as many bytes from one to another.
  private static func sameLength(_ least: ArraySlice<UInt8>, _ most: ArraySlice<UInt8>) -> TextPattern {
    guard let low = least.first, let high = most.first else { return .text("") }
    let (lowRest, highRest) = (least.dropFirst(), most.dropFirst())
    let (zeros, ones) = (lowRest.map { _ in UInt8(0x80) }[...], lowRest.map { _ in UInt8(0xBF) }[...])
    if low == high { return .sequence([.bytes(ByteSet(low...low)), sameLength(lowRest, highRest)]) }
    let any = TextPattern.sequence(lowRest.map { _ in .bytes(ByteSet(0x80...0xBF)) })
    if lowRest.elementsEqual(zeros) && highRest.elementsEqual(ones) {
      return .sequence([.bytes(ByteSet(low...high)), any])
    }
    var parts = [
      TextPattern.sequence([.bytes(ByteSet(low...low)), sameLength(lowRest, ones)]),
      TextPattern.sequence([.bytes(ByteSet(high...high)), sameLength(zeros, highRest)]),
    ]
    if low + 1 < high { parts.append(.sequence([.bytes(ByteSet(low + 1...high - 1)), any])) }
    return .choice(parts)
  }
}

extension TextPattern {
  /// Any text within a JSON string of so many characters, each in one spelling.
  static func characters(atLeast least: Int = 0, atMost most: Int? = nil) -> TextPattern {
    .repeated(ScalarSet.all.inJSON, atLeast: least, atMost: most)
  }

  /// A text within a JSON string, in the same spelling.
  static func characters(of text: String) -> TextPattern {
    .sequence(text.unicodeScalars.map { ScalarSet([$0.value...$0.value]).inJSON })
  }
}

extension JSONGrammar {
  /// What stands within a string that is none of these.
  static func content(otherThan names: [String]) -> TextPattern {
    content(otherThan: names.map { Array($0.unicodeScalars)[...] })
  }

  /// - Parameter names: the rests of those that begin as the string does.
  private static func content(otherThan names: [ArraySlice<Unicode.Scalar>]) -> TextPattern {
    let next = Dictionary(grouping: names.filter { !$0.isEmpty }) { $0[$0.startIndex].value }
    let others = ScalarSet(next.keys.map { $0...$0 }).complement
    var parts: [TextPattern] = names.contains(where: \.isEmpty) ? [] : [.text("")]
    parts += next.sorted { $0.key < $1.key }.map { scalar, names in
      .sequence([
        ScalarSet([scalar...scalar]).inJSON, content(otherThan: names.map { $0.dropFirst() }),
      ])
    }
    parts.append(.sequence([others.inJSON, .repeated(.rule(character), atLeast: 0, atMost: nil)]))
    return .choice(parts)
  }
}
