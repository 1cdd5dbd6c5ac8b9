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
  /// Members of an object in their order, with commas between those that are there.
  case members([Member])

  struct Member: Sendable {
    /// With the colon.
    var key: TextPattern
    /// The rule of its value.
    var value: Int
    var isRequired: Bool
    /// Any number of such members; the last only.
    var isRepeated = false
  }

  /// The bytes of the shortest and of the longest text; nil: there is no longest one that is known.
  var byteCounts: (least: Int, most: Int?) {
    switch self {
    case .text(let text): (text.utf8.count, text.utf8.count)
    case .bytes: (1, 1)
    case .rule: (1, nil)
    case .members: (0, nil)
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

  static func optional(_ pattern: TextPattern) -> TextPattern { .repeated(pattern, atLeast: 0, atMost: 1) }
}

/// A set of bytes.
struct ByteSet: Hashable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init(_ ranges: ClosedRange<UInt8>...) {
    for range in ranges { for byte in range { insert(byte) } }
  }

  init(_ characters: String) {
    for byte in characters.utf8 { insert(byte) }
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
