/// What one step of a decoder does to tokens.
enum DecodingStep: Sendable {
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

/// One step of a decoder with what it remembers of the tokens before.
struct DecodingStage: Sendable {
  /// How a step meets the one token that all tokens before it were made.
  private enum Fusion {
    /// Its tokens are those of the text.
    case none
    /// It gets that token's parts as they come: what is at both ends is all that it looks at.
    case parts
    /// It makes that token, which goes on whole when the text is over.
    case makesWhole
  }

  private let step: DecodingStep
  private let fusion: Fusion
  /// Whether nothing came yet.
  private var isFirst = true
  /// What came and has not gone on: the token before, which only its successor completes, or all of them.
  private var held: [UInt8]?
  private var assembler = UTF8Assembler(.wholeRun)
  /// How many more characters may be taken from the start of the fused text; nil before its start.
  private var strippable: Int?
  /// How many characters at the end of the fused text are kept back, because they go if nothing follows.
  private var keptBack = 0

  static func stages(_ steps: [DecodingStep]) -> [DecodingStage] {
    var isFused = false
    return steps.enumerated().map { index, step in
      guard case .fuse = step else { return DecodingStage(step: step, fusion: isFused ? .parts : .none) }
      let looksAtEnds = steps[index...].allSatisfy {
        switch $0 {
        case .fuse, .strip: true
        default: false
        }
      }
      isFused = looksAtEnds
      return DecodingStage(step: step, fusion: looksAtEnds ? .none : .makesWhole)
    }
  }

  private init(step: DecodingStep, fusion: Fusion) {
    self.step = step
    self.fusion = fusion
  }

  /// What becomes of `token`, and of what was held until it came; nil for nothing yet.
  mutating func take(_ token: [UInt8]) -> (earlier: [UInt8]?, given: [UInt8]?) {
    defer { isFirst = false }
    switch step {
    case .replace(let pattern, let content): return (nil, replaceBytes(token, pattern, with: content))
    case .byteFallback: return takeByte(token)
    case .fuse:
      guard fusion == .makesWhole else { return (nil, token) }
      held = (held ?? []) + token
      return (nil, nil)
    case .strip(let content, let start, let stop):
      return (
        nil, fusion == .parts ? stripPart(token, content, start, stop) : strip(token, content, start, stop)
      )
    case .metaspace(let replacement, let dropsFirst):
      return (nil, replaceBytes(token, replacement, with: dropsFirst && isFirst ? [] : [UInt8(ascii: " ")]))
    case .join: return (nil, isFirst ? token : [UInt8(ascii: " ")] + token)
    case .wordPiece(let prefix, let cleansUp): return (nil, wordPiece(token, prefix, cleansUp: cleansUp))
    case .wordSuffix(let suffix):
      defer { held = token }
      return (held.map { replaceBytes($0, suffix, with: [UInt8(ascii: " ")]) }, nil)
    }
  }

  /// What goes on when no more tokens come.
  mutating func finish() -> [UInt8]? {
    defer { held = nil }
    switch step {
    case .byteFallback: return endRun()
    case .fuse: return held
    case .wordSuffix(let suffix): return held.map { replaceBytes($0, suffix, with: []) }
    default: return nil
    }
  }

  // MARK: - Bytes

  private mutating func takeByte(_ token: [UInt8]) -> (earlier: [UInt8]?, given: [UInt8]?) {
    guard let byte = byteOfToken(token) else { return (endRun(), token) }
    var nothing: [UInt8] = []  // only whole runs are passed on
    assembler.append(byte, to: &nothing)
    return (nil, nil)
  }

  private mutating func endRun() -> [UInt8]? {
    var run: [UInt8] = []
    assembler.finish(to: &run)
    return run.isEmpty ? nil : run
  }

  // MARK: - Ends

  private func strip(_ token: [UInt8], _ content: [UInt8], _ start: Int, _ stop: Int) -> [UInt8] {
    var rest = token[...]
    var (left, right) = (start, stop)
    while left > 0, rest.starts(with: content) {
      rest = rest.dropFirst(content.count)
      left -= 1
    }
    while right > 0, rest.hasEnd(content) {
      rest = rest.dropLast(content.count)
      right -= 1
    }
    return Array(rest)
  }

  /// The fused text goes on with `token`; what may have to go at its end is kept back.
  private mutating func stripPart(
    _ token: [UInt8], _ content: [UInt8], _ start: Int, _ stop: Int
  ) -> [UInt8] {
    var rest = token[...]
    var left = strippable ?? start
    while left > 0, rest.starts(with: content) {
      rest = rest.dropFirst(content.count)
      left -= 1
    }
    strippable = rest.isEmpty ? left : 0
    var text = Array(repeatElement(content, count: keptBack).joined()) + rest
    keptBack = 0
    while keptBack < stop, text[...].hasEnd(content) {
      text.removeLast(content.count)
      keptBack += 1
    }
    return text
  }

  // MARK: - Words

  private func wordPiece(_ token: [UInt8], _ prefix: [UInt8], cleansUp: Bool) -> [UInt8] {
    var token = token
    if !isFirst {
      if token.starts(with: prefix) { token.removeFirst(prefix.count) } else { token.insert(0x20, at: 0) }
    }
    guard cleansUp else { return token }
    for (found, instead) in DecodingStage.cleanedUp {
      token = replaceBytes(token, Array(found.utf8), with: Array(instead.utf8))
    }
    return token
  }

  private static let cleanedUp = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ]
}

extension ArraySlice<UInt8> {
  fileprivate func hasEnd(_ end: [UInt8]) -> Bool {
    count >= end.count && suffix(end.count).elementsEqual(end)
  }
}
