/// How tokens become text again: the `decoder` of tokenizer.json.
enum TokenDecoder: Sendable {
  /// Tokens spell bytes in GPT-2's alphabet; a token that does not is its own text.
  case byteLevel
  /// Tokens go through the steps one after the other.
  case steps([Step])

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
  }
}

extension TokenDecoder {
  func makeStreamingDecoder(_ table: TokenTable, skipped: Set<Int32>) -> StreamingDecoder {
    let rules = DecodingRules(table: table, skipped: skipped)
    switch self {
    case .byteLevel: return StreamingDecoder(ByteLevelDecoding(rules: rules))
    case .steps(let steps): return StreamingDecoder(StepwiseDecoding(rules: rules, steps: steps))
    }
  }

  /// How SentencePiece's pieces become text: `▁` is a space, `<0xE4>` a byte, one leading space goes when the
  /// model puts one in front.
  static func sentencePiece(dropsLeadingSpace: Bool) -> TokenDecoder {
    let space = Array(" ".utf8)
    let strip: [Step] = dropsLeadingSpace ? [.strip(content: space, start: 1, stop: 0)] : []
    return .steps([.replace(Array("▁".utf8), with: space), .byteFallback, .fuse] + strip)
  }
}

/// What decoding asks of a vocabulary.
struct DecodingRules: Sendable {
  let table: TokenTable
  let skipped: Set<Int32>

  init(table: TokenTable, skipped: Set<Int32>) {
    self.table = table
    self.skipped = skipped
  }
}

/// Decoding of byte-level tokens.
struct ByteLevelDecoding: DecodingState {
  let rules: DecodingRules
  private var assembler = UTF8Assembler(.eachSequence)

  init(rules: DecodingRules) { self.rules = rules }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard !rules.skipped.contains(id), let token = rules.table.token(of: id) else { return }
    for byte in ByteAlphabet.read(token) ?? Array(token) { assembler.append(byte, to: &out) }
  }

  mutating func finish(to out: inout [UInt8]) { assembler.finish(to: &out) }
}

/// Decoding through steps, each taking the tokens that the one before gives.
struct StepwiseDecoding: DecodingState {
  let rules: DecodingRules
  private let steps: [TokenDecoder.Step]
  private var assembler = UTF8Assembler(.wholeRun)
  /// Whether nothing came yet to a step that treats the first token differently.
  private var isFirst = true
  /// How many more characters the step after `fuse` may take from the start of the text; nil before its start.
  private var strippable: Int?

  init(rules: DecodingRules, steps: [TokenDecoder.Step]) {
    self.rules = rules
    self.steps = steps
  }

  mutating func append(_ id: Int32, to out: inout [UInt8]) {
    guard !rules.skipped.contains(id), let token = rules.table.token(of: id) else { return }
    pass(Array(token), from: 0, isFused: false, to: &out)
  }

  mutating func finish(to out: inout [UInt8]) {
    guard let fallback = steps.firstIndex(where: { if case .byteFallback = $0 { true } else { false } })
    else {
      return
    }
    endRun(after: fallback, to: &out)
  }

  private mutating func pass(_ token: [UInt8], from index: Int, isFused: Bool, to out: inout [UInt8]) {
    guard index < steps.count else {
      out += token
      return
    }
    var token = token
    switch steps[index] {
    case .replace(let pattern, let content):
      token = replaceBytes(token, pattern, with: content)
    case .byteFallback:
      if let byte = byteOfToken(token) {
        // Only whole runs are passed on, so nothing comes out here.
        assembler.append(byte, to: &out)
        return
      }
      endRun(after: index, to: &out)
    case .fuse:
      return pass(token, from: index + 1, isFused: true, to: &out)
    case .strip(let content, let start, let stop):
      token = strip(token, content, start: start, stop: stop, isFused: isFused)
    case .metaspace(let replacement, let dropsFirst):
      let space: [UInt8] = dropsFirst && isFirst ? [] : [UInt8(ascii: " ")]
      token = replaceBytes(token, replacement, with: space)
      isFirst = false
    }
    pass(token, from: index + 1, isFused: isFused, to: &out)
  }

  private mutating func endRun(after index: Int, to out: inout [UInt8]) {
    var run: [UInt8] = []
    assembler.finish(to: &run)
    if !run.isEmpty { pass(run, from: index + 1, isFused: false, to: &out) }
  }

  private mutating func strip(
    _ token: [UInt8], _ content: [UInt8], start: Int, stop: Int, isFused: Bool
  ) -> [UInt8] {
    var rest = token[...]
    var left = isFused ? strippable ?? start : start
    while left > 0, rest.starts(with: content) {
      rest = rest.dropFirst(content.count)
      left -= 1
    }
    if isFused { strippable = rest.isEmpty ? left : 0 }
    var right = stop
    while right > 0, !rest.isEmpty, rest.suffix(content.count).elementsEqual(content) {
      rest = rest.dropLast(content.count)
      right -= 1
    }
    return Array(rest)
  }
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
