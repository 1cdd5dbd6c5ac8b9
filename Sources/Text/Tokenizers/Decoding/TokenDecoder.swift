/// How tokens become text again: the `decoder` of tokenizer.json.
enum TokenDecoder: Sendable {
  /// Tokens spell bytes in GPT-2's alphabet; a token that does not is its own text.
  case byteLevel
  /// Tokens go through the steps one after the other.
  case steps([Step])
  /// SentencePiece's pieces: `▁` is a space, `<0xE4>` a byte.
  case pieces(dropsSpace: LeadingSpace)

  /// What becomes of the space that a text's first piece begins with.
  enum LeadingSpace: Sendable {
    case kept
    /// Of the first piece that has one, while the text is empty.
    case oneDropped
    /// Of every piece, while the text is empty.
    case allDropped
  }

  enum Step: Sendable {
    case replace([UInt8], with: [UInt8])
    /// `<0xE4>` is a byte.
    case byteFallback
    /// From here on all is one token.
    case fuse
    /// Takes up to so many of `content` from a token's start and end.
    case strip(content: [UInt8], start: Int, stop: Int)
    /// `replacement` is a space; the first token loses it when `dropsFirst`.
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
    /// A space between tokens.
    case join
    /// A token without `prefix` begins a word; `cleansUp` also takes spaces from before English punctuation.
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    /// `suffix` ends a word.
    case wordSuffix([UInt8])
  }
}

extension TokenDecoder {
  func makeStreamingDecoder(_ rules: DecodingRules) -> StreamingDecoder {
    switch self {
    case .byteLevel: return StreamingDecoder(ByteLevelDecoding(rules: rules))
    case .steps(let steps): return StreamingDecoder(StepwiseDecoding(rules: rules, steps: steps))
    case .pieces(let dropsSpace): return StreamingDecoder(PieceDecoding(rules: rules, dropsSpace: dropsSpace))
    }
  }
}

/// What decoding asks of a vocabulary.
struct DecodingRules: Sendable {
  let table: TokenTable
  let skipped: Set<Int32>
  /// Tokens that decode as something else than they are.
  let respelt: [Int32: ArraySlice<UInt8>]

  init(table: TokenTable, skipped: Set<Int32>, respelt: [Int32: ArraySlice<UInt8>] = [:]) {
    self.table = table
    self.skipped = skipped
    self.respelt = respelt
  }

  /// The token that `id` gives to the decoder; nil for none.
  func token(of id: Int32) -> ArraySlice<UInt8>? {
    skipped.contains(id) ? nil : respelt[id] ?? table.token(of: id)
  }
}

/// Decoding of byte-level tokens.
struct ByteLevelDecoding: DecodingState {
  let rules: DecodingRules
  private var assembler = UTF8Assembler(.eachSequence)

  init(rules: DecodingRules) { self.rules = rules }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard let token = rules.token(of: id) else { return }
    for byte in ByteAlphabet.read(token) ?? Array(token) { assembler.append(byte, to: &out) }
  }

  mutating func finish(to out: inout [UInt8]) { assembler.finish(to: &out) }
}

/// The byte that a token like `<0x0A>` stands for.
func byteOfToken(_ token: some RandomAccessCollection<UInt8>) -> UInt8? {
  guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">") else { return nil }
  return UInt8(String(decoding: token.dropFirst(3).prefix(2), as: UTF8.self), radix: 16)
}

/// `bytes` with every `pattern` replaced, from left to right.
func replaceBytes(_ bytes: [UInt8], _ pattern: [UInt8], with content: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  var rest = bytes[...]
  while let first = rest.first {
    if rest.starts(with: pattern) {
      out += content
      rest = rest.dropFirst(pattern.count)
    } else {
      out.append(first)
      rest = rest.dropFirst()
    }
  }
  return out
}
