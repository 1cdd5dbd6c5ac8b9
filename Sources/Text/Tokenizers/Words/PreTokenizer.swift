import FireflyBase

/// How a text is cut into words before byte-pair encoding: the `pre_tokenizer` of tokenizer.json.
struct PreTokenizer: Sendable {
  enum Step: Sendable {
    case split(RegularExpression, SplitBehavior, inverted: Bool)
    /// A space in front of every piece that has none.
    case prefixSpace
    /// Spaces become `replacement`, and pieces get one in front.
    case metaspace(replacement: [UInt8], MetaspacePrefix)
    /// Bytes spelt in GPT-2's alphabet.
    case byteAlphabet
  }

  enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case contiguous = "Contiguous"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
  }

  enum MetaspacePrefix: String, Sendable { case always, first, never }

  var steps: [Step]

  /// Whether what is done depends on where the text begins.
  var asksForStart: Bool {
    steps.contains { if case .metaspace(_, .first) = $0 { true } else { false } }
  }

  /// GPT-2's words: contractions, letters, digits or other signs with one space before, and spaces;
  /// in Oniguruma's syntax, as tokenizer.json writes patterns.
  static let gpt2Pattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

  /// The words of `text`.
  /// - Parameter startsText: whether nothing stood before it, not even what the normalizer took away.
  func split(_ text: [UInt8], startsText: Bool, workspace: RegularExpressionWorkspace) throws -> Words {
    var words = Words(bytes: text, ranges: [0..<text.count])
    for step in steps {
      switch step {
      case .split(let pattern, let behavior, let inverted):
        try words.split(by: pattern, behavior, inverted: inverted, workspace)
      case .prefixSpace:
        words.rewrite { word, _, out in
          if word.first != UInt8(ascii: " ") { out.append(UInt8(ascii: " ")) }
          out.append(contentsOf: word)
        }
      case .byteAlphabet:
        words.rewrite { word, _, out in out += ByteAlphabet.spell(word) }
      case .metaspace(let replacement, let prefix):
        let keepsStart = words.keepsStart
        words.rewrite { word, isFirst, out in
          let start = out.count
          for byte in word {
            if byte == UInt8(ascii: " ") { out += replacement } else { out.append(byte) }
          }
          let wanted = prefix == .always || prefix == .first && isFirst && startsText && keepsStart
          if wanted, !out[start...].starts(with: replacement) {
            out.insert(contentsOf: replacement, at: start)
          }
        }
      }
    }
    return words
  }
}

/// Words as ranges of one buffer of UTF-8.
struct Words {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  /// Whether the first word begins where the text does: nothing before it was cut away.
  private(set) var keepsStart = true

  init(bytes: [UInt8], ranges: [Range<Int>]) {
    self.bytes = bytes
    self.ranges = ranges
  }

  /// Builds the buffer anew, word by word; `body` gets the word, whether it is the first, and the new buffer.
  mutating func rewrite(_ body: (ArraySlice<UInt8>, Bool, inout [UInt8]) -> Void) {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + ranges.count)
    for index in ranges.indices {
      let start = out.count
      body(bytes[ranges[index]], index == 0, &out)
      ranges[index] = start..<out.count
    }
    bytes = out
  }

  /// Cuts every word at the matches of `pattern`; empty words vanish.
  mutating func split(
    by pattern: RegularExpression, _ behavior: PreTokenizer.SplitBehavior, inverted: Bool,
    _ workspace: RegularExpressionWorkspace
  ) throws {
    var pieces: [Range<Int>] = []
    pieces.reserveCapacity(ranges.count == 1 ? bytes.count / 4 : ranges.count * 2)
    try bytes.withUnsafeBufferPointer { bytes in
      for word in ranges {
        var cuts = Cuts(behavior: behavior, first: pieces.count)
        var done = word.lowerBound
        let text = UnsafeBufferPointer(rebasing: bytes[word])
        try pattern.forEachMatch(in: text, workspace: workspace) { match in
          let start = word.lowerBound + match.lowerBound
          let end = word.lowerBound + match.upperBound
          if done < start { cuts.append(done..<start, isDelimiter: inverted, to: &pieces) }
          cuts.append(start..<end, isDelimiter: !inverted, to: &pieces)
          done = end
        }
        if done < word.upperBound {
          cuts.append(done..<word.upperBound, isDelimiter: inverted, to: &pieces)
        }
      }
    }
    pieces.removeAll(where: \.isEmpty)  // an empty match cuts, and is no word
    if pieces.first?.lowerBound != ranges.first?.lowerBound { keepsStart = false }
    ranges = pieces
  }
}

/// Where one word is cut, by the behaviour asked for.
private struct Cuts {
  let behavior: PreTokenizer.SplitBehavior
  /// The index of the word's first piece.
  let first: Int
  private var previousIsDelimiter = false

  init(behavior: PreTokenizer.SplitBehavior, first: Int) {
    self.behavior = behavior
    self.first = first
  }

  mutating func append(_ piece: Range<Int>, isDelimiter: Bool, to pieces: inout [Range<Int>]) {
    let joins =
      switch behavior {
      case .removed, .isolated: false
      case .contiguous: isDelimiter == previousIsDelimiter
      case .mergedWithPrevious: isDelimiter && !previousIsDelimiter
      case .mergedWithNext: !isDelimiter && previousIsDelimiter
      }
    previousIsDelimiter = isDelimiter
    if behavior == .removed && isDelimiter { return }
    if joins, pieces.count > first {
      pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<piece.upperBound
    } else {
      pieces.append(piece)
    }
  }
}
